"""The judge: pictures of drawings, training, saving, and what it refuses."""

import keras
import numpy as np
import pytest

from latentgen.errors import CheckpointError, InputError
from latentgen.sketch import SketchClassifier, from_lines, rasterise

ACROSS = from_lines([np.array([[0, 0], [100, 0]])])
DOWN = from_lines([np.array([[0, 0], [0, 100]])])


def test_a_drawing_is_fitted_to_the_square():
    across, shifted, larger = rasterise(
        [ACROSS, np.add(ACROSS, [[7, 9, 0], [0, 0, 0]]), ACROSS * [9, 9, 1]]
    )
    np.testing.assert_array_equal(across, shifted)
    np.testing.assert_array_equal(across, larger)
    assert across.shape == (32, 32)
    assert across.max() <= 1.0
    ink = np.argwhere(across > 0.3)
    assert np.ptp(ink[:, 0]) <= 2
    assert np.ptp(ink[:, 1]) >= 25
    np.testing.assert_allclose(rasterise([DOWN])[0], across.T, atol=0.3)


def test_nothing_and_a_dot():
    blank, dot = rasterise([np.zeros((0, 3), "float32"), np.array([[5, 5, 1]], "float32")])
    assert blank.sum() == 0
    assert np.isfinite(dot).all()


def test_it_learns_what_can_be_seen_and_is_saved_whole(tmp_path):
    random = np.random.default_rng(0)
    lines = [np.cumsum(random.normal([3, 0], 0.5, (8, 2)), axis=0) for _ in range(24)]
    drawings = [from_lines([line if k % 2 else line[:, ::-1]]) for k, line in enumerate(lines)]
    names = ["across" if k % 2 else "down" for k in range(24)]
    keras.utils.set_random_seed(0)
    judge = SketchClassifier(["down", "across"], size=16, channels=(4, 8, 8))
    judge.fit_drawings(drawings, names, epochs=25, verbose=0)
    probabilities = judge.probabilities([ACROSS, DOWN])
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    assert judge.is_a("across", [ACROSS, DOWN]).tolist() == [True, False]

    judge.save_preset(tmp_path / "judge", "# Judge\n")
    again = SketchClassifier.from_preset(tmp_path / "judge")
    np.testing.assert_allclose(again.probabilities([ACROSS, DOWN]), probabilities, atol=5e-3)
    judge.save(tmp_path / "judge.keras")
    exact = keras.models.load_model(tmp_path / "judge.keras")
    np.testing.assert_allclose(exact.probabilities([ACROSS, DOWN]), probabilities, atol=1e-6)


def test_what_it_refuses(tmp_path):
    with pytest.raises(InputError, match="two or more"):
        SketchClassifier(["cat"])
    with pytest.raises(InputError, match="multiple of 8"):
        SketchClassifier(["cat", "dog"], size=30)
    judge = SketchClassifier(["cat", "dog"], size=16, channels=(2, 2, 2))
    with pytest.raises(InputError, match="expected one of"):
        judge.is_a("horse", [ACROSS])
    judge.save_preset(tmp_path / "judge")
    from latentgen.sketch import SketchVAE

    with pytest.raises(CheckpointError, match="preset of SketchVAE"):
        SketchVAE.from_preset(tmp_path / "judge")
