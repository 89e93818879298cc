"""What an exported model can be asked: its signatures, as functions of TensorFlow tensors."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf
from keras import ops

from latentgen.constraints.constrained import Constrained
from latentgen.constraints.density import like_real
from latentgen.errors import InputError
from latentgen.export.constraining import Constraining
from latentgen.export.moving import way_for
from latentgen.export.pieces import Port, pieces_of, port
from latentgen.export.rows import (
    at_least_zero,
    count,
    each,
    finite,
    normals,
    padded_rows,
    row_seeds,
    uniforms,
)
from latentgen.vae import SequenceVAE

TEMPERATURE = port(
    None,
    tf.float32,
    "how daring: 0 takes the likeliest at each step, 1 is as taught; one for all, or (n,)",
)
SEED = port(
    None,
    tf.int32,
    "of what is drawn: one for all, by which row k is drawn as (seed, k); or (n,), or pairs (n, 2)",
)


class Signature(NamedTuple):
    """One thing to ask for.

    Attributes:
        doc: what it does.
        inputs, outputs: tensors by name.
        function: of the inputs by name, to the outputs by name.
    """

    doc: str
    inputs: dict[str, Port]
    outputs: dict[str, Port]
    function: Callable[..., dict[str, Any]]

    def concrete(self) -> Any:
        """The function traced for its inputs."""
        specs = {
            name: tf.TensorSpec(spec.shape, spec.dtype, name)
            for name, (spec, _) in self.inputs.items()
        }
        return tf.function(self.function, autograph=False).get_concrete_function(**specs)


class Signatures:
    """The signatures of a model; those with a latent vector, an encoder or constraints have more.

    Args:
        model: of one of the domains.
        constraints: what can be asked of z, if anything.
        method: how z is moved; see `moving.way_for`.
        jit_compile: whether XLA compiles the loop that draws.

    Raises:
        InputError: a model that cannot be asked in these ways, or constraints of another z.
    """

    def __init__(
        self,
        model: Any,
        constraints: Constrained | None = None,
        method: str | None = None,
        jit_compile: bool = True,
    ):
        self.pieces = pieces_of(model)
        self.model, self.latent_size = model, model.decoder.latent_size
        self.controlled = bool(model.control_size)
        self.constraining, self._real = None, model.reference
        if self._real is not None:  # a variable is kept once, an array wherever it is read
            self._real = self._real._replace(mean=tf.Variable(self._real.mean, trainable=False))
        if hasattr(model, "translate"):
            raise InputError(
                f"model: expected one that draws of a latent vector or of nothing, received a "
                f"{type(model).__name__}, which reads a source"
            )
        if constraints is not None:
            self.constraining = Constraining(constraints, way_for(model, constraints, method))
        self._loop = tf.function(
            self._generate, autograph=False, jit_compile=jit_compile, reduce_retracing=True
        )

    def all(self) -> dict[str, Signature]:
        """Every signature by name."""
        found = {"sample": self._sample()}
        if self.latent_size:
            found["decode"] = self._decode()
        if isinstance(self.model, SequenceVAE):
            found |= {
                "encode": self._encode(),
                "reconstruct": self._reconstruct(),
                "interpolate": self._interpolate(),
            }
        if self.constraining is not None:
            found |= {
                "constrain": self._constrain(self.constraining),
                "sample_constrained": self._sample_constrained(self.constraining),
            }
        return found

    # What several signatures do.

    def _generate(self, inputs):
        """Elements (n, T, D) of z (n, latent_size) and noise (n, T, U)."""
        control = self.model.read_control(inputs.get("control"))
        return self.model.decoder.generate(
            inputs.get("z"),
            inputs["noise"],
            inputs["temperature"],
            inputs["greedy"],
            control=control,
        )

    def _draw(self, n, seeds, temperature, control, z=None):
        """Pieces of n rows."""
        temperature = at_least_zero(temperature, n, "temperature")
        greedy = temperature <= 0
        steps = self.model.max_length
        inputs = {
            "noise": uniforms(seeds, steps, self.model.head.noise_size),
            "temperature": tf.where(greedy, 1.0, temperature)[:, None],
            "greedy": greedy,
        }
        if z is not None:
            inputs["z"] = z
        if self.controlled:
            inputs["control"] = self._control(control, n)
        rows = padded_rows(n)
        padded = {name: tf.gather(value, rows) for name, value in inputs.items()}
        return self.pieces.write(self._loop(padded)[:n])

    def _control(self, control, n):
        shape = (self.model.max_length, self.model.control_size)
        return each(finite(control, "control"), n, *shape)

    def _posterior(self, pieces, control):
        batch = self.pieces.read(pieces)
        if self.controlled:
            batch["control"] = self._control(control, tf.shape(batch["length"])[0])
        return self.model.posterior(batch)

    def _start(self, seeds):
        """Latent vectors of the prior; a preset's, moved to where those of real pieces are."""
        z = normals(seeds, self.latent_size)
        return z if self._real is None else like_real(z, self._real, ops)

    # Ports.

    @property
    def _z(self) -> Port:
        return port((None, self.latent_size), tf.float32, "latent vectors, N(0, 1) in the prior")

    def _asked(self, inputs: dict[str, Port], drawing: bool = True) -> dict[str, Port]:
        """The inputs, then those of drawing, and the control where there is one."""
        if drawing:
            inputs = inputs | {"temperature": TEMPERATURE, "seed": SEED}
        if self.controlled:
            steps, size = self.model.max_length, self.model.control_size
            doc = f"what the model goes by, as Example.controls: ({steps}, {size}) for all, or "
            inputs = inputs | {"control": port(None, tf.float32, doc + f"(n, {steps}, {size})")}
        return inputs

    def _drawn(self) -> dict[str, Port]:
        """Latent vectors and pieces, or pieces alone where there is no z."""
        return {"z": self._z, **self.pieces.outputs} if self.latent_size else self.pieces.outputs

    # The signatures.

    def _sample(self) -> Signature:
        def sample(n, temperature, seed, control=None):
            n = count(n)
            seeds = row_seeds(seed, n)
            z = self._start(seeds) if self.latent_size else None
            drawn = self._draw(n, seeds, temperature, control, z)
            return drawn if z is None else {"z": z, **drawn}

        inputs = {"n": port((), tf.int32, "how many")}
        return Signature("n new pieces", self._asked(inputs), self._drawn(), sample)

    def _decode(self) -> Signature:
        def decode(z, temperature, seed, control=None):
            n = count(tf.shape(z)[0], "rows of z")
            return self._draw(n, row_seeds(seed, n), temperature, control, finite(z, "z"))

        doc = "a piece for each latent vector"
        return Signature(doc, self._asked({"z": self._z}), self.pieces.outputs, decode)

    def _encode(self) -> Signature:
        def encode(control=None, **pieces):
            return self._posterior(pieces, control)._asdict()

        outputs = {
            "mean": port((None, self.latent_size), tf.float32, "mean of each piece's posterior"),
            "scale": port((None, self.latent_size), tf.float32, "its standard deviation"),
        }
        inputs = self._asked(self.pieces.inputs, drawing=False)
        return Signature("where pieces lie in latent space", inputs, outputs, encode)

    def _reconstruct(self) -> Signature:
        def reconstruct(temperature, seed, control=None, **pieces):
            z = self._posterior(pieces, control).mean
            n = tf.shape(z)[0]
            return self._draw(n, row_seeds(seed, n), temperature, control, z)

        doc = "each piece again, decoded from the mean of its posterior"
        inputs = self._asked(self.pieces.inputs)
        return Signature(doc, inputs, self.pieces.outputs, reconstruct)

    def _interpolate(self) -> Signature:
        def interpolate(steps, temperature, seed, control=None, **pieces):
            steps = count(steps, "steps")
            mean = self._posterior(pieces, control).mean
            z = slerp(mean[0], mean[1], steps)
            drawn = self._draw(steps, row_seeds(seed, steps), temperature, control, z)
            return {"z": z, **drawn}

        two = {
            name: port((2, *spec.shape[1:]), spec.dtype, f"two: {doc}")
            for name, (spec, doc) in self.pieces.inputs.items()
        }
        two["steps"] = port((), tf.int32, "how many pieces, the first and the last included")
        doc = "pieces on the arc between the latent vectors of two"
        if self.controlled:
            doc += "; its control is one for all"
        return Signature(doc, self._asked(two), self._drawn(), interpolate)

    def _constrain(self, constraining: Constraining) -> Signature:
        def constrain(z, targets, strength):
            return {"z": constraining.move(finite(z, "z"), targets, strength)}

        inputs = {"z": self._z, **constraining.inputs}
        return Signature("latent vectors moved to what is asked", inputs, {"z": self._z}, constrain)

    def _sample_constrained(self, constraining: Constraining) -> Signature:
        def sample_constrained(n, targets, strength, temperature, seed, control=None):
            n = count(n)
            seeds = row_seeds(seed, n)
            z = constraining.move(self._start(seeds), targets, strength)
            return {"z": z, **self._draw(n, seeds, temperature, control, z)}

        inputs = {"n": port((), tf.int32, "how many"), **constraining.inputs}
        doc = "n new pieces that are as asked"
        return Signature(doc, self._asked(inputs), self._drawn(), sample_constrained)


def slerp(a: Any, b: Any, steps: Any) -> tf.Tensor:
    """`latentgen.vae.slerp` in the graph: (z,), (z,) → (steps, z)."""
    a, b = tf.cast(a, tf.float64), tf.cast(b, tf.float64)
    shares = tf.linspace(tf.constant(0.0, tf.float64), 1.0, steps)[:, None]
    cosine = tf.math.divide_no_nan(tf.reduce_sum(a * b), tf.norm(a) * tf.norm(b))
    angle = tf.acos(tf.clip_by_value(cosine, -1.0, 1.0))
    sine = tf.sin(angle)
    path = tf.sin((1.0 - shares) * angle) * a + tf.sin(shares * angle) * b
    line = (1.0 - shares) * a + shares * b
    nowhere = (sine < 1e-6) | (tf.norm(a) * tf.norm(b) <= 0)
    return tf.cast(tf.where(nowhere, line, path / sine), tf.float32)
