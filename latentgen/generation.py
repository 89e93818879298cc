"""GenerativeModel: a Keras model around an autoregressive decoder, and how it draws sequences."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from latentgen.compilation import compiled
from latentgen.errors import InputError
from latentgen.layers.beam import beam_search
from latentgen.layers.decoder import AutoregressiveDecoder
from latentgen.layers.encoder import BidirectionalEncoder


class GenerativeModel(keras.Model):
    """What draws sequences from a decoder; how it is trained is up to subclasses.

    Args:
        decoder: the recurrent core with its head.
        max_length: the longest sequence, N_max.
        control_encoder: reads the whole control before the decoder does; see SequenceModel.
    """

    def __init__(
        self,
        decoder: AutoregressiveDecoder,
        max_length: int,
        control_encoder: BidirectionalEncoder | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.decoder = decoder
        self.max_length = max_length
        self.control_encoder = control_encoder
        self.control_size = control_encoder.input_size if control_encoder else decoder.control_size
        self._generators: dict[tuple, Callable] = {}
        for part in (decoder, control_encoder):
            if part is not None and not part.built:
                part.build()

    @property
    def head(self):
        return self.decoder.head

    def read_control(self, control, training=False, length=None):
        """What the decoder is told of a control (B, T, control_size), of `length` (B,) steps."""
        if control is None or self.control_encoder is None:
            return control
        steps = ops.broadcast_to(ops.shape(control)[1], (ops.shape(control)[0],))
        if length is not None and len(length.shape) == 1:  # not those of segments
            steps = length
        return self.control_encoder.outputs(control, steps, training=training)

    def sample_prior(self, n: int, seed: int = 0) -> np.ndarray:
        """n latent vectors z ~ N(0, 1), (n, latent_size)."""
        if n < 1:
            raise InputError(f"n: expected how many to draw, 1 or more, received {n}")
        if seed < 0:
            raise InputError(f"seed: expected 0 or more, received {seed}")
        return np.random.default_rng(seed).standard_normal(
            (n, self.decoder.latent_size), dtype="float32"
        )

    def generate(
        self,
        z: np.ndarray | None = None,
        n: int | None = None,
        *,
        temperature: float = 0.5,
        seed: int = 0,
        greedy: bool = False,
        length: int | None = None,
        prefix: list[np.ndarray] | None = None,
        control: np.ndarray | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        beam: int | None = None,
        length_penalty: float = 0.6,
        batch_size: int = 64,
        jit_compile: bool | None = None,
    ) -> np.ndarray:
        """Draws sequences; example k depends on the seed and on k, not on the batch it is in.

        Args:
            z: latent vectors (n, latent_size), or what else the model decodes (see `checked_z`);
                for a decoder without z give `n` instead.
            temperature: > 0; lower is more careful.
            greedy: the mode at each step instead of a sample.
            length: longest result, max_length by default.
            prefix: a beginning for each sequence, a list of n arrays (P_k, D).
            control: (n, length, control_size), where there is a control.
            top_k: draw of the k likeliest symbols alone; top_p: of the fewest that have this share
                of the probability (nucleus sampling). For heads of symbols.
            beam: search for the likeliest sequence, going on with so many at each step, in place of
                drawing one; 1 is `greedy`. For heads of symbols.
            length_penalty: of the search; see `beam_search`.
            batch_size: how many are drawn at once.
            jit_compile: whether XLA compiles the loop on TensorFlow. By default it does but for
                top_k, top_p and beam: on a CPU it takes several times as long to sort.

        Returns:
            Elements (n, length, D), float32, filled up with the head's end element.
        """
        z, n = self.checked_z(z, n)
        if not 0 < temperature < np.inf:
            raise InputError(f"temperature: expected a number above 0, received {temperature}")
        if seed < 0:
            raise InputError(f"seed: expected 0 or more, received {seed}")
        if top_k is not None and not (isinstance(top_k, int) and top_k >= 1):
            raise InputError(f"top_k: expected how many symbols, 1 or more, received {top_k}")
        if top_p is not None and not 0 < top_p <= 1:
            raise InputError(f"top_p: expected a share above 0, up to 1, received {top_p}")
        if beam is not None and (top_k is not None or top_p is not None):
            raise InputError("beam: expected no top_k or top_p beside it, as nothing is drawn")
        if not 0 <= length_penalty < np.inf:
            raise InputError(f"length_penalty: expected 0 or more, received {length_penalty}")
        if batch_size < 1:
            raise InputError(f"batch_size: expected 1 or more, received {batch_size}")
        if prefix is not None and len(prefix) != n:
            raise InputError(f"prefix: expected {n} beginnings, received {len(prefix)}")
        length = self.max_length if length is None else length
        if length < 1:
            raise InputError(f"length: expected 1 or more steps, received {length}")
        expected = (n, length, self.control_size)
        if control is not None:
            control = np.asarray(control, dtype="float32")
        if (control is None) != (expected[-1] == 0) or (
            control is not None and control.shape != expected
        ):
            raise InputError(
                f"control: expected {'shape ' + str(expected) if expected[-1] else 'none'}, "
                f"received {'none' if control is None else control.shape}"
            )
        if jit_compile is None:
            jit_compile = top_k is None and top_p is None and beam is None
        size = self.head.element_size
        samples = np.empty((n, length, size), dtype="float32")
        for rows in _batches(n, batch_size):
            inputs = self._loop_inputs(z, rows, seed, length, prefix, control)
            draw = self._generator(bool(greedy), top_k, beam, jit_compile)
            share, penalty = (
                None if top_p is None else np.float32(top_p),
                np.float32(length_penalty),
            )
            drawn = draw(np.float32(temperature), share, penalty, *inputs)
            samples[rows] = ops.convert_to_numpy(drawn)[: len(rows)]
        return samples

    def checked_z(self, z, n: int | None) -> tuple[Any, int]:
        """What `generate` decodes, arrays (n, …) or None, and their number n; errors for others."""
        if z is not None:
            try:
                z = np.asarray(z, dtype="float32")
            except (TypeError, ValueError) as error:
                raise InputError(f"z: expected numbers in rows of equal length: {error}") from None
            if z.ndim != 2 or z.shape[1] != self.decoder.latent_size:
                raise InputError(
                    f"z: expected shape (n, {self.decoder.latent_size}), received {z.shape}"
                )
            if not np.isfinite(z).all():
                raise InputError("z: expected finite numbers, received NaN or infinity")
            n = len(z)
        elif self.decoder.latent_size:
            raise InputError("z: this decoder needs latent vectors, received none")
        if not n or n < 0:
            raise InputError(f"n: expected how many sequences to draw, 1 or more, received {n}")
        return z, n

    def read_z(self, z):
        """What the decoder is conditioned on, of what `generate` was given."""
        return z

    def _loop_inputs(self, z, rows: np.ndarray, seed: int, length: int, prefix, control) -> tuple:
        """What `decoder.generate` takes for some rows, padded to a power of two: few shapes to
        compile for."""
        padded = np.resize(rows, _next_power_of_two(len(rows)))
        noise = np.stack(
            [
                np.random.default_rng([seed, row]).random(
                    (length, self.head.noise_size), dtype="float32"
                )
                for row in padded
            ]
        )
        z = keras.tree.map_structure(lambda part: None if part is None else part[padded], z)
        control = None if control is None else control[padded]
        if prefix is None:
            return z, noise, None, None, control
        lengths = np.array([len(prefix[row]) for row in padded], dtype="int32")
        if lengths.max() > length:
            raise InputError(
                f"prefix: expected at most {length} steps, received {lengths.max()}: "
                "give a larger length"
            )
        elements = np.zeros((len(padded), length, self.head.element_size), dtype="float32")
        for index, row in enumerate(padded):
            elements[index, : lengths[index]] = prefix[row]
        return z, noise, elements, np.arange(length) < lengths[:, None], control

    def _generator(
        self, greedy: bool, top_k: int | None, beam: int | None, jit_compile: bool
    ) -> Callable:
        key = (greedy, top_k, beam, jit_compile)
        if key not in self._generators:

            def draw(temperature, top_p, penalty, z, noise, given, is_given, control):
                z, control = self.read_z(z), self.read_control(control)
                if beam is not None:
                    batch, steps = noise.shape[:2]
                    found = beam_search(
                        self.decoder, z, batch, steps, beam, penalty, given, is_given, control
                    )
                    return found.samples[:, 0]
                return self.decoder.generate(
                    z, noise, temperature, greedy, given, is_given, control, top_k, top_p
                )

            self._generators[key] = compiled(self, draw, jit_compile)
        return self._generators[key]


def in_batches(function: Callable, inputs: dict[str, np.ndarray], batch_size: int) -> tuple:
    """Results of `function(inputs)` over all rows, as arrays: run in batches of few sizes."""
    n, parts = len(next(iter(inputs.values()))), []
    for rows in _batches(n, batch_size):
        padded = np.resize(rows, _next_power_of_two(len(rows)))
        results = function({name: array[padded] for name, array in inputs.items()})
        parts.append([ops.convert_to_numpy(result)[: len(rows)] for result in results])
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _batches(n: int, size: int) -> Iterator[np.ndarray]:
    return (np.arange(k, min(k + size, n)) for k in range(0, n, size))


def _next_power_of_two(n: int) -> int:
    return 1 << (n - 1).bit_length()
