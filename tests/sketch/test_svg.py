"""SVG: every shape, transforms and references are read to the tolerance; ours come back exactly."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from latentgen.errors import FileError, InputError
from latentgen.sketch.strokes import bounds, from_lines, to_lines
from latentgen.sketch.svg import read_svg, write_svg
from tests.shared import shared_path


def read(folder: Path, content: str, head: str = "", attributes: str = "", **options: float):
    path = folder / "a.svg"
    xmlns = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    path.write_text(f"{head}<svg {xmlns} {attributes}>{content}</svg>")
    return to_lines(read_svg(path, **options))


def same(lines: list, expected: list) -> None:
    assert [len(line) for line in lines] == [len(line) for line in expected]
    for line, points in zip(lines, expected, strict=True):
        np.testing.assert_allclose(line, points, atol=1e-5)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('<line x1="1" y1="2" x2="3" y2="5"/>', [[[1, 2], [3, 5]]]),
        ('<polyline points="1,1 2,2 2,3"/>', [[[1, 1], [2, 2], [2, 3]]]),
        ('<polygon points="1,1 2,2 1,2"/>', [[[1, 1], [2, 2], [1, 2], [1, 1]]]),
        ('<rect x="1" y="2" width="3" height="4"/>', [[[1, 2], [4, 2], [4, 6], [1, 6], [1, 2]]]),
        ('<path d="M1 1h2v2zM5 5l1 0"/>', [[[1, 1], [3, 1], [3, 3], [1, 1]], [[5, 5], [6, 5]]]),
        ('<path d="M4 4h0M5 5z"/>', [[[4, 4]], [[5, 5]]]),
        (
            '<g transform="translate(10 20)"><g transform="scale(2)">'
            '<line x2="3" y2="1" transform="rotate(90)"/></g></g>',
            [[[10, 20], [8, 26]]],
        ),
        (
            '<defs><path id="p" d="M0 0L1 1"/></defs><use href="#p" x="5"/>'
            '<use xlink:href="#p" y="7"/>',
            [[[5, 0], [6, 1]], [[0, 7], [1, 8]]],
        ),
        (
            '<symbol id="s"><path d="M0 0L1 1"/></symbol><use href="#s" x="1"/>'
            '<mask><path d="M2 2L3 3"/></mask><clipPath><rect width="3" height="4"/></clipPath>',
            [[[1, 0], [2, 1]]],
        ),
        ('<g display="none"><path d="M0 0L9 9"/></g><path d="M0 0L1 1"/>', [[[0, 0], [1, 1]]]),
        ('<path d="M0 0A0 0 0 0 0 5 5"/>', [[[0, 0], [5, 5]]]),
    ],
)
def test_straight_shapes_and_transforms(tmp_path: Path, content: str, expected: list):
    same(read(tmp_path, content), expected)


@pytest.mark.parametrize(
    "content",
    [
        '<circle cx="50" cy="50" r="40"/>',
        '<ellipse cx="50" cy="50" rx="40" ry="40"/>',
        '<path d="M10 50A40 40 0 0 1 90 50A40 40 0 0 1 10 50"/>',
        '<g transform="translate(50 50) scale(4)"><circle r="10"/></g>',
    ],
)
@pytest.mark.parametrize("tolerance", [0.02, 0.001])
def test_curves_are_flattened_to_the_tolerance(tmp_path: Path, content: str, tolerance: float):
    (line,) = read(tmp_path, content, tolerance=tolerance)
    middles = (line[1:] + line[:-1]) / 2
    np.testing.assert_allclose(np.linalg.norm(line - 50, axis=1), 40, atol=1e-3)
    assert np.abs(np.linalg.norm(middles - 50, axis=1) - 40).max() <= tolerance * 80
    assert len(line) < (130 if tolerance == 0.001 else 40)
    np.testing.assert_allclose(line[0], line[-1], atol=1e-4)


def test_bezier_curves_pass_where_they_should(tmp_path: Path):
    (cubic,) = read(tmp_path, '<path d="M0 0C0 40 80 40 80 0"/>', tolerance=0.0005)
    assert np.abs(cubic - (40, 30)).sum(axis=1).min() < 0.1
    (quadratic,) = read(tmp_path, '<path d="M0 0Q40 40 80 0T160 0"/>', tolerance=0.0005)
    assert np.abs(quadratic - (40, 20)).sum(axis=1).min() < 0.1
    assert np.abs(quadratic - (120, -20)).sum(axis=1).min() < 0.1


def test_coordinates_are_the_users_whatever_the_page(tmp_path: Path):
    line = '<line x1="1" y1="2" x2="3" y2="5"/>'
    for attributes in ("", 'viewBox="-50 9 24 24" width="10mm"', 'width="0" height="0"'):
        same(read(tmp_path, line, attributes=attributes), [[[1, 2], [3, 5]]])


def test_a_public_doctype_is_no_entity(tmp_path: Path):
    head = (
        '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
        '"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    )
    same(read(tmp_path, '<line x2="1"/>', head), [[[0, 0], [1, 0]]])


def test_style_sheets_may_hide(tmp_path: Path):
    style = "<style>.gone{display:none}</style>"
    content = style + '<path class="gone" d="M0 0L9 9"/><path d="M0 0L1 1"/>'
    same(read(tmp_path, content), [[[0, 0], [1, 1]]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<use id="a" href="#a"/>', "refers to itself"),
        ('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>', "refers to itself"),
        (
            '<path id="a0" d="M0 0L1 1"/>'
            + "".join(
                f'<g id="a{i}">' + f'<use href="#a{i - 1}"/>' * 10 + "</g>" for i in range(1, 8)
            ),
            "more than 100000 elements",
        ),
        ("<g>" * 5000 + "</g>" * 5000, "nested more than 100 deep"),
        ('<path d="M0 0L1e999 5"/>', "expected finite numbers"),
        ('<path d="M0 0L1e9 5"/>', "expected positions and offsets within"),
        ('<path d="nonsense"/>', "without any path"),
        ('<circle r="x"/>', ""),
        ("<text>hello</text>", "without any path"),
    ],
)
def test_hostile_and_empty_documents(tmp_path: Path, text: str, message: str):
    with pytest.raises(FileError, match=f"a.svg: expected an SVG drawing.*{message}"):
        read(tmp_path, text)


def test_written_files_come_back_exactly(tmp_path: Path):
    drawing = from_lines([[[10, 20], [-3, 5.5], [200, 7]], [[1e5, 3]]])
    write_svg(tmp_path / "a.svg", drawing)
    np.testing.assert_array_equal(read_svg(tmp_path / "a.svg"), drawing)


def test_real_drawings_come_back(tmp_path: Path):
    from latentgen.sketch.npz import read_npz

    data = read_npz(shared_path("data/sketches/sketch_rnn_datasets/aaron_sheep.npz"))
    for drawing in data["test"][:10]:
        write_svg(tmp_path / "a.svg", drawing)
        again = read_svg(tmp_path / "a.svg")
        # Dots that were drawn as several equal points come back as one.
        for got, line in zip(to_lines(again), to_lines(drawing), strict=True):
            np.testing.assert_allclose(got, line if len(got) > 1 else line[:1], atol=1e-3)


def test_a_sheet_holds_all_drawings_in_a_grid(tmp_path: Path):
    square = from_lines([[[0, 0], [5, 0], [5, 5], [0, 5], [0, 0]]])
    write_svg(tmp_path / "a.svg", [square] * 5, columns=3, colours=["red"] * 4 + ["blue"])
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.attrib["viewBox"] == "0 0 300 200"
    strokes = [p.attrib["stroke"] for p in root.iter("{http://www.w3.org/2000/svg}path")]
    assert strokes == ["red"] * 4 + ["blue"]
    sheet = read_svg(tmp_path / "a.svg")
    assert len(to_lines(sheet)) == 5
    np.testing.assert_allclose(bounds(sheet), (13, 13, 287, 187), atol=0.01)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "a.svg"
    write_svg(path, [[[1, 1, 1]]])
    before = path.read_bytes()
    bads: list[dict] = [
        {"drawings": []},
        {"drawings": [[[np.nan, 1, 1]]]},
        {"colours": ["red"] * 2},
    ]
    for arguments in bads:
        with pytest.raises(InputError):
            write_svg(path, **{"drawings": [[[1, 1, 1]]], **arguments})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
