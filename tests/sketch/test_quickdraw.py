"""QuickDraw files: read, written, chosen by category, split for ever."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentgen.errors import FileError, InputError
from latentgen.sketch.quickdraw import (
    Sketch,
    load_quickdraw_folder,
    read_ndjson,
    write_ndjson,
)
from latentgen.sketch.strokes import from_lines, to_lines
from tests.shared import shared_path


def line(word: str = "cat", key: str = "1", recognized: bool = True, drawing: object = None) -> str:
    drawing = [[[10, 12], [20, 25]], [[1], [2]]] if drawing is None else drawing
    record = {"word": word, "key_id": key, "recognized": recognized, "drawing": drawing}
    return json.dumps(record) + "\n"


def test_simplified_lines_become_strokes(tmp_path: Path):
    path = tmp_path / "cat.ndjson"
    path.write_text(line(key="7", recognized=False))
    (sketch,) = read_ndjson(path)
    assert sketch.drawing.tolist() == [[10, 20, 0], [2, 5, 1], [-11, -23, 1]]
    assert sketch.drawing.dtype == np.float32
    assert (sketch.category, sketch.key_id, sketch.recognized) == ("cat", "7", False)


def test_raw_lines_have_times_and_fractions(tmp_path: Path):
    path = tmp_path / "cat.ndjson"
    path.write_text(line(drawing=[[[0.5, 1.25], [3, 4], [0, 112]]]))
    (sketch,) = read_ndjson(path)
    assert sketch.drawing.tolist() == [[0.5, 3, 0], [0.75, 1, 1]]


def test_what_is_written_is_read_again(tmp_path: Path):
    path = tmp_path / "a.ndjson"
    sketches = [
        Sketch(from_lines([[[0, 255], [3, 4]], [[9, 9]]]), "sæl", "12", False),
        Sketch(from_lines([[[0.125, -2.5], [1e5, 3]]]), "cat", "13"),
    ]
    write_ndjson(path, sketches)
    for got, expected in zip(read_ndjson(path), sketches, strict=True):
        np.testing.assert_array_equal(got.drawing, expected.drawing)
        assert got[1:] == expected[1:]
    assert '"drawing":[[[0,3],[255,4]],[[9],[9]]]' in path.read_text(encoding="utf-8")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "a.ndjson"
    write_ndjson(path, [[[1, 1, 1]]], category="dot")
    before = path.read_bytes()
    with pytest.raises(InputError, match="drawing 1: expected at least one point"):
        write_ndjson(path, [[[1, 1, 1]], np.zeros((0, 3))])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cat.ndjson").write_text(line(key="1") + line(key="2", recognized=False))
    (tmp_path / "ice_cream.ndjson").write_text(line("ice cream", "3") + line("ice cream", "4"))
    (tmp_path / "readme.txt").write_text("no drawing")
    return tmp_path


def test_folder_by_category(folder: Path):
    def keys(**arguments: Any) -> list[str]:
        return [s.key_id for s in load_quickdraw_folder(folder, **arguments)]

    assert keys() == ["1", "3", "4"]
    assert keys(recognized_only=False) == ["1", "2", "3", "4"]
    assert keys(categories=["ice_cream", "cat"]) == ["3", "4", "1"]
    assert keys(categories=["ice cream"], limit=1) == ["3"]
    with pytest.raises(InputError, match=r"received 'dog'; there are 2, such as cat, ice cream"):
        keys(categories=["dog"])


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("{", "expected a JSON object"),
        ("\n", "expected a JSON object"),
        ("[1]\n", "expected a JSON object, received a list"),
        ("[" * 100_000, "expected a JSON object"),
        ('{"word":"cat","key_id":"2","recognized":true}\n', "expected the field 'drawing'"),
        (line(drawing=[]), "expected at least one stroke"),
        (line(drawing=[[[1, 2], [3]]]), "stroke 0: expected .xs, ys. of equal length"),
        (line(drawing=[[[], []]]), "at least one point"),
        (line(drawing=[[[1], ["x"]]]), "expected numbers"),
        (line(drawing=[[[1], [float("nan")]]]), "expected finite numbers"),
        (line(drawing=[[[1], [10**30]]]), "expected"),
        (line(drawing=[[[1], [10**400]]]), "expected"),
        (line(key=5), "field 'key_id': expected a str, received 5"),  # type: ignore[arg-type]
    ],
)
def test_a_damaged_line_is_one_error_with_file_and_line(tmp_path: Path, second: str, message: str):
    path = tmp_path / "cat.ndjson"
    path.write_text(line() + second)
    with pytest.raises(FileError, match=f"cat.ndjson: line 2: .*{message}") as caught:
        list(read_ndjson(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_real_files():
    sketches = load_quickdraw_folder(
        shared_path("data/sketches/quickdraw"), categories=["cat", "The Eiffel Tower"]
    )
    assert {sketch.category for sketch in sketches} == {"cat", "The Eiffel Tower"}
    assert all(sketch.recognized for sketch in sketches)
    for sketch in sketches[:20]:
        points = np.concatenate(to_lines(sketch.drawing))
        assert points.min() == 0
        assert 250 <= points.max() <= 255  # simplification may drop the outermost point
