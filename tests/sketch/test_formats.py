"""One way in and one way out for every format."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentgen.sketch
from latentgen.errors import FileError, InputError
from latentgen.sketch.formats import read_drawings, write_drawings
from latentgen.sketch.strokes import from_lines, to_stroke5

DRAWINGS = [
    from_lines([[[0, 0], [10, 0], [10, 20]]]),
    from_lines([[[5, 5], [6, 9]], [[1, 1]]]),
    from_lines([[[3, 4]]]),
]


def same(got: list[np.ndarray], expected: list[np.ndarray]) -> None:
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == np.float32


@pytest.mark.parametrize("ending", [".ndjson", ".npz", ".NPZ"])
def test_data_sets_come_back(tmp_path: Path, ending: str):
    write_drawings(tmp_path / f"a{ending}", DRAWINGS)
    same(read_drawings(tmp_path / f"a{ending}"), DRAWINGS)


@pytest.mark.parametrize("ending", [".ndjson", ".npz", ".svg"])
def test_one_drawing_alone(tmp_path: Path, ending: str):
    write_drawings(str(tmp_path / f"a{ending}"), DRAWINGS[1])
    same(read_drawings(str(tmp_path / f"a{ending}")), DRAWINGS[1:2])


@pytest.mark.parametrize(("ending", "kind"), [(".png", "PNG"), (".gif", "GIF"), (".svg", None)])
def test_pictures(tmp_path: Path, ending: str, kind: str | None):
    path = tmp_path / "new" / f"a{ending}"
    write_drawings(path, DRAWINGS)
    if kind is None:
        assert len(read_drawings(path)) == 1
    else:
        with Image.open(path) as image:
            assert image.format == kind


def test_arrays(tmp_path: Path):
    def saved(array: np.ndarray) -> list[np.ndarray]:
        np.save(tmp_path / "a.npy", array)
        return read_drawings(tmp_path / "a.npy")

    same(saved(DRAWINGS[0]), DRAWINGS[:1])
    same(saved(np.asfortranarray(DRAWINGS[0].astype(np.int64))), DRAWINGS[:1])
    same(saved(np.stack(DRAWINGS[:1] * 3)), DRAWINGS[:1] * 3)
    same(saved(to_stroke5(DRAWINGS[0])), DRAWINGS[:1])
    same(saved(np.stack([to_stroke5(d, max_len=7) for d in DRAWINGS])), DRAWINGS)
    objects = np.empty(3, dtype=object)
    objects[:] = DRAWINGS
    same(saved(objects), DRAWINGS)


def test_a_folder_in_the_order_of_names(tmp_path: Path):
    write_drawings(tmp_path / "c.npz", DRAWINGS[2:])
    write_drawings(tmp_path / "a.svg", DRAWINGS[0])
    write_drawings(tmp_path / "b.ndjson", DRAWINGS[1:2])
    (tmp_path / "README.md").write_text("no drawing")
    (tmp_path / "folder.svg").mkdir()
    same(read_drawings(tmp_path), DRAWINGS)


def test_unknown_endings_name_the_known_ones(tmp_path: Path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    with pytest.raises(FileError, match=r"a.jpg: expected one of .ndjson, .npy, .npz, .svg, rec"):
        read_drawings(tmp_path / "a.jpg")
    for name in ("a.jpg", "a", "a.npy"):
        with pytest.raises(FileError, match=r"expected one of .gif, .ndjson, .npz, .png, .svg"):
            write_drawings(tmp_path / name, DRAWINGS)
    assert (tmp_path / "a.jpg").read_bytes() == b"x"


@pytest.mark.parametrize("ending", [".ndjson", ".npz", ".svg", ".png", ".gif"])
def test_what_stood_there_survives_a_bad_drawing(tmp_path: Path, ending: str):
    path = tmp_path / f"a{ending}"
    path.write_bytes(b"precious")
    for bad in ([], [DRAWINGS[0], [[np.nan, 0, 1]]], [DRAWINGS[0], [[0, 0, 2]]]):
        with pytest.raises(InputError):
            write_drawings(path, bad)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "a.svg").mkdir()
    (tmp_path / "file").write_bytes(b"precious")
    for path in (tmp_path / "a.svg", tmp_path / "file" / "a.svg"):
        with pytest.raises(FileError, match="expected a place to write to"):
            write_drawings(path, DRAWINGS)
    assert (tmp_path / "file").read_bytes() == b"precious"


def test_every_exported_name_exists():
    missing = object()
    light = [name for name, module in latentgen.sketch._EXPORTS.items() if "vae" not in module]
    assert len(light) > 30
    for name in light:
        assert getattr(latentgen.sketch, name, missing) is not missing
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = latentgen.sketch.nonsense


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        (
            "import latentgen.sketch",
            "keras tensorflow jax numpy scipy matplotlib shapely PIL svgelements",
        ),
        (
            "from latentgen.sketch import attributes, formats, strokes",
            "keras tensorflow jax scipy matplotlib shapely PIL svgelements tensorflow_datasets",
        ),
    ],
)
def test_importing_is_light(statement: str, heavy: str):
    code = f"import sys; {statement}; print(*set({heavy.split()}) & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == ""
