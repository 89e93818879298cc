"""MusicVAE from Magenta's variables: the architecture is inferred from their names and shapes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from latentgen.music.converters import Converter
    from latentgen.music.model import MusicDecoder
    from latentgen.music.vae import MusicVAE


def music_model(
    tensors: Mapping[str, np.ndarray],
    config: str | Mapping[str, Any] | None = None,
    source: Any = "checkpoint",
    converter: "Converter | None" = None,
) -> "MusicVAE | MusicDecoder":
    """The model that these variables are of, with their values.

    Args:
        tensors: Magenta's variables by name (`decoder/multi_rnn_cell/cell_0/lstm_cell/kernel`…).
        config: the name of one of Magenta's configurations (`latentgen.music.NAMES`), or a
            dictionary as `config.json` beside a checkpoint holds it (hparams, depths); without it
            the configuration is the one that fits, where there is one alone.
        source: what errors call the file.
        converter: what the music is as tensors; of the configuration, if None.

    Returns:
        A MusicVAE, or a MusicDecoder where there is no encoder (it is logged that there is none).

    Raises:
        CheckpointError: variables are missing, left over or of another shape than the
            configuration's; or several configurations fit, or none.
    """
    raise NotImplementedError
