"""The page in a browser: it draws and plays what the models of the site draw and play."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import note_seq
import numpy as np
import pytest

from latentgen.constraints import LatentConstraints
from latentgen.errors import FileError
from latentgen.music import MusicVAE
from latentgen.music.converters import DrumConverter, MelodyConverter
from latentgen.sketch import SketchVAE
from latentgen.vae import Posterior, slerp
from tests.export.web.browser import Page, browser, served
from tests.tiny import randomise

pytest.importorskip("tf2onnx", reason="needs latentgen[export]")
pytest.importorskip("websockets", reason="needs websockets, to drive the browser")
pytestmark = pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
LATENT = 4
NAMES = ("sketches", "tunes", "beats")


@pytest.fixture(scope="module")
def models() -> dict:
    sketches = SketchVAE(
        LATENT, encoder_units=4, decoder_units=8, mixtures=2, max_length=20, scale=20.0
    )
    melodies = MusicVAE(MelodyConverter(bars=1), LATENT, (4,), (8,))
    drums = MusicVAE(DrumConverter(bars=1), LATENT, (4,), (4,))
    for model in (sketches, melodies, drums):
        randomise(model, scale=1.0)
    bias = np.array(sketches.head.projection.bias)
    bias[2] -= 6  # the drawings end late
    sketches.head.projection.bias.assign(bias)
    z = np.random.default_rng(0).normal(size=(40, LATENT)).astype("float32")
    melodies.reference = Posterior(z, np.ones_like(z))
    return dict(zip(NAMES, (sketches, melodies, drums), strict=True))


@pytest.fixture(scope="module")
def constraints() -> LatentConstraints:
    z = np.random.default_rng(1).normal(size=(40, LATENT)).astype("float32")
    kinds = np.array(["cat", "dog"])[(z[:, 2] > 0).astype(int)]
    labels = {"left": z[:, 0] < 0, "kind": list(kinds), "how_far": z[:, 1] * 3 + 5}
    return LatentConstraints(LATENT, hidden=8, layers=1).fit(z, labels, turns=2, batch_size=8)


@pytest.fixture(scope="module")
def site(models, constraints, tmp_path_factory) -> Path:
    from latentgen.export.web.build import write_site

    shown = [
        (model, None if name == "tunes" else constraints, name) for name, model in models.items()
    ]
    try:
        return write_site(
            shown, tmp_path_factory.mktemp("web") / "site", cards={"tunes": "Tunes nobody knows."}
        )
    except FileError as error:
        if "onnxruntime-web" in str(error):
            pytest.skip(f"needs onnxruntime-web: {error}")
        raise


@pytest.fixture(scope="module")
def page(site, tmp_path_factory) -> Iterator[Page]:
    with served(site) as address, browser(tmp_path_factory.mktemp("browser") / "profile") as page:
        page.ask("Page.navigate", url=address)
        yield page


def drawn(page: Page, name: str) -> list[str]:
    """What an exhibit shows, when it is done."""
    page.wait(f"document.getElementById('{name}')?.dataset.state == 'done'")
    return page.run(f"[...document.querySelectorAll('#{name} svg')].map(svg => svg.innerHTML)")


def move(page: Page, name: str, label: str, value: float) -> None:
    """Moves the slider of that label."""
    page.run(
        f"""(() => {{
          const labels = [...document.querySelectorAll('#{name} .control > label')];
          const input = labels.find(each => each.textContent == '{label}').control;
          input.value = {value};
          input.dispatchEvent(new Event('input', {{ bubbles: true }}));
        }})()"""
    )


def test_everything_is_drawn_and_a_slider_changes_it(page):
    before = {name: drawn(page, name) for name in NAMES}
    assert [len(before[name]) for name in NAMES] == [12, 6, 6]
    assert len(set(before["sketches"])) > 6  # no two alike, but for some that are empty
    for name in NAMES:
        move(page, name, "temperature", 0)
        careful = drawn(page, name)
        assert careful != before[name]
        move(page, name, "towards another", 1)
        assert drawn(page, name) != careful
        move(page, name, "towards another", 0)
        assert drawn(page, name) == careful  # the same wishes, the same pieces
    assert page.errors == []
    seconds = page.run("document.getElementById('sketches').dataset.seconds")
    print(f"first drawing {seconds} s after the page was opened")


def test_a_card_is_linked(page, site):
    drawn(page, "tunes")
    links = page.run("[...document.querySelectorAll('h2 a')].map(a => a.getAttribute('href'))")
    assert links == ["models/tunes/card.txt"]
    assert (site / links[0]).read_text() == "Tunes nobody knows."


def test_wishes_move_what_is_drawn(page):
    move(page, "sketches", "temperature", 0)
    unasked = drawn(page, "sketches")
    seen = [unasked]
    for label, value in (("left", 1), ("left", -1), ("kind", 1), ("how far", 0.5)):
        move(page, "sketches", label, value)
        assert drawn(page, "sketches") not in seen
        seen.append(drawn(page, "sketches"))
    for label in ("left", "kind", "how far"):
        move(page, "sketches", label, 0)
    assert drawn(page, "sketches") == unasked
    assert page.errors == []


def test_draw_again_takes_the_next_seed(page):
    before = drawn(page, "beats")
    page.run("document.querySelector('#beats .again button').click()")
    page.wait("document.querySelector('#beats .again input').value == '2'")
    assert drawn(page, "beats") != before
    assert page.errors == []


def test_a_click_plays(page):
    drawn(page, "tunes")
    playing = "document.querySelector('#tunes .roll').classList.contains('playing')"
    page.run("document.querySelector('#tunes .roll').click()")
    assert page.run(playing)
    move(page, "beats", "temperature", 0.7)
    drawn(page, "beats")
    assert page.run(playing)
    move(page, "tunes", "temperature", 0.7)
    assert not page.run(playing)
    assert page.errors == []


def test_the_loop_in_the_page_is_the_models(page, site, models):
    exhibits = json.loads((site / "latentgen.json").read_text())["exhibits"]
    z = np.random.default_rng(5).normal(size=(2, LATENT)).astype("float32")
    for facts in exhibits:
        steps = page.run(
            f"""import('./model.js').then(async ({{ Model }}) => {{
              const model = await Model.open({json.dumps(facts)});
              const z = {z.tolist()}.map(row => Float32Array.from(row));
              const all = [];
              for await (const {{ elements }} of model.draw(z, z.map(() => () => 0.5), 0))
                all.push(elements.map(row => [...row]));
              return all;
            }})"""
        )
        elements = np.swapaxes(np.array(steps), 0, 1)
        expected = models[facts["name"]].generate(z, greedy=True)
        if facts["kind"] == "sketch":
            lengths = (expected[..., 4] < 0.5).sum(axis=1)
            for row, length in enumerate(lengths):
                np.testing.assert_allclose(
                    elements[row, :length], expected[row, :length], atol=1e-4
                )
        else:
            np.testing.assert_array_equal(elements.argmax(-1), expected.argmax(-1))


def test_wishes_of_one_strength_are_asked_together(page, site, constraints):
    facts = json.loads((site / "latentgen.json").read_text())["exhibits"][0]
    z = np.random.default_rng(6).normal(size=(2, LATENT)).astype("float32")

    def moved(*strengths: float) -> np.ndarray:
        wishes = [
            {"column": column, "target": target, "strength": strength}
            for column, (target, strength) in enumerate(zip((0, 1, 8.0), strengths, strict=True))
        ]
        return np.array(
            page.run(
                f"""import('./model.js').then(async ({{ Model }}) => {{
                  const model = await Model.open({json.dumps(facts)});
                  const z = {z.tolist()}.map(row => Float32Array.from(row));
                  return (await model.constrained(z, {json.dumps(wishes)})).map(row => [...row]);
                }})"""
            )
        )

    wanted = {"left": False, "kind": "dog", "how_far": 8.0}
    np.testing.assert_allclose(moved(0, 0, 0), z, atol=1e-6)
    np.testing.assert_allclose(
        moved(0.5, 0.5, 0.5), constraints.transform(z, wanted, strength=0.5), atol=1e-5
    )
    two = {name: wanted[name] for name in ("left", "how_far")}
    weaker = constraints.transform(z, wanted, strength=0.4) - z
    np.testing.assert_allclose(
        moved(1, 0.4, 1), constraints.transform(z, two, strength=0.6) + weaker, atol=1e-5
    )


def test_numbers_of_the_page(page):
    drawn_numbers = np.array(
        page.run("import('./random.js').then(({ normals }) => [...normals(20000, 3, 1)])")
    )
    assert abs(drawn_numbers.mean()) < 0.03
    assert abs(drawn_numbers.std() - 1) < 0.03
    a, b = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    half = page.run(
        "import('./random.js').then(({ onTheWay }) => "
        f"[...onTheWay(Float32Array.from({a.tolist()}), Float32Array.from({b.tolist()}), 0.25)])"
    )
    np.testing.assert_allclose(half, slerp(a, b, 5)[1], atol=1e-5)


def test_midi_files_hold_the_notes(page):
    notes = [
        {"start": 0, "length": 1.5, "pitch": 60, "drum": False},
        {"start": 1.5, "length": 0.25, "pitch": 60, "drum": False},
        {"start": 40, "length": 0.25, "pitch": 38, "drum": True},
    ]
    content = page.run(
        f"import('./midi.js').then(({{ midi }}) => [...midi({json.dumps(notes)}, 90)])"
    )
    read = note_seq.midi_to_note_sequence(bytes(content))
    quarter = 60 / 90
    found = sorted((n.start_time, n.end_time, n.pitch, n.is_drum) for n in read.notes)
    expected = [
        (n["start"] * quarter, (n["start"] + n["length"]) * quarter, n["pitch"], n["drum"])
        for n in notes
    ]
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=0.01)


def test_a_missing_model_is_a_sentence_on_the_page(site, tmp_path):
    broken = tmp_path / "site"
    shutil.copytree(site, broken)
    (broken / "models" / "sketches" / "step.onnx").unlink()
    (broken / "models" / "tunes" / "start.onnx").write_bytes(b"no graph")
    with served(broken) as address, browser(tmp_path / "profile") as page:
        page.ask("Page.navigate", url=address)
        assert drawn(page, "beats")  # what is whole is shown
        told = page.run("[...document.querySelectorAll('.trouble')].map(p => p.textContent)")
        assert told[0].startswith("This cannot be shown: models/sketches/step.onnx is missing")
        assert told[1].startswith("This cannot be shown: models/tunes/start.onnx could not be read")
        page.ask("Page.navigate", url=(broken / "index.html").as_uri())
        page.wait("document.getElementById('trouble')?.hidden === false")
        assert "python -m http.server" in page.run("document.getElementById('trouble').textContent")
