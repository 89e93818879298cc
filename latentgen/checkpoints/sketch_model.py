"""Sketch-RNN from Magenta's variables: every size is inferred from them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from latentgen.sketch.vae import SketchDecoder, SketchVAE


def sketch_model(
    tensors: Mapping[str, np.ndarray],
    settings: Mapping[str, Any] | list[str] | None = None,
    source: Any = "checkpoint",
) -> "SketchVAE | SketchDecoder":
    """The model that these variables are of, with their values.

    Args:
        tensors: Magenta's variables by name, with or without `vector_rnn/` before it.
        settings: what `model_config.json` holds: a dictionary, the list of names that Magenta's
            trainer writes (which says nothing), or None.
        source: what errors call the file.

    Raises:
        CheckpointError: variables are missing, left over, of shapes that fit no model, or not what
            the settings say.
    """
    raise NotImplementedError
