"""Cells put together: one above the other, as one cell."""

import keras


@keras.saving.register_keras_serializable("latentgen")
class CellStack(keras.layers.Layer):
    """Cells one above the other, as one cell; the context reaches the lowest one's gates."""

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        self.cells = list(cells)
        self.state_size = [size for cell in self.cells for size in cell.state_size]
        self.input_size = self.cells[0].input_size
        self.context_size = self.cells[0].context_size
        self.recurrent_dropout = self.cells[0].recurrent_dropout
        self.dropout_size = sum(cell.dropout_size for cell in self.cells)
        self.output_size = self.cells[-1].output_size

    def build(self, input_shape=None):
        for cell in self.cells:
            if not cell.built:  # one that was deserialised is
                cell.build()
        self.built = True

    def project_context(self, context) -> list:
        return self.cells[0].project_context(context)

    def call(self, inputs, states, training=False):
        """One step: inputs (B, D) or (B, D + dropout_size) → h (B, n), new states."""
        own, context = list(states[: len(self.state_size)]), list(states[len(self.state_size) :])
        x, masks = inputs[:, : self.input_size], inputs[:, self.input_size :]
        has_masks = inputs.shape[-1] != self.input_size
        new_states = []
        for index, cell in enumerate(self.cells):
            mask = None
            if has_masks:
                mask, masks = masks[:, : cell.dropout_size], masks[:, cell.dropout_size :]
            states, own = own[: len(cell.state_size)], own[len(cell.state_size) :]
            x, states = cell.step(x, states, context if index == 0 else [], mask)
            new_states += states
        return x, new_states + context

    def get_config(self):
        cells = [keras.saving.serialize_keras_object(cell) for cell in self.cells]
        return super().get_config() | {"cells": cells}

    @classmethod
    def from_config(cls, config):
        cells = [keras.saving.deserialize_keras_object(cell) for cell in config.pop("cells")]
        return cls(cells, **config)
