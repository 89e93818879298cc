"""Training, validation and test data, told apart by name."""

import hashlib
from typing import Literal

from latentgen.errors import InputError


def split_of(
    key: str, valid: float = 0.05, test: float = 0.05, seed: int = 0
) -> Literal["train", "valid", "test"]:
    """The part that an example belongs to, for ever: it depends on its key and the seed alone.

    Args:
        key: the name of what is never to be in two parts, such as a drawing or a song.
        valid: share of the examples for validation.
        test: share for testing; the rest is for training.
        seed: another seed is another split.

    Example:
        >>> split_of("5201136883597312")
        'train'
    """
    if valid < 0 or test < 0 or valid + test >= 1:
        raise InputError(
            f"valid, test: expected shares of at least 0 that leave some for training, "
            f"received {valid} and {test}"
        )
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < test:
        return "test"
    return "valid" if place < test + valid else "train"
