"""What a checkpoint of Magenta's holds beside a model's weights: the state of its training."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from latentgen.errors import InputError

# Adam's slots and powers, the counter of steps; Sketch-RNN's learning rate and KL weight, its
# second model for evaluation; the weights once more as cuDNN packs them (magenta#1496).
TRAINING = re.compile(
    r"(^|/)(global_step|beta[12]_power|opaque_kernel)$"
    r"|/Adam(_\d+)?$"
    r"|^vector_rnn/Variable(_\d+)?$"
    r"|^vector_rnn_\d+/"
)


def is_weight(name: str) -> bool:
    """Whether a variable of a checkpoint is part of the model."""
    return not TRAINING.search(name)


def weights(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The variables that are part of the model."""
    return {name: tensor for name, tensor in tensors.items() if is_weight(name)}


def renamed(
    tensors: Mapping[str, np.ndarray], rename: Sequence[tuple[str, str]]
) -> dict[str, np.ndarray]:
    """Variables under the names that (pattern, replacement) pairs of `re.sub` make of theirs.

    Raises:
        InputError: a pattern that is none, or two variables that become one.
    """
    names: dict[str, str] = {}
    for name in tensors:
        new = name
        for pattern, replacement in rename:
            try:
                new = re.sub(pattern, replacement, new)
            except (re.error, IndexError) as error:
                raise InputError(f"rename: {pattern!r} → {replacement!r}: {error}") from None
        if new in names:
            raise InputError(
                f"rename: expected different names, both {names[new]} and {name} become {new}"
            )
        names[new] = name
    return {new: tensors[name] for new, name in names.items()}


def sketch_training(
    tensors: Mapping[str, np.ndarray], step: int, settings: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """What Magenta's `load_checkpoint` wants beside Sketch-RNN's weights: a training that begins.

    Args:
        tensors: the weights, below `vector_rnn/`.
        step: the steps that the model was trained for.
        settings: its model_config.json.
    """
    slots = {
        f"vector_rnn/{name}/Adam{which}": np.zeros_like(tensor)
        for name, tensor in tensors.items()
        for which in ("", "_1")
    }
    numbers = {
        "Variable": settings["learning_rate"],
        "Variable_1": settings["kl_weight"],
        "beta1_power": 0.9,
        "beta2_power": 0.999,
    }
    variables = {f"vector_rnn/{k}": np.array(v, "float32") for k, v in numbers.items()}
    return slots | variables | {"vector_rnn/global_step": np.array(step, "int32")}
