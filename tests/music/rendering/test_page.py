"""Pages: what is embedded, that nothing is fetched, and that a click plays."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import note_seq
import pytest
from note_seq import NoteSequence

from latentgen.errors import InputError
from latentgen.music.rendering.frame import frame
from latentgen.music.rendering.page import SCRIPT, STYLE, Section, figure, figures, write_page
from tests.music.test_attributes import melody
from tests.music.test_drum_attributes import ROCK, pattern


class Reader(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def songs(self) -> list[dict]:
        return [
            json.loads(attributes["data-song"] or "")
            for tag, attributes in self.elements
            if tag == "figure"
        ]


def test_a_figure_holds_its_notes():
    notes = melody([60, 64], qpm=60)
    notes.notes[1].velocity = 33
    (song,) = Reader(figure(notes, "two notes")).songs()
    assert song["notes"] == [[0, 1, 60, 80, -1], [1, 1, 64, 33, -1]]
    assert song["seconds"] == 4  # the bar's end
    left = frame([notes]).left / frame([notes]).width
    assert song["clock"] == [[0, pytest.approx(left, abs=1e-4)], [4, 1]]


def test_drums_are_numbered_and_unknown_ones_left_out():
    notes = pattern({36: "x", 46: "x", 2: "x"})
    (song,) = Reader(figure(notes, "")).songs()
    assert [event[4] for event in song["notes"]] == [0, 3]


def test_the_playhead_follows_tempo():
    notes = melody([60] * 8)
    notes.tempos.add(time=1.0, qpm=60)  # two quarters at 120, then slower
    notes.ClearField("total_time")
    clock = Reader(figure(notes, "")).songs()[0]["clock"]
    assert [second for second, _ in clock] == [0, 1, 7]  # two bars: two quarters and six
    first, second, third = (share for _, share in clock)
    assert 3 * (second - first) == pytest.approx(third - second, abs=1e-4)


def test_quantised_notes_are_played_in_seconds():
    bare = note_seq.quantize_note_sequence(melody([60, 62, 64, 65]), 4)
    for note in bare.notes:
        note.start_time = note.end_time = 0
    (song,) = Reader(figure(bare, "")).songs()
    assert [event[:2] for event in song["notes"]] == [[0, 0.5], [0.5, 0.5], [1, 0.5], [1.5, 0.5]]


def test_as_many_rectangles_as_notes_come_last():
    notes = pattern(ROCK)
    notes.notes.add(pitch=2, is_drum=True, start_time=0.5, end_time=0.6)
    html = figure(notes, "")
    rectangles = [float(x) for x in re.findall(r'<rect x="([\d.]+)"', html)]
    events = Reader(html).songs()[0]["notes"]
    scales = frame([notes])
    assert rectangles[-len(events) :] == pytest.approx(
        [scales.x(event[0]) for event in events], abs=0.01
    )


def test_texts_are_escaped(tmp_path: Path):
    nasty = "</figcaption><script>alert(1)</script> & \"quotes' "
    write_page(tmp_path / "a.html", nasty, [Section(nasty, [melody([60])], [nasty], nasty)], nasty)
    reader = Reader((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert sum(tag == "script" for tag, _ in reader.elements) == 1
    assert reader.text.count(nasty.strip()) == 6  # title, h1, lead, h2, text, caption


def test_a_page_needs_no_network(tmp_path: Path):
    passages = [melody([60, 62]), pattern(ROCK), NoteSequence()]
    write_page(tmp_path / "index.html", "Page", [Section("All", passages), Section("None", [])])
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"' ]+", page.replace("http://www.w3.org/2000/svg", "")) == []
    assert not re.search(r"<(link|img|iframe|audio)|@import|url\(|\ssrc=|fetch\(|import\s", page)
    reader = Reader(page)
    assert len(reader.songs()) == 3
    assert page.count(SCRIPT) == page.count(STYLE) == 1
    assert "prefers-color-scheme: dark" in page


def test_rolls_of_a_section_share_their_scales_and_wide_ones_stand_alone():
    html = figures([melody([60] * 4), melody([72] * 8)], ["a", "b"])
    assert html.count('viewBox="0 0 400 140"') == 2
    assert 'class="rolls"' in html
    assert 'class="rolls wide"' in figures([melody([60] * 64)])
    with pytest.raises(InputError, match="captions: expected 1, received 2"):
        figures([melody([60])], ["a", "b"])


CLICKS = """
<script>
const rolls = [...document.querySelectorAll('.roll')];
const playing = () => rolls.map(roll => +roll.classList.contains('playing')).join('');
const log = [playing()];
for (const step of [0, 1, 2, 2, 0]) { rolls[step].click(); log.push(playing()); }
document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
log.push(playing());
rolls[1].dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
log.push(playing());
document.title = 'log ' + log.join(' ');
window.onerror = message => { document.title = 'error ' + message; };
</script>
"""


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
def test_a_click_plays_one_at_a_time(tmp_path: Path):
    drums = pattern(dict.fromkeys((36, 38, 42, 46, 45, 48, 50, 49, 51), "x"))
    sections = [Section("All", [melody([60, 62]), drums, NoteSequence()])]
    write_page(tmp_path / "index.html", "Page", sections)
    page = tmp_path / "index.html"
    page.write_text(page.read_text(encoding="utf-8") + CLICKS, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=1000"]
    dumped = subprocess.run(
        ["chromium", *options, f"--user-data-dir={tmp_path}/profile", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    title = re.search("<title>(.*?)</title>", dumped)
    assert title
    assert title[1] == "log 000 100 010 001 000 100 000 010"
