"""A representation that latentgen does not know: tensors in, tensors out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from latentgen.errors import InputError
from latentgen.music.converters.converter import Converter, Example

OUTPUTS = ("categorical", "boolean", "nade", "groove")


class PlainConverter(Converter):
    """The tensors of a model whose representation of music is its user's own.

    A model with it takes and gives arrays: `batch_of` makes a batch of examples, `encode_batch`,
    `score_batch`, `generate` and `unroll` do the rest. Music it neither encodes nor decodes.

    Args:
        steps: T, rows of an example.
        output: what the outputs are: 'categorical', 'boolean', 'nade' or 'groove'.
        parts: columns of each part of the outputs, of which 'categorical' has a one-hot each;
            their sum is the output's depth.
        input_depth: columns of the input; those of the output if None.
        control_depth: columns of the control.
        hidden: size of a NADE's hidden layer.
        end_class: the class that closes a sequence, of a categorical output of one part.
    """

    def __init__(
        self,
        steps: int,
        output: str = "categorical",
        parts: Sequence[int] = (1,),
        input_depth: int | None = None,
        control_depth: int = 0,
        hidden: int = 128,
        end_class: int | None = None,
    ):
        if output not in OUTPUTS:
            raise InputError(f"output: expected one of {OUTPUTS}, received {output!r}")
        for name, value in (("steps", steps), ("hidden", hidden), ("parts", min(parts, default=0))):
            if value < 1:
                raise InputError(f"{name}: expected 1 or more, received {value}")
        if output != "categorical" and len(parts) > 1:
            raise InputError(f"parts: expected one of a {output!r} output, received {list(parts)}")
        if output == "groove" and parts[0] % 3:
            raise InputError(
                "parts: expected hits, velocities and offsets, a multiple of 3 columns, "
                f"received {parts[0]}"
            )
        super().__init__(1, steps)
        self.output, self.hidden, self.end_class = output, hidden, end_class
        self.parts = list(parts)
        self.output_depth = sum(self.parts)
        self.input_depth = self.output_depth if input_depth is None else input_depth
        self.control_depth = control_depth

    def encode(self, window: Any, allow_silence: bool = True) -> Example:
        raise InputError(self._unknown("encode"))

    def decode(self, outputs: np.ndarray, **options: Any) -> Any:
        raise InputError(self._unknown("decode"))

    def _unknown(self, verb: str) -> str:
        return (
            f"{verb}: expected a representation that latentgen knows, this model has one of its "
            f"own ({self.input_depth} columns in, {self.output_depth} out); give and take arrays: "
            "encode_batch, score_batch, generate"
        )

    def _encode(self, window: Any, controls: np.ndarray) -> Example:
        raise NotImplementedError

    def _decode(self, outputs, notes, step, program, velocity) -> None:
        raise NotImplementedError

    def _missing(self, outputs: np.ndarray) -> str | None:
        raise NotImplementedError
