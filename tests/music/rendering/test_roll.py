"""Piano rolls: where notes, bars, beats and lanes are drawn, as text and as pixels."""

from pathlib import Path
from xml.etree import ElementTree

import note_seq
import numpy as np
import pytest
from note_seq import NoteSequence
from PIL import Image

from latentgen.errors import InputError
from latentgen.music.rendering.frame import frame
from latentgen.music.rendering.roll import picture, to_svg, write_roll
from latentgen.paper import INK, PAPER
from tests.music.test_attributes import melody
from tests.music.test_drum_attributes import ROCK, pattern

SVG = "{http://www.w3.org/2000/svg}"
SCALE = melody([60, 62, 64, 65, 67, 69, 71, 72])


def elements(svg: str, kind: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(svg).findall(f".//{SVG}{kind}")


def boxes(svg: str, count: int) -> np.ndarray:
    """x, y, width, height, opacity (count, 5) of the last rectangles, which are the notes."""
    names = ("x", "y", "width", "height")
    return np.array(
        [
            [*(float(box.attrib[name]) for name in names), float(box.attrib.get("opacity", 1))]
            for box in elements(svg, "rect")[-count:]
        ]
    )


def test_notes_lie_by_time_and_pitch():
    found = boxes(to_svg(SCALE), 8)
    scales = frame([SCALE])
    np.testing.assert_allclose(found[:, 0], [scales.x(quarter) for quarter in range(8)], atol=1e-2)
    np.testing.assert_allclose(np.diff(found[:, 0]), (scales.width - scales.left) / 8, atol=1e-2)
    semitones = -np.diff(found[:, 1]) / scales.row
    np.testing.assert_allclose(semitones, [2, 2, 1, 2, 2, 2, 1], atol=0.01)
    assert (found[:-1, 0] + found[:-1, 2] < found[1:, 0]).all()  # seen to be two notes
    assert (found[:, 1] >= 0).all()
    assert (found[:, 1] + found[:, 3] <= scales.height).all()


def test_loudness_is_opacity_and_microtiming_is_seen():
    notes = melody([60, 60, 60])
    for note, velocity in zip(notes.notes, (20, 60, 127), strict=True):
        note.velocity = velocity
    notes.notes[1].start_time += 0.05
    found = boxes(to_svg(notes), 3)
    assert found[0, 4] < found[1, 4] < found[2, 4] == 1
    scales = frame([notes])
    assert found[1, 0] == pytest.approx(scales.x(1.1), abs=0.01)
    quantised = note_seq.quantize_note_sequence(notes, 4)
    np.testing.assert_allclose(boxes(to_svg(quantised), 3), found, atol=0.01)


@pytest.mark.parametrize(
    ("meter", "bars", "beats"), [((4, 4), 2, 6), ((3, 4), 3, 6), ((6, 8), 3, 3)]
)
def test_bars_and_beats_are_lines(meter: tuple[int, int], bars: int, beats: int):
    notes = melody([61] * 8, meter=meter)  # 8 quarters; no octave line among the pitches below
    upright = [
        path.attrib
        for path in elements(to_svg(notes), "path")
        if path.attrib["d"].split("L")[0].split()[0]
        == "M" + path.attrib["d"].split("L")[1].split()[0]
    ]
    assert sum(line["stroke-width"] == "1" for line in upright) == bars + 1
    assert sum(line["stroke-width"] == "0.75" for line in upright) == beats


def test_octaves_and_drums_are_named():
    texts = [text.text for text in elements(to_svg(melody([59, 60, 84])), "text")]
    assert texts == ["C4", "C5", "C6"]
    names = [text.text for text in elements(to_svg(pattern(ROCK)), "text")]
    assert names == ["kick", "snare", "closed hi-hat"]
    both = pattern(ROCK)
    both.notes.add(pitch=60, velocity=80, start_time=0, end_time=1)
    assert {"C4", "kick"} <= {text.text for text in elements(to_svg(both), "text")}


def test_drums_lie_in_their_lanes():
    rock = pattern(ROCK)
    found = boxes(to_svg(rock), 12)
    kicks, snares, hats = found[:2, 1], found[2:4, 1], found[4:, 1]
    assert np.ptp(kicks) == np.ptp(snares) == np.ptp(hats) == 0
    assert hats[0] < snares[0] < kicks[0]


def test_parts_have_colours_of_their_own():
    notes = melody([60, 64, 67])
    notes.notes[1].instrument = 1
    notes.notes[2].is_drum, notes.notes[2].pitch = True, 36
    fills = [box.attrib["fill"] for box in elements(to_svg(notes), "rect")[-3:]]
    assert fills[0] == INK
    assert len(set(fills)) == 3


def test_labels_are_escaped():
    svg = to_svg(SCALE, label='<b> & "quotes"')
    assert [title.text for title in elements(svg, "title")] == ['<b> & "quotes"']


@pytest.mark.parametrize(
    "notes",
    [NoteSequence(), melody([], total=8), melody([0, 127]), pattern({2: "x"}), melody([60], 0.01)],
    ids=["empty", "silent", "extreme", "unknown drum", "short"],
)
def test_degenerate_passages_are_drawn(notes: NoteSequence, tmp_path: Path):
    assert elements(to_svg(notes), "path")
    assert '"nan' not in to_svg(notes)
    write_roll(tmp_path / "a.png", [notes])


def test_rolls_of_a_sheet_share_their_scales(tmp_path: Path):
    low, high = melody([48, 50]), melody([84] * 8)
    write_roll(tmp_path / "a.svg", [low, high, SCALE], captions=["low", "high", "<scale>"])
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    texts = [text.text for text in elements(svg, "text")]
    assert texts.count("C4") == 3
    assert [text for text in texts if not text.startswith("C")] == ["low", "high", "<scale>"]
    scales = frame([low, high, SCALE])
    assert (scales.quarters, scales.pitches) == (8, (47, 85))


def test_pixels_are_where_the_notes_are(tmp_path: Path):
    write_roll(tmp_path / "a.png", [SCALE], width=400, height=170)
    pixels = np.asarray(Image.open(tmp_path / "a.png"))
    assert pixels.shape == (2 * (170 + 56), 2 * (400 + 56), 3)
    scales = frame([SCALE], 400, 170)

    def pixel(quarter: float, pitch: float) -> list[int]:
        x, y = 28 + scales.x(quarter), 28 + scales.pitch_y(pitch) + scales.row / 2
        return pixels[round(2 * y), round(2 * x)].tolist()

    paper = [int(PAPER[i : i + 2], 16) for i in (1, 3, 5)]
    assert pixels[0, 0].tolist() == paper
    for quarter, pitch in enumerate([60, 62, 64, 65, 67, 69, 71, 72]):
        assert max(pixel(quarter + 0.5, pitch)) < 110
        assert min(pixel(quarter + 0.5, pitch + 4)) > 200


def test_a_sheet_is_filled_row_by_row():
    one = picture([SCALE])
    six = picture([SCALE] * 6)
    assert six.width > 2.5 * one.width * 0.9
    assert picture([SCALE] * 4).height > one.height  # two rows of two
    assert picture([SCALE] * 4, columns=1).width == one.width
    assert picture([melody([60] * 64)] * 2).width < 2 * picture([melody([60] * 64)]).width


def test_what_cannot_be_drawn_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="at least one"):
        write_roll(tmp_path / "a.png", [])
    with pytest.raises(InputError, match=r"\.png or \.svg"):
        write_roll(tmp_path / "a.gif", [SCALE])
    with pytest.raises(InputError, match="captions: expected 1, received 2"):
        write_roll(tmp_path / "a.png", [SCALE], captions=["a", "b"])
    with pytest.raises(InputError, match="columns"):
        write_roll(tmp_path / "a.png", [SCALE], columns=0)
    with pytest.raises(InputError, match="give fewer"):
        write_roll(tmp_path / "a.png", [SCALE] * 3000)
    assert not list(tmp_path.iterdir())
