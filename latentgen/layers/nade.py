"""NADE head: yes/no values that depend on one another, such as drums struck together."""

import math

import keras
import numpy as np
from keras import ops

from latentgen.layers.bernoulli import (
    bernoulli_log_prob,
    bernoulli_mode,
    bernoulli_sample,
    binary_concrete,
)
from latentgen.layers.heads import OutputHead, require_tfp


@keras.saving.register_keras_serializable("latentgen")
class NadeHead(OutputHead):
    """D values in {0, 1} a step, each conditioned on those before it (Uria et al. 2016).

    (Neural autoregressive distribution estimator, arXiv 1605.02226; as the output of a recurrent
    network Boulanger-Lewandowski et al. 2012, MusicVAE's MultiLabelRnnNadeDecoder.) The features
    give the biases b_enc (H,) and b_dec (D,), in this order; the weights are the head's own:

        a_0 = b_enc,  a_{i+1} = a_i + v_i · w_enc_i,
        p(v_i = 1 | v_<i) = σ(b_dec_i + σ(a_i) · w_dec_i)

    Args:
        size: D.
        hidden: H, size of the hidden layer.
        probability_floor: added to each probability inside the logarithm of the training loss, as
            Magenta does: it bounds the loss at 13.8 nats a value. 0 trains the true likelihood;
            `log_prob` is the true one always.
    """

    def __init__(
        self,
        feature_size: int,
        size: int,
        hidden: int = 128,
        probability_floor: float = 1e-6,
        **kwargs,
    ):
        super().__init__(feature_size, **kwargs)
        self.size = size
        self.hidden = hidden
        self.probability_floor = probability_floor
        self.parameter_size = hidden + size
        self.element_size = self.noise_size = size

    def build(self, input_shape=None):
        normal = keras.initializers.TruncatedNormal(stddev=1.0 / math.sqrt(self.size))
        self.w_enc, self.w_dec = (
            self.add_weight(shape=(self.size, self.hidden), initializer=normal.clone(), name=name)
            for name in ("w_enc", "w_dec")
        )
        super().build()

    def conditional_logits(self, parameters, elements):
        """Logits (…, D) of each value of elements (…, D) given those before it."""
        b_enc, b_dec = parameters[..., : self.hidden], parameters[..., self.hidden :]
        # All D at once: as the values are known, a_i is a sum over the rows before row i.
        before = np.tril(np.ones((self.size, self.size), "float32"), -1)
        past = ops.matmul(elements[..., None, :] * before, self.w_enc)  # (…, D, H)
        a = b_enc[..., None, :] + past
        return b_dec + ops.sum(ops.sigmoid(a) * self.w_dec, axis=-1)

    def choose(self, parameters, value):
        """Runs over the D values in order → the values (…, D).

        Args:
            parameters: (…, H + D).
            value: what the i-th value is, from i and its logit, both (…, 1).
        """
        a, b_dec = parameters[..., : self.hidden], parameters[..., self.hidden :]
        values = []
        for i in range(self.size):
            past = ops.sum(ops.sigmoid(a) * self.w_dec[i], axis=-1, keepdims=True)
            values.append(value(i, b_dec[..., i : i + 1] + past))
            a = a + values[-1] * self.w_enc[i]
        return ops.concatenate(values, axis=-1)

    def log_prob(self, parameters, elements):
        logits = self.conditional_logits(parameters, elements)
        return ops.sum(bernoulli_log_prob(logits, elements), axis=-1)

    def loss(self, parameters, elements):
        if not self.probability_floor:
            return -self.log_prob(parameters, elements)
        logits = self.conditional_logits(parameters, elements)
        yes = ops.log(ops.sigmoid(logits) + self.probability_floor)
        no = ops.log(ops.sigmoid(-logits) + self.probability_floor)
        return -ops.sum(elements * yes + (1.0 - elements) * no, axis=-1)

    def sample(self, parameters, noise, temperature=1.0):
        return self.choose(
            parameters, lambda i, logit: bernoulli_sample(logit, noise[..., i : i + 1], temperature)
        )

    def mode(self, parameters):
        """Each value's likelier choice after the choices before it; not always the joint mode."""
        return self.choose(parameters, lambda _, logit: bernoulli_mode(logit))

    def relax(self, parameters, noise, temperature=1.0):
        """Later values are conditioned on the relaxed values before them."""
        return self.choose(
            parameters, lambda i, logit: binary_concrete(logit, noise[..., i : i + 1], temperature)
        )

    def as_tfp(self, parameters):
        """tfd.Autoregressive over the D values."""
        tfd = require_tfp("as_tfp").distributions

        def given(elements):
            rows = parameters + ops.zeros_like(elements[..., :1])  # a sample has more dimensions
            logits = self.conditional_logits(rows, elements)
            return tfd.Independent(tfd.Bernoulli(logits=logits, dtype="float32"), 1)

        start = ops.zeros((*parameters.shape[:-1], self.size))
        return tfd.Autoregressive(given, sample0=start, num_steps=self.size)

    def get_config(self):
        return super().get_config() | {
            "size": self.size,
            "hidden": self.hidden,
            "probability_floor": self.probability_floor,
        }
