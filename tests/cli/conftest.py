"""A folder as a person might have it: drawings of several kinds and tiny models."""

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
    return folder


@pytest.fixture
def desk(belongings, tmp_path, monkeypatch):
    """An empty working folder that sees those belongings; what is written stays in it."""
    for item in belongings.iterdir():
        (tmp_path / item.name).symlink_to(item)
    monkeypatch.chdir(tmp_path)
    return tmp_path
