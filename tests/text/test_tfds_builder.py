"""The TFDS builder of sentences, on small files."""

import os

import pytest

from latentgen.errors import FileError, InputError
from latentgen.text.corpus import SPLITS, Corpus
from latentgen.text.tokenizers import Words

if os.environ.get("KERAS_BACKEND") == "jax":
    pytest.skip("imports TensorFlow, which a JAX run must not", allow_module_level=True)
tfds = pytest.importorskip("tensorflow_datasets")

from latentgen.text.tfds_builder import Sentences, SentencesConfig  # noqa: E402


def prepared(tmp_path, path, **options):
    config = SentencesConfig(name="few", path=path, **options)
    builder = Sentences(data_dir=tmp_path / "data", config=config)
    builder.download_and_prepare()
    return builder


def test_splits_are_those_of_a_corpus(tmp_path):
    sentences = [f"sentence  number {k} été" for k in range(60)]
    path = tmp_path / "a.txt"
    path.write_text("\n\n".join(sentences), encoding="utf-8")
    builder = prepared(tmp_path, path)
    tokenizer = Words.learn(sentences)
    corpus = Corpus.of(sentences, tokenizer)
    indices = set()
    for split in SPLITS:
        part = corpus.part(split)
        expected = {tokenizer.text(part[k]) for k in range(len(part))}
        examples = list(tfds.as_numpy(builder.as_dataset(split=split))) if expected else []
        assert {" ".join(e["text"].decode().split()) for e in examples} == expected
        assert all(e["text"].decode() == sentences[e["index"]] for e in examples)
        indices |= {int(e["index"]) for e in examples}
    assert indices == set(range(60))


def test_a_split_without_sentences_is_left_out_and_columns_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("said,by\nhello there,me\n")
    builder = prepared(tmp_path, path, column="said")
    (split,) = builder.info.splits
    (example,) = tfds.as_numpy(builder.as_dataset(split=split))
    assert example["text"] == b"hello there"


def test_bad_files_and_no_configuration_are_said(tmp_path):
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(FileError, match="only empty lines"):
        prepared(tmp_path, tmp_path / "empty.txt")
    with pytest.raises(InputError, match="SentencesConfig"):
        Sentences(data_dir=tmp_path / "data")
