"""Output heads: features of a decoder → distribution over the next element of a sequence.

Every head states the size of an element and of its parameters, and gives log-densities, samples,
the mode and a differentiable relaxation of a sample. Samples are pure functions of uniform noise,
so that a compiled loop needs no random generator and one seed gives one result on every backend.
"""

import keras
from keras import ops

from latentgen.compilation import require_backend
from latentgen.errors import InputError

EPSILON = 1e-7
NEVER = -1e30  # a logit; not −∞, so that what is masked twice stays a number
BLOCK = 64  # classes, see `categorical_index`


class OutputHead(keras.layers.Layer):
    """Base class. A new kind of sequence is a new head: implement what raises NotImplementedError.

    Attributes:
        element_size: D, size of one element of the sequence.
        input_size: size of an element as a decoder reads it; D unless a head embeds elements.
        parameter_size: P, number of unconstrained parameters of its distribution.
        noise_size: U, how many independent uniforms in [0, 1) one sample needs.
        relax_noise_size: how many a relaxed sample needs; U unless a head says otherwise.
    """

    element_size: int
    parameter_size: int
    noise_size: int

    @property
    def input_size(self) -> int:
        return self.element_size

    @property
    def relax_noise_size(self) -> int:
        return self.noise_size

    def __init__(self, feature_size: int, **kwargs):
        super().__init__(**kwargs)
        self.feature_size = feature_size

    def build(self, input_shape=None):
        self.projection = keras.layers.Dense(self.parameter_size, name="projection")
        self.projection.build((None, self.feature_size))
        self.built = True

    def call(self, features):
        """Features (…, feature_size) → unconstrained parameters (…, P)."""
        return self.projection(features)

    def embed(self, elements):
        """What a decoder reads of elements (…, D), or of relaxed ones → (…, input_size)."""
        return elements

    def start(self, batch: int):
        """The element (B, D) fed at the first step, before anything was drawn."""
        return ops.zeros((batch, self.element_size))

    def ended(self, elements):
        """Whether each element (…, D) closes its sequence → bool (…)."""
        return ops.zeros_like(elements[..., 0], dtype="bool")

    def end(self, batch: int):
        """What stands after a sequence's end, (B, D)."""
        return ops.zeros((batch, self.element_size))

    def log_prob(self, parameters, elements):
        """Log-density or log-probability of elements (…, D) under parameters (…, P) → (…)."""
        raise NotImplementedError

    def loss(self, parameters, elements):
        """What training minimises, per step (…): −log_prob, unless a paper says otherwise."""
        return -self.log_prob(parameters, elements)

    def sample(self, parameters, noise, temperature=1.0):
        """Draws elements (…, D) with parameters (…, P) from uniform noise (…, U).

        The temperature is a scalar, or of shape (…, 1).
        """
        raise NotImplementedError

    def truncate(self, parameters, temperature=1.0, top_k: int | None = None, top_p=None):
        """Parameters (…, P) of which `sample` at this temperature draws likely elements alone.

        Args:
            top_k: the k most likely are left; None for all.
            top_p: the fewest that have this share of the probability are left; None for all.
        """
        raise InputError(
            "top_k, top_p: expected none, as the elements are not symbols of which to leave out "
            f"the unlikely, received top_k {top_k} and top_p {top_p}; lower the temperature instead"
        )

    def mode(self, parameters):
        """The most likely element (…, D); of a mixture, its heaviest component's."""
        raise NotImplementedError

    def relax(self, parameters, noise, temperature=1.0):
        """A differentiable stand-in (…, D) for a sample from uniforms (…, relax_noise_size).

        The sharper, the nearer the temperature is to 0.
        """
        raise NotImplementedError

    def as_tfp(self, parameters):
        """The same distribution as a TensorFlow Probability object (TensorFlow backend)."""
        raise NotImplementedError

    def get_config(self):
        return super().get_config() | {"feature_size": self.feature_size}


def categorical_index(logits, noise, temperature):
    """Class (…,) int32 drawn of logits (…, K) / temperature by one uniform (…,): inverse CDF.

    Of many classes a block is drawn first and a class of it then: running sums of thousands of
    numbers would take most of a decoder's step (several times as long on a CPU).
    """
    logits = logits / temperature
    # Not divided by their sum, by which the uniform is multiplied: over thousands that takes time.
    weights = ops.exp(logits - ops.max(logits, axis=-1, keepdims=True))
    classes, shape = weights.shape[-1], ops.shape(weights)[:-1]
    if classes <= 2 * BLOCK:
        sums = ops.cumsum(weights, axis=-1)
        return _passed(sums, noise * sums[..., -1])
    weights = ops.pad(weights, [[0, 0]] * len(shape) + [[0, -classes % BLOCK]])
    weights = ops.reshape(weights, (*shape, -(-classes // BLOCK), BLOCK))
    sums = ops.cumsum(ops.sum(weights, axis=-1), axis=-1)  # (…, blocks)
    target = noise * sums[..., -1]
    block = _passed(sums, target)
    # A product with a one-hot, as not every format that models are exported to can gather so.
    is_block = ops.one_hot(block, sums.shape[-1])
    within = ops.sum(is_block[..., None] * weights, axis=-2)
    before = ops.concatenate([ops.zeros_like(sums[..., :1]), sums[..., :-1]], axis=-1)
    target = target - ops.sum(is_block * before, axis=-1)
    return BLOCK * block + _passed(ops.cumsum(within, axis=-1), target)


def _passed(sums, target):
    """How many of the running sums (…, K) are passed where a target (…,) is reached."""
    # Rounding can leave the last sum below 1, of which targets are therefore a share; the second
    # condition keeps a draw off classes without probability at the end.
    passed = ops.logical_and(sums <= target[..., None], sums < sums[..., -1:])
    return ops.sum(ops.cast(passed, "int32"), axis=-1)


def largest(logits):
    """Number (…,) int32 of the largest of logits (…, K); the first of several."""
    # Of integers, because Keras's argmax of floats looks at their sign bits, for which ONNX and
    # LiteRT have no operation.
    is_largest = logits >= ops.max(logits, axis=-1, keepdims=True)
    return ops.argmax(ops.cast(is_largest, "int32"), axis=-1)


def categorical_sample(logits, noise, temperature):
    """The same draw as a one-hot (…, K)."""
    return ops.one_hot(categorical_index(logits, noise, temperature), logits.shape[-1])


def truncate_logits(logits, temperature=1.0, top_k: int | None = None, top_p=None):
    """Logits (…, K) with those of unlikely classes so low that they are never drawn.

    Args:
        temperature: at which will be drawn; the shares of `top_p` are those at this temperature.
        top_k: the k most likely classes are left (Fan et al. 2018).
        top_p: of those, the fewest that have this share of the probability: the nucleus (Holtzman
            et al. 2020).

    Classes as likely as the last one left are left too.
    """
    if top_k is not None:
        top_k = min(top_k, logits.shape[-1])
        least = ops.top_k(logits, top_k)[0][..., -1:]
        logits = ops.where(logits < least, NEVER, logits)
    if top_p is not None:
        ordered = ops.flip(ops.sort(logits, axis=-1), axis=-1)
        shares = ops.softmax(ordered / temperature, axis=-1)
        # The first class is left even where rounding makes the sum before it something.
        before = ops.cumsum(shares, axis=-1) - shares
        least = ops.where(before < top_p, ordered, ordered[..., :1])
        logits = ops.where(logits < ops.min(least, axis=-1, keepdims=True), NEVER, logits)
    return logits


def gumbel_softmax(logits, noise, temperature):
    """Relaxed one-hot draw (…, K) from uniform noise (…, K) (Jang et al., Maddison et al. 2017)."""
    gumbel = -ops.log(-ops.log(ops.clip(noise, EPSILON, 1.0 - EPSILON)))
    return ops.softmax((ops.log_softmax(logits, axis=-1) + gumbel) / temperature, axis=-1)


def require_tfp(method: str):
    """TensorFlow Probability's distributions; an InputError where the backend is another."""
    require_backend(method, "tensorflow")
    import tensorflow_probability as tfp

    return tfp


class SymbolHead(OutputHead):
    """One of K symbols a step, whose parameters are logits (…, K), K being `parameter_size`.

    A subclass says how a symbol's number is written as an element, and which symbol is the end.
    """

    noise_size = 1

    @property
    def relax_noise_size(self):
        return self.parameter_size  # a uniform a symbol, where a draw needs one in all

    def element_of(self, ids):
        """Elements (…, D) of symbols by number, int32 (…)."""
        raise NotImplementedError

    def id_of(self, elements):
        """Numbers, int32 (…), of elements (…, D)."""
        raise NotImplementedError

    def sample(self, parameters, noise, temperature=1.0):
        return self.element_of(categorical_index(parameters, noise[..., 0], temperature))

    def truncate(self, parameters, temperature=1.0, top_k=None, top_p=None):
        return truncate_logits(parameters, temperature, top_k, top_p)

    def mode(self, parameters):
        return self.element_of(largest(parameters))

    def relax(self, parameters, noise, temperature=1.0):
        """Relaxed one-hots (…, K), which `embed` takes beside elements."""
        return gumbel_softmax(parameters, noise, temperature)


@keras.saving.register_keras_serializable("latentgen")
class CategoricalHead(SymbolHead):
    """One of `classes` symbols a step, as one-hot elements: melodies, characters.

    Args:
        classes: number K of symbols.
        end_class: the symbol that closes a sequence, or None where nothing does.
    """

    def __init__(self, feature_size: int, classes: int, end_class: int | None = None, **kwargs):
        super().__init__(feature_size, **kwargs)
        self.classes = classes
        self.end_class = end_class
        self.element_size = self.parameter_size = classes

    def element_of(self, ids):
        return ops.one_hot(ids, self.classes)

    def id_of(self, elements):
        return ops.argmax(elements, axis=-1)

    def ended(self, elements):
        if self.end_class is None:
            return super().ended(elements)
        return elements[..., self.end_class] > 0.5

    def end(self, batch):
        if self.end_class is None:
            return super().end(batch)
        return self.element_of(ops.full((batch,), self.end_class, dtype="int32"))

    def log_prob(self, parameters, elements):
        return ops.sum(elements * ops.log_softmax(parameters, axis=-1), axis=-1)

    def as_tfp(self, parameters):
        tfp = require_tfp("as_tfp")
        return tfp.distributions.OneHotCategorical(logits=parameters, dtype="float32")

    def get_config(self):
        return super().get_config() | {"classes": self.classes, "end_class": self.end_class}
