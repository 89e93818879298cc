"""Token head: one of a large vocabulary a step, as its number rather than as a one-hot."""

import keras
from keras import ops

from latentgen.layers.heads import SymbolHead, require_tfp


@keras.saving.register_keras_serializable("latentgen")
class TokenHead(SymbolHead):
    """One of V tokens a step; an element is the token's id in one column: words, subwords.

    Ids are float32, as a recurrent layer makes every state a float: exact up to 2²⁴. A decoder
    reads a token as its row of an embedding table (V, E), and a relaxed token (V,) as the rows'
    mean under it. The same table gives the logits (Press & Wolf 2017, arXiv 1608.05859):

        p = W features + b (E,),  logits = table · p + c (V,)

    Args:
        vocabulary_size: V.
        embedding_size: E.
        tied: whether the logits are made of the table; else of a matrix (feature_size, V).
        end_id: the token that closes a sequence, or None where nothing does.
        start_id: the token fed at the first step.
    """

    element_size = 1

    def __init__(
        self,
        feature_size: int,
        vocabulary_size: int,
        embedding_size: int,
        tied: bool = True,
        end_id: int | None = 0,
        start_id: int = 1,
        **kwargs,
    ):
        super().__init__(feature_size, **kwargs)
        self.vocabulary_size = self.parameter_size = vocabulary_size
        self.embedding_size = embedding_size
        self.tied = tied
        self.end_id = end_id
        self.start_id = start_id

    @property
    def input_size(self):
        return self.embedding_size

    def build(self, input_shape=None):
        self.table = self.add_weight(
            shape=(self.vocabulary_size, self.embedding_size),
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="table",
        )
        outputs = self.embedding_size if self.tied else self.vocabulary_size
        self.projection = keras.layers.Dense(outputs, name="projection")
        self.projection.build((None, self.feature_size))
        if self.tied:
            self.bias = self.add_weight(
                shape=(self.vocabulary_size,), initializer="zeros", name="bias"
            )
        self.built = True

    def call(self, features):
        projected = self.projection(features)
        if not self.tied:
            return projected
        return ops.matmul(projected, ops.transpose(self.table)) + self.bias

    def embed(self, elements):
        """Ids (…, 1), or relaxed tokens (…, V) → (…, E)."""
        if elements.shape[-1] == 1:
            return ops.take(self.table, self.id_of(elements), axis=0)
        return ops.matmul(elements, self.table)

    def element_of(self, ids):
        return ops.cast(ids, "float32")[..., None]

    def id_of(self, elements):
        return ops.cast(elements[..., 0], "int32")

    def start(self, batch):
        return ops.full((batch, 1), float(self.start_id))

    def ended(self, elements):
        if self.end_id is None:
            return super().ended(elements)
        return ops.equal(self.id_of(elements), self.end_id)

    def end(self, batch):
        return ops.full((batch, 1), float(self.end_id or 0))

    def log_prob(self, parameters, elements):
        return -ops.sparse_categorical_crossentropy(
            self.id_of(elements), parameters, from_logits=True
        )

    def as_tfp(self, parameters):
        tfd = require_tfp("as_tfp").distributions
        categorical = tfd.Categorical(logits=parameters[..., None, :], dtype="float32")
        return tfd.Independent(categorical, 1)  # the element's one column is no batch

    def get_config(self):
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "embedding_size": self.embedding_size,
            "tied": self.tied,
            "end_id": self.end_id,
            "start_id": self.start_id,
        }
