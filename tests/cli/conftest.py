"""A folder as a person might have it: drawings of several kinds, music, text, tiny models."""

import functools
import json

import numpy as np
import pytest


@pytest.fixture(scope="session")
def belongings(tmp_path_factory):
    """Files that the examples in --help and README.md name; read only."""
    from latentgen.sketch import SketchVAE, from_lines, write_npz, write_svg

    folder = tmp_path_factory.mktemp("belongings")
    generator = np.random.default_rng(0)

    def drawing(strokes):
        return from_lines([generator.integers(0, 255, (5, 2)) for _ in range(strokes)])

    def ndjson(path, category, strokes, n=24):
        path.parent.mkdir(exist_ok=True)
        records = [
            {
                "word": category,
                "key_id": f"{category}{k}",
                "recognized": True,
                "drawing": generator.integers(0, 255, (strokes, 2, 5)).tolist(),
            }
            for k in range(n)
        ]
        path.write_text("".join(json.dumps(record) + "\n" for record in records))

    ndjson(folder / "cats.ndjson", "cat", 2)
    for name, strokes in (("cat", 2), ("pig", 3)):
        ndjson(folder / "quickdraw" / f"{name}.ndjson", name, strokes)
    (folder / "happy.csv").write_text("happy\n" + 12 * "yes\nno\n")
    ndjson(folder / "my-labels" / "some.ndjson", "shape", 2)
    rows = [f"some.ndjson,{k},{'yes' if k % 2 else 'no'}\n" for k in range(24)]
    (folder / "my-labels" / "labels.csv").write_text("file,index,round\n" + "".join(rows))
    write_npz(
        folder / "cats.npz",
        {split: [drawing(1 + k % 6) for k in range(12)] for split in ("train", "valid", "test")},
    )
    for name in ("cat", "pig", "logo"):
        write_svg(folder / f"{name}.svg", drawing(2))
    for name in ("my-cats", "my-model"):
        SketchVAE(
            latent_size=4, encoder_units=8, decoder_units=8, mixtures=2, max_length=40, scale=40.0
        ).save_preset(folder / name, card="# Tiny\n\nA model that has learnt nothing.\n")
    add_constraints(folder, generator)
    add_music(folder, generator)
    add_text(folder, generator)
    add_magenta(folder)
    return folder


def add_constraints(folder, generator):
    """What was learnt of the tiny models' z, and of another model's."""
    from latentgen.constraints import LatentConstraints

    for name, size in (("few", 4), ("other", 3)):
        z = generator.standard_normal((20, size)).astype("float32")
        constraints = LatentConstraints(size, hidden=4, layers=1)
        constraints.fit(z, {name: z[:, 0] > 0}, turns=1, batch_size=4, critic_steps=1)
        constraints.save(folder / f"{name}.npz")


def add_music(folder, generator):
    """Tunes of four bars, drum patterns of two, and tiny models of them."""
    from latentgen.music import DrumConverter, MelodyConverter, MusicVAE
    from latentgen.vae import Posterior
    from tests.music.songs import ABC, write_song

    numbers = (*range(6), 9, 17)  # by their names the last two are held out

    def tune(name, low=60, notes=16, **options):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_song(path, generator.integers(low, low + 12, notes).tolist(), **options)

    for name in ("tune.mid", "other.mid", *(f"songs/{k}.mid" for k in numbers)):
        tune(name)
    tune("waltzes/one.mid", meter=(3, 4))
    for k in numbers:
        path = folder / "drums" / f"{k}.mid"
        path.parent.mkdir(exist_ok=True)
        write_song(path, generator.choice([36, 38, 42], 8).tolist(), is_drum=True)
    for k in range(6):
        tune(f"liked/{k}.mid", notes=8)
        tune(f"by-mood/calm/{k}.mid", 48, 8)
        tune(f"by-mood/wild/{k}.mid", 72, 8)
    rows = [f"{k}.mid,{'yes' if k % 2 else 'no'}\n" for k in range(6)]
    (folder / "liked" / "labels.csv").write_text("file,liked\n" + 2 * "".join(rows))
    (folder / "folk.abc").write_text(ABC)
    tiny = {"latent_size": 4, "encoder_units": [8], "decoder_units": [8, 8]}
    few = 6.0 * (np.arange(90) == 0)  # notes, so that rules may hold
    kicks = 2.0 * (np.arange(512) % 2)
    for name, converter, bias in (
        ("my-music", MelodyConverter(), few),
        ("my-drums", DrumConverter(), kicks),
        ("my-chords", MelodyConverter(chords=True), few),
    ):
        vae = MusicVAE(converter, **tiny)
        vae.head.projection.bias.assign(bias)
        z = generator.standard_normal((30, 4)).astype("float32")
        vae.reference = Posterior(z, 0.5 + 0 * z)
        vae.save_preset(folder / name, card="# Tiny\n\nMusic that has learnt nothing.\n")


def add_text(folder, generator):
    """Captions, reviews labelled in several ways, and a tiny model of them."""
    from latentgen.text import TextVAE, Words
    from latentgen.vae import Posterior

    captions = [
        f"{animal} {verb} {place}"
        for animal in ("a dog", "two cats", "the horse")
        for verb in ("sleeps", "played", "is riding a train", "was loud")
        for place in ("on a beach", "in the storm", "at home")
    ]
    (folder / "captions.txt").write_text("".join(f"{line} .\n" for line in captions))
    rows = [f"{line},{'yes' if 'loud' in line else 'no'}\n" for line in captions]
    for name in ("liked", "reviews"):
        (folder / f"{name}.csv").write_text("text,liked\n" + "".join(rows))
    (folder / "reviews").mkdir()
    (folder / "reviews" / "some.txt").write_text("\n".join(captions))
    (folder / "by-feeling").mkdir()
    names = ("sentiment.0", "sentiment.1", "by-feeling/quiet.txt", "by-feeling/excited.txt")
    for k, name in enumerate(names):
        (folder / name).write_text("\n".join(captions[k % 2 :: 2]))
    words = Words.learn([*captions, "men couch red sits . ?"])
    vae = TextVAE(words, 4, 6, [5], [8], max_length=12)
    for weight in vae.decoder.trainable_weights:
        weight.assign(5 * weight)  # what it writes depends on z
    z = generator.standard_normal((30, 4)).astype("float32")
    vae.reference = Posterior(z, 0.5 + 0 * z)
    vae.save_preset(folder / "my-text", card="# Tiny\n\nText that has learnt nothing.\n")


def add_magenta(folder):
    """A training folder of Magenta's and a file of sketch-rnn-js, of tiny models."""
    from latentgen.checkpoints import save_magenta
    from latentgen.music import MelodyConverter, MusicVAE
    from latentgen.sketch.vae import SketchDecoder

    tiny = {"latent_size": 4, "encoder_units": [8], "decoder_units": [8, 8]}
    save_magenta(MusicVAE(MelodyConverter(), **tiny), folder / "my-run")
    drawer = SketchDecoder(decoder_units=8, max_length=20)
    save_magenta(drawer, folder / "sheep.gen.json", "sketch-rnn-js")


@pytest.fixture
def quick_rules(monkeypatch):
    """A rule is asked about few pieces."""
    from latentgen.constraints import LatentConstraints

    quickly = functools.partialmethod(LatentConstraints.fit_reward, rounds=1, samples=100)
    monkeypatch.setattr(LatentConstraints, "fit_reward", quickly)
    monkeypatch.setattr("latentgen.constraints.judge.FEWEST_STEPS", 20)


@pytest.fixture(autouse=True)
def untraced(monkeypatch):
    """A step or two of training are not made a graph of, which takes longer."""
    from latentgen.constraints.lc_gan import LCGAN
    from latentgen.sequence_model import SequenceModel

    for model in (LCGAN, SequenceModel):
        plainly = functools.partialmethod(model.compile, run_eagerly=True)
        monkeypatch.setattr(model, "compile", plainly)


@pytest.fixture
def desk(belongings, tmp_path, monkeypatch):
    """An empty working folder that sees those belongings; what is written stays in it."""
    for item in belongings.iterdir():
        (tmp_path / item.name).symlink_to(item)
    monkeypatch.chdir(tmp_path)
    return tmp_path
