"""Pictures: where the ink lies, how wide it is, what a sheet and an animation consist of."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from latentgen.errors import InputError
from latentgen.sketch.render import ACCENT, INK, PAPER, picture, to_svg, write_gif, write_png
from latentgen.sketch.strokes import from_lines

SQUARE = from_lines([[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]])
DOT = np.array([[3, 4, 1]], np.float32)
EMPTY = np.zeros((0, 3), np.float32)


def rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def dark(image: Image.Image) -> np.ndarray:
    """Which pixels (height, width) are nearer to ink than to paper."""
    return np.asarray(image).mean(axis=2) < 140


def covered(image: Image.Image) -> np.ndarray:
    """The share of each pixel that ink covers (height, width)."""
    light, dark = np.mean(rgb(PAPER)), np.mean(rgb(INK))
    return (light - np.asarray(image).mean(axis=2)) / (light - dark)


def box(mask: np.ndarray) -> list[int]:
    ys, xs = np.nonzero(mask)
    return [int(v) for v in (xs.min(), ys.min(), xs.max(), ys.max())]


def test_colours_are_exact():
    pixels = np.asarray(picture(SQUARE)).reshape(-1, 3)
    assert pixels[0].tolist() == rgb(PAPER)
    assert (pixels == rgb(INK)).all(axis=1).any()
    accented = np.asarray(picture(SQUARE, colours=ACCENT)).reshape(-1, 3)
    assert (accented == rgb(ACCENT)).all(axis=1).any()
    assert not (accented == rgb(INK)).all(axis=1).any()


@pytest.mark.parametrize("cell", [100, 400])
@pytest.mark.parametrize("scale", [0.01, 1.0, 1e4])
def test_drawings_fill_the_cell_with_margins_at_any_scale(cell: int, scale: float):
    image = picture(SQUARE * [scale, scale, 1], cell=cell)
    assert image.size == (cell, cell)
    np.testing.assert_allclose(
        box(dark(image)), [0.13 * cell] * 2 + [0.87 * cell] * 2, atol=0.01 * cell + 1
    )


def test_ink_is_as_wide_relative_to_the_cell_and_even():
    widths = []
    for cell in (200, 800):
        ink = covered(picture(SQUARE, cell=cell))
        widths += [ink[cell // 2].sum() / 2, ink[:, cell // 2].sum() / 2]
    np.testing.assert_allclose(widths, [2.8, 2.8, 11.2, 11.2], atol=0.25)
    slanted = covered(picture(from_lines([[[0, 0], [10, 10]]]), cell=800))
    assert slanted[400].sum() / np.sqrt(2) == pytest.approx(11.2, abs=0.3)


def test_aspect_is_kept_and_the_drawing_centred():
    left, top, right, bottom = box(dark(picture(from_lines([[[0, 0], [100, 0], [100, 20]]]))))
    assert (right - left) / (bottom - top) == pytest.approx(5, rel=0.15)
    assert (top + bottom) / 2 == pytest.approx(120, abs=2)


def test_dots_are_round_and_empty_drawings_blank():
    left, top, right, bottom = box(dark(picture(DOT, cell=400)))
    assert (left + right) / 2 == pytest.approx(199.5, abs=1)
    assert (top + bottom) / 2 == pytest.approx(199.5, abs=1)
    assert right - left == bottom - top
    assert not dark(picture(EMPTY)).any()


def test_scribbles_of_many_points_are_drawn_whole():
    points = np.random.default_rng(0).uniform(0, 100, (20_001, 2))
    points[:10_000, 0] /= 4
    points[10_000:, 0] = 75 + points[10_000:, 0] / 4
    mask = dark(picture(from_lines([points]), cell=1600))
    assert mask[208:1392, 208:500].mean() > 0.95
    assert mask[208:1392, 1100:1392].mean() > 0.95


def test_pen_lifts_leave_no_ink():
    gap = from_lines([[[0, 0], [0, 10]], [[10, 0], [10, 10]]])
    assert not dark(picture(gap))[:, 60:180].any()


def test_progress_follows_the_drawing_order():
    half = dark(picture(SQUARE, progress=0.5))
    assert half[31, 120]  # the upper side is there, the lower one not yet
    assert not half[208, 120]
    amounts = [dark(picture(SQUARE, progress=p)).sum() for p in (0.1, 0.4, 0.7, 1.0)]
    assert amounts == sorted(amounts)
    assert amounts[0] == pytest.approx(0.1 * amounts[-1], rel=0.3)


def test_a_sheet_has_its_drawings_in_reading_order():
    image = picture([SQUARE, EMPTY, DOT, SQUARE, SQUARE], columns=3, cell=100)
    assert image.size == (320, 220)
    ink = covered(image)
    cells = [ink[10 + y * 100 :, 10 + x * 100 :][:100, :100] for y in (0, 1) for x in range(3)]
    inked = [round(float(cell.sum())) for cell in cells]
    assert inked[0] == inked[3] == inked[4] > inked[2] > 0 == inked[1] == inked[5]


def test_titles_and_captions_have_their_places():
    plain = picture([SQUARE] * 4)
    full = picture(
        [SQUARE] * 4,
        captions=["p = 0.9", "", "long " * 30, "café → ×"],
        column_titles=["prior", "constrained"],
        row_titles=["cat", "owl"],
    )
    assert full.width > plain.width
    assert full.height > plain.height
    mask = np.asarray(full).mean(axis=2) < 200
    assert mask[24:85, :].any()  # above the columns
    assert mask[:, 24:60].any()  # left of the rows
    assert not mask[:20].any()
    assert not mask[:, -20:].any()  # the long caption is cut


def test_png_files(tmp_path: Path):
    write_png(tmp_path / "new" / "a.png", SQUARE, cell=64)
    with Image.open(tmp_path / "new" / "a.png") as image:
        assert (image.format, image.size, image.mode) == ("PNG", (64, 64), "RGB")


def test_gif_draws_more_and_more_and_rests_at_the_end(tmp_path: Path):
    write_gif(tmp_path / "a.gif", [SQUARE, SQUARE], seconds=0.5, cell=64)
    amounts, durations = [], []
    with Image.open(tmp_path / "a.gif") as image:
        assert image.info["loop"] == 0
        for i in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(i)
            durations.append(image.info["duration"])
            amounts.append(int(dark(image.convert("RGB")).sum()))
            final = np.asarray(image.convert("RGB")).astype(int)
    assert len(amounts) == 10
    assert amounts == sorted(amounts)
    assert amounts[0] < amounts[-1] / 4
    assert durations[-1] == 2000
    assert set(durations[:-1]) == {50}
    whole = np.asarray(picture([SQUARE, SQUARE], cell=64)).astype(int)
    assert np.abs(final - whole).max() <= 8  # but for the palette


def test_svg_text_is_sound_and_safe():
    root = ElementTree.fromstring(to_svg(SQUARE, size=50, paper=PAPER, label="a <cat> & more"))
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == "a <cat> & more"
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    assert left + width / 2 == top + height / 2 == pytest.approx(5)
    assert width == height == pytest.approx(10 / 0.74)
    assert root.attrib["width"] == "50"
    for attack in ('"><script>', "red;}</style><script>"):
        assert "<script>" not in to_svg(SQUARE, colour=attack, paper=attack, label=attack)
    assert ElementTree.fromstring(to_svg(EMPTY))[0].attrib["d"] == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drawings": []}, "drawings: expected at least one"),
        ({"columns": 0}, "expected at least 1 column"),
        ({"cell": 5}, "a cell of 16 to 4096 pixels"),
        ({"captions": ["a"]}, "captions: expected 2, one for each, received 1"),
        ({"colours": ["red"] * 3}, "colours: expected 2"),
        ({"colours": "no colour"}, "expected a name or a value"),
        ({"column_titles": ["a", "b"], "columns": 1}, "column_titles: expected 1"),
        ({"row_titles": ["a", "b"]}, "row_titles: expected 1"),
        ({"drawings": [SQUARE] * 20, "cell": 4096}, "a sheet of at most 100000000 pixels"),
        ({"drawings": [[[np.inf, 0, 1]]]}, "expected finite numbers"),
    ],
)
def test_bad_arguments(options: dict, message: str):
    with pytest.raises(InputError, match=message):
        picture(**{"drawings": [SQUARE, DOT], **options})
