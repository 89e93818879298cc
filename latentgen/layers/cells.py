"""Recurrent cells: LSTM, layer-norm LSTM and HyperLSTM.

A cell sees one step of its input, its states and, where `context_size` is given, a context that
stays the same over time (the latent vector z). The context's part of the gates is computed once a
sequence by `project_context`, not once a step: its results travel behind the cell's own states.

Recurrent dropout acts on the candidate only, so that it costs no memory (Semeniuta et al. 2016,
arXiv 1603.05118), with a fresh mask at each step. Masks are drawn before the loop and come glued to
the input (see `cell_stacks.with_dropout_masks`): a compiled loop has no random generator.
"""

import keras
from keras import ops

from latentgen.errors import InputError


class OrthogonalGates(keras.initializers.Initializer):
    """One orthogonal matrix a gate, side by side: shape (rows, gates·rows)."""

    def __call__(self, shape, dtype=None):
        rows, columns = shape
        gates = [
            keras.initializers.Orthogonal()((rows, rows), dtype) for _ in range(columns // rows)
        ]
        return ops.concatenate(gates, axis=1)

    def get_config(self):
        return {}


class RecurrentCell(keras.layers.Layer):
    """What the three cells share: sizes, context, and the LSTM's own update.

    Args:
        units: size n of the hidden state.
        input_size: size of one step's input (without the context).
        context_size: size of the context that is the same at every step; 0 for none.
        recurrent_dropout: share of the candidate's entries dropped in training.
        forget_bias: added to the forget gate before the sigmoid.
    """

    def __init__(
        self,
        units: int,
        input_size: int,
        context_size: int = 0,
        recurrent_dropout: float = 0.0,
        forget_bias: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.input_size = input_size
        self.context_size = context_size
        self.recurrent_dropout = recurrent_dropout
        self.forget_bias = forget_bias
        self.state_size = [units, units]
        self.dropout_size = units
        self.output_size = units

    def add_gates(self, prefix: str, units: int, input_size: int, bias: bool):
        """Weights of four gates i, j, f, o: (input, 4n), (n, 4n), (context, 4n), (4n,)."""
        weights = [
            self.add_weight(
                shape=(input_size, 4 * units), initializer="glorot_uniform", name=f"{prefix}kernel"
            ),
            self.add_weight(
                shape=(units, 4 * units),
                initializer=OrthogonalGates(),
                name=f"{prefix}recurrent_kernel",
            ),
            self.add_weight(
                shape=(self.context_size, 4 * units),
                initializer="glorot_uniform",
                name=f"{prefix}context_kernel",
            )
            if self.context_size
            else None,
            self.add_weight(shape=(4 * units,), initializer="zeros", name=f"{prefix}bias")
            if bias
            else None,
        ]
        return weights

    def build(self, input_shape=None):
        self.kernel, self.recurrent_kernel, self.context_kernel, self.bias = self.add_gates(
            "", self.units, self.input_size, bias=True
        )
        self.built = True

    def project_context(self, context) -> list:
        """The context's part of the gates, (B, context) → [(B, 4n)]; empty without a context."""
        return [ops.matmul(context, self.context_kernel)] if self.context_size else []

    def call(self, inputs, states, training=False):
        """One step: inputs (B, D) or (B, D + dropout_size), states → h (B, n), new states."""
        own, context = list(states[: len(self.state_size)]), list(states[len(self.state_size) :])
        mask = None
        if inputs.shape[-1] != self.input_size:
            inputs, mask = inputs[:, : self.input_size], inputs[:, self.input_size :]
        h, own = self.step(inputs, own, context, mask)
        return h, own + context

    def step(self, x, states, context, mask):
        h, c = states
        gates = ops.matmul(x, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        if context:
            gates = gates + context[0]
        i, j, f, o = ops.split(gates, 4, axis=-1)
        c = self.new_memory(c, i, j, f, mask)
        h = ops.tanh(c) * ops.sigmoid(o)
        return h, [h, c]

    def new_memory(self, c, i, j, f, mask):
        candidate = ops.tanh(j)
        if mask is not None:
            candidate = candidate * mask
        return c * ops.sigmoid(f + self.forget_bias) + ops.sigmoid(i) * candidate

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "input_size": self.input_size,
            "context_size": self.context_size,
            "recurrent_dropout": self.recurrent_dropout,
            "forget_bias": self.forget_bias,
        }


@keras.saving.register_keras_serializable("latentgen")
class LSTMCell(RecurrentCell):
    """LSTM with gates in the order i, j, f, o (Hochreiter & Schmidhuber 1997; Magenta's rnn.py)."""


class _BlockNorm(keras.layers.Layer):
    """Layer normalisation of `blocks` blocks of n entries, each by its own mean and variance.

    One scale and shift an entry, (blocks·n,); ε = 1e-3 inside the square root, biased variance.
    """

    def __init__(self, units: int, blocks: int, epsilon: float = 1e-3, **kwargs):
        super().__init__(**kwargs)
        self.units, self.blocks, self.epsilon = units, blocks, epsilon

    def build(self, input_shape=None):
        size = self.units * self.blocks
        self.gamma = self.add_weight(shape=(size,), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(size,), initializer="zeros", name="beta")
        self.built = True

    def call(self, x):
        blocks = ops.reshape(x, (-1, self.blocks, self.units))
        centred = blocks - ops.mean(blocks, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        normal = centred * ops.rsqrt(variance + self.epsilon)
        return ops.reshape(normal, (-1, self.blocks * self.units)) * self.gamma + self.beta


@keras.saving.register_keras_serializable("latentgen")
class LayerNormLSTMCell(RecurrentCell):
    """LSTM with layer normalisation of each gate and of the memory (Ba et al. 2016).

    Without bias, as in Magenta's rnn.py; best below some ten thousand examples (Magenta's README).
    """

    def build(self, input_shape=None):
        self.kernel, self.recurrent_kernel, self.context_kernel, _ = self.add_gates(
            "", self.units, self.input_size, bias=False
        )
        self.gate_norm = _BlockNorm(self.units, 4, name="gate_norm")
        self.memory_norm = _BlockNorm(self.units, 1, name="memory_norm")
        self.gate_norm.build()
        self.memory_norm.build()
        self.built = True

    def step(self, x, states, context, mask):
        h, c = states
        gates = ops.matmul(x, self.kernel) + ops.matmul(h, self.recurrent_kernel)
        if context:
            gates = gates + context[0]
        i, j, f, o = ops.split(self.gate_norm(gates), 4, axis=-1)
        c = self.new_memory(c, i, j, f, mask)
        h = ops.tanh(self.memory_norm(c)) * ops.sigmoid(o)
        return h, [h, c]


@keras.saving.register_keras_serializable("latentgen")
class HyperLSTMCell(RecurrentCell):
    """LSTM whose weights are rescaled at each step by a smaller LSTM (Ha et al. 2016, §3.2).

    States: [h, c, hyper h, hyper c]. The small cell is a layer-norm LSTM that reads (x, h).

    Args:
        hyper_units: size m of the small cell; hyper_embedding: size E of its embeddings.
    """

    def __init__(
        self, units: int, *args, hyper_units: int = 256, hyper_embedding: int = 32, **kwargs
    ):
        super().__init__(units, *args, **kwargs)
        self.hyper_units = hyper_units
        self.hyper_embedding = hyper_embedding
        self.state_size = [units, units, hyper_units, hyper_units]
        self.dropout_size = units + hyper_units

    def build(self, input_shape=None):
        n, m, e = self.units, self.hyper_units, self.hyper_embedding
        self.kernel, self.recurrent_kernel, self.context_kernel, self.bias = self.add_gates(
            "", n, self.input_size, bias=True
        )
        self.hyper_cell = LayerNormLSTMCell(
            m,
            self.input_size + n,
            self.context_size,
            forget_bias=self.forget_bias,
            name="hyper_cell",
        )
        self.hyper_cell.build()
        # Eight scales: gates i, j, f, o of the input, then of the state; four shifts: the state's.
        # They start so that every scale is 0.1 and every shift 0 (Cooijmans et al. 2016).
        constant, normal = keras.initializers.Constant, keras.initializers.RandomNormal
        self.scale_embedding = self.add_weight(
            shape=(m, 8 * e), initializer="zeros", name="scale_embedding"
        )
        self.scale_bias = self.add_weight(shape=(8 * e,), initializer="ones", name="scale_bias")
        self.scale_kernel = self.add_weight(
            shape=(8, e, n), initializer=constant(0.1 / e), name="scale_kernel"
        )
        self.shift_embedding = self.add_weight(
            shape=(m, 4 * e), initializer=normal(stddev=0.01), name="shift_embedding"
        )
        self.shift_kernel = self.add_weight(
            shape=(4, e, n), initializer="zeros", name="shift_kernel"
        )
        self.gate_norm = _BlockNorm(n, 4, name="gate_norm")
        self.memory_norm = _BlockNorm(n, 1, name="memory_norm")
        self.gate_norm.build()
        self.memory_norm.build()
        self.built = True

    def project_context(self, context) -> list:
        return super().project_context(context) + self.hyper_cell.project_context(context)

    def step(self, x, states, context, mask):
        h, c, hyper_h, hyper_c = states
        hyper_mask = None
        if mask is not None:
            mask, hyper_mask = mask[:, : self.units], mask[:, self.units :]
        hyper_h, (_, hyper_c) = self.hyper_cell.step(
            ops.concatenate([x, h], axis=-1), [hyper_h, hyper_c], context[1:], hyper_mask
        )
        scales = self._per_gate(
            ops.matmul(hyper_h, self.scale_embedding) + self.scale_bias, self.scale_kernel
        )  # (B, 8n)
        shifts = self._per_gate(ops.matmul(hyper_h, self.shift_embedding), self.shift_kernel)
        from_input = ops.matmul(x, self.kernel)
        if context:
            from_input = from_input + context[0]
        from_state = ops.matmul(h, self.recurrent_kernel)
        gates = scales * ops.concatenate([from_input, from_state], axis=-1)
        gates = gates[:, : 4 * self.units] + gates[:, 4 * self.units :] + shifts + self.bias
        i, j, f, o = ops.split(self.gate_norm(gates), 4, axis=-1)
        c = self.new_memory(c, i, j, f, mask)
        h = ops.tanh(self.memory_norm(c)) * ops.sigmoid(o)
        return h, [h, c, hyper_h, hyper_c]

    def _per_gate(self, embeddings, kernel):
        """(B, G·E) and (G, E, n) → (B, G·n), each gate's embedding by its own matrix."""
        gates = kernel.shape[0]
        embeddings = ops.reshape(embeddings, (-1, gates, self.hyper_embedding))
        return ops.reshape(ops.einsum("bge,gen->bgn", embeddings, kernel), (-1, gates * self.units))

    def get_config(self):
        return super().get_config() | {
            "hyper_units": self.hyper_units,
            "hyper_embedding": self.hyper_embedding,
        }


CELLS = {"lstm": LSTMCell, "layer_norm": LayerNormLSTMCell, "hyper": HyperLSTMCell}
"""The cells by the names that Sketch-RNN's `dec_model` and `enc_model` give them."""


def cell_class(name: str) -> type[RecurrentCell]:
    """The class of a cell by its name; InputError for a name that is none."""
    if name not in CELLS:
        raise InputError(f"cell: expected one of {list(CELLS)}, received {name!r}")
    return CELLS[name]
