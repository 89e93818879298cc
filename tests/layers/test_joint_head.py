"""The joint head is its parts, one after the other; Magenta's multi-output decoder is one."""

import keras
import numpy as np
import pytest
from keras import ops

from latentgen.errors import InputError
from latentgen.layers.bernoulli import BernoulliHead
from latentgen.layers.decoder import Decoder
from latentgen.layers.groove_head import GrooveHead
from latentgen.layers.heads import CategoricalHead
from latentgen.layers.joint_head import JointHead
from latentgen.layers.mixture_density import MixtureDensityHead
from latentgen.layers.nade import NadeHead
from tests.layers.test_bernoulli import check_compiled, round_trip, slope_of
from tests.layers.test_decoder import weight_gradients
from tests.layers.test_heads import on_tensorflow, random, uniform
from tests.shared import shared_path
from tests.tiny import UNITS, randomise, strokes

B = 6


def trio(shared: bool = True, **options) -> JointHead:
    """Five symbols, four yes/no values that depend on one another, three of which 0 ends all."""
    parts = [
        CategoricalHead(UNITS, 5, name="melody"),
        NadeHead(UNITS, 4, 6, name="drums"),
        CategoricalHead(UNITS, 3, end_class=0, name="chords"),
    ]
    head = JointHead(parts, shared, **options)
    head.build()
    return randomise(head)


def trio_rows(seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    melody = np.eye(5)[generator.integers(0, 5, B)]
    chords = np.eye(3)[np.arange(B) % 3]
    return np.concatenate([melody, generator.integers(0, 2, (B, 4)), chords], -1).astype("float32")


@pytest.mark.parametrize("shared", [True, False])
def test_each_part_reads_its_features_and_writes_its_columns(shared):
    head = trio(shared)
    assert (head.element_size, head.parameter_size, head.noise_size) == (12, 5 + 10 + 3, 6)
    assert head.feature_size == (UNITS if shared else 3 * UNITS)
    features = random(B, head.feature_size)
    slices = [features] * 3 if shared else np.split(features, 3, axis=-1)
    expected = [np.array(h(f)) for h, f in zip(head.heads, slices, strict=True)]
    np.testing.assert_allclose(
        np.array(head(features)), np.concatenate(expected, -1), rtol=1e-5, atol=1e-6
    )


def test_log_prob_and_loss_are_the_sums_of_the_parts():
    head, parameters, rows = trio(), random(B, 18), trio_rows()
    p, x = np.split(parameters, [5, 15], -1), np.split(rows, [5, 9], -1)
    logs = [np.array(h.log_prob(a, b)) for h, a, b in zip(head.heads, p, x, strict=True)]
    losses = [np.array(h.loss(a, b)) for h, a, b in zip(head.heads, p, x, strict=True)]
    np.testing.assert_allclose(
        np.array(head.part_log_probs(parameters, rows)), np.stack(logs, -1), rtol=1e-5
    )
    np.testing.assert_allclose(np.array(head.log_prob(parameters, rows)), sum(logs), rtol=1e-5)
    np.testing.assert_allclose(np.array(head.loss(parameters, rows)), sum(losses), rtol=1e-5)
    assert (np.abs(sum(losses) + sum(logs)) > 1e-7).any()  # NADE's loss is not its log_prob


def test_samples_modes_and_relaxations_are_the_parts():
    head, parameters, noise = trio(), random(B, 18), uniform(B, 6)
    p, u = np.split(parameters, [5, 15], -1), np.split(noise, [1, 5], -1)
    drawn = [np.array(h.sample(a, b, 0.7)) for h, a, b in zip(head.heads, p, u, strict=True)]
    np.testing.assert_array_equal(
        np.array(head.sample(parameters, noise, 0.7)), np.concatenate(drawn, -1)
    )
    modes = [np.array(h.mode(a)) for h, a in zip(head.heads, p, strict=True)]
    np.testing.assert_array_equal(np.array(head.mode(parameters)), np.concatenate(modes, -1))
    noises = [uniform(B, n) for n in (5, 4, 3)]  # a categorical relaxes with one uniform a class
    soft = [np.array(h.relax(a, b, 0.5)) for h, a, b in zip(head.heads, p, noises, strict=True)]
    np.testing.assert_allclose(
        np.array(head.relax(parameters, np.concatenate(noises, -1), 0.5)),
        np.concatenate(soft, -1),
        rtol=1e-5,
    )


def test_a_sequence_has_ended_where_a_part_has():
    head, rows = trio(), trio_rows()
    np.testing.assert_array_equal(np.array(head.ended(rows)), rows[:, 9] == 1)
    assert not np.array(head.ended(rows)).all()
    np.testing.assert_array_equal(np.array(head.end(2)), [[0] * 9 + [1, 0, 0]] * 2)
    drawing = JointHead([MixtureDensityHead(UNITS, 2), BernoulliHead(UNITS, 2)])
    np.testing.assert_array_equal(np.array(drawing.start(1)), [[0, 0, 1, 0, 0, 0, 0]])
    np.testing.assert_array_equal(np.array(drawing.end(1)), [[0, 0, 0, 0, 1, 0, 0]])


@on_tensorflow
def test_log_prob_is_that_of_tensorflow_probability():
    head, parameters, rows = trio(), random(B, 18), trio_rows()
    ours, theirs = head.log_prob(parameters, rows), head.as_tfp(parameters).log_prob(rows)
    np.testing.assert_allclose(np.array(ours), theirs.numpy(), rtol=1e-5)


def test_saturated_parameters_give_finite_losses_and_gradients():
    head, parameters, rows = trio(), random(B, 18, scale=1e4), trio_rows()
    assert np.isfinite(np.array(head.loss(parameters, rows))).all()
    assert np.isfinite(slope_of(lambda p: head.loss(p, rows), parameters)).all()


@pytest.mark.parametrize("shared", [True, False])
def test_gradients_reach_every_weight_and_no_other_parts_features(shared):
    head, rows = trio(shared), trio_rows()
    features = random(B, head.feature_size)
    slopes = weight_gradients(head, lambda: ops.sum(head.loss(head(features), rows)))
    for variable, slope in zip(head.trainable_variables, slopes, strict=True):
        assert np.isfinite(slope).all(), variable.path
        assert np.abs(slope).max() > 0, variable.path
    slope = slope_of(lambda f: head.part_losses(head(f), rows)[:, 1], features)
    reached = np.abs(slope).max(axis=0) > 0
    expected = np.repeat([False, True, False], UNITS) if not shared else [True] * UNITS
    np.testing.assert_array_equal(reached, expected)


def test_shared_features_of_two_sizes_are_refused():
    parts = [CategoricalHead(UNITS, 5), CategoricalHead(UNITS + 1, 5)]
    with pytest.raises(InputError, match="heads: expected one feature_size"):
        JointHead(parts)
    assert JointHead(parts, shared=False).feature_size == 2 * UNITS + 1


@pytest.mark.parametrize("shared", [True, False])
def test_it_compiles(shared):
    head = trio(shared)
    check_compiled(head, random(B, 18), trio_rows())


def test_it_is_saved_and_loaded(tmp_path):
    first = trio()
    loaded = round_trip(first, tmp_path)
    assert [type(h) for h in loaded.heads] == [type(h) for h in first.heads]
    assert loaded.heads[2].end_class == 0
    features, rows = random(B, UNITS), trio_rows()
    ours, theirs = (np.array(h.log_prob(h(features), rows)) for h in (first, loaded))
    np.testing.assert_array_equal(ours, theirs)


def test_a_part_may_be_a_mixture_or_a_groove():
    head = JointHead([MixtureDensityHead(UNITS, 2), GrooveHead(UNITS, 2)])
    head.build()
    rows = np.concatenate([strokes()["sequence"], uniform(3, 6, 6)], -1)
    parameters = head(random(3, 6, UNITS))
    assert head.log_prob(parameters, rows).shape == (3, 6)
    assert head.sample(parameters, uniform(3, 6, head.noise_size)).shape == rows.shape


# Against Magenta


class MagentaCase:
    """Recorded arrays and variables of one of Magenta's music models."""

    def __init__(self, case: str):
        if keras.backend.backend() != "tensorflow":
            pytest.skip("TensorFlow reads TF1 checkpoints")
        import tensorflow as tf

        folder = shared_path(f"fixtures/magenta/{case}")
        reader = tf.train.load_checkpoint(str(folder / "model.ckpt-0"))
        self.variable = reader.get_tensor
        with np.load(folder / "fixture.npz", allow_pickle=False) as recorded:
            self.recorded = {name: recorded[name] for name in recorded.files}

    def assign_stack(self, stack, scope: str) -> None:
        """LSTM kernels: rows of the element, of z, then of h."""
        for k, cell in enumerate(stack.cells):
            kernel = self.variable(f"{scope}/cell_{k}/lstm_cell/kernel")
            parts = np.split(kernel, np.cumsum([cell.input_size, cell.context_size]))
            cell.kernel.assign(parts[0])
            if cell.context_size:
                cell.context_kernel.assign(parts[1])
            cell.recurrent_kernel.assign(parts[2])
            cell.bias.assign(self.variable(f"{scope}/cell_{k}/lstm_cell/bias"))

    def dense(self, scope: str) -> list[np.ndarray]:
        return [self.variable(f"{scope}/{part}") for part in ("kernel", "bias")]

    def initial_state(self, scope: str) -> list[np.ndarray]:
        """Two layers' c, h in ours' order: h, c."""
        swapped = []
        for weights in self.dense(scope):
            c0, h0, c1, h1 = np.split(weights, 4, axis=-1)
            swapped.append(np.concatenate([h0, c0, h1, c1], axis=-1))
        return swapped

    def decoder(self, head) -> Decoder:
        """A flat decoder with the case's weights, but for its head's."""
        decoder = Decoder(head, [32, 32], 16)
        decoder.build()
        self.assign_stack(decoder.cell, "decoder/multi_rnn_cell")
        decoder.initial_state_layer.set_weights(self.initial_state("decoder/z_to_initial_state"))
        return decoder

    def check_losses(self, head, parameters) -> None:
        """Of the recorded logits, and of ours where they are valid: nats an example."""
        targets, lengths = self.recorded["targets"], self.recorded["lengths"]
        valid = np.arange(targets.shape[1]) < lengths[:, None]
        theirs = self.recorded["logits_teacher_forced"]
        np.testing.assert_allclose(np.array(parameters)[valid], theirs[valid], atol=1e-5)
        for given in (parameters, theirs):
            nats = (np.array(head.loss(given, targets)) * valid).sum(-1)
            np.testing.assert_allclose(nats, self.recorded["r_loss_per_example"], rtol=1e-5)

    def check_greedy(self, decoder) -> None:
        z, expected = self.recorded["z_fixed"], self.recorded["decode_T1e-6"]
        noise = uniform(*expected.shape[:2], decoder.head.noise_size)
        drawn = np.array(decoder.generate(z, noise, 1e-6))
        np.testing.assert_allclose(drawn, expected, atol=1e-5)


@pytest.mark.shared
def test_magentas_multi_output_decoder_is_a_joint_head():
    case = MagentaCase("music_flat_multiout")
    head = JointHead([CategoricalHead(32, n, name=f"part_{n}") for n in (5, 4, 6)])
    decoder = case.decoder(head)
    kernel, bias = case.dense("decoder/output_projection")
    columns = np.cumsum([5, 4])
    for part, w, b in zip(
        head.heads, np.split(kernel, columns, 1), np.split(bias, columns), strict=True
    ):
        part.projection.set_weights([w, b])
    z, targets = case.recorded["z_fixed"], case.recorded["targets"]
    case.check_losses(head, decoder.teacher_forced(z, targets).parameters)
    case.check_greedy(decoder)
