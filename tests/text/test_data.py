"""Corpora and batches: what is taken, where it is kept, and each batch a function of its number."""

import json
import os

import numpy as np
import pytest

from latentgen.errors import FileError, InputError
from latentgen.splits import split_of
from latentgen.text.corpus import SPLITS, Corpus, read_corpus, read_parallel_corpus
from latentgen.text.data import ParallelBatches, TextBatches, pad_ids
from latentgen.text.tokenizers import Words

NUMBERS = "zero one two three four five six seven eight nine".split()  # noqa: SIM905
SENTENCES = [
    " ".join(NUMBERS[int(d)] for d in str(k)) for k in (*range(40), 7, 123456, 12345678901)
]


@pytest.fixture(scope="module")
def tokenizer():
    return Words(NUMBERS)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("\n".join(["", *SENTENCES, "ten one"]))
    return path


def test_a_corpus_reports_what_it_took(file, tokenizer):
    corpus = read_corpus(file, tokenizer, max_length=8)
    report = corpus.report
    assert (report.lines, report.empty, report.too_long) == (45, 1, 1)
    assert (report.taken, report.duplicates, report.left_out) == (43, 1, 0)
    assert report.tokens == int(corpus.lengths.sum()) == 10 + 60 + 1 + 6 + 2
    assert report.unknown_share == 1 / report.tokens
    assert "43 sentences, 1 repeat another one" in str(report)
    assert [tokenizer.text(corpus[k]) for k in range(42)] == SENTENCES[:-1]
    assert corpus[42].tolist() == [2, 4]


def test_each_sentence_once_keeps_the_first_of_equal_ones(file, tokenizer):
    corpus = read_corpus(file, tokenizer, max_length=8, unique=True)
    assert len(corpus) == corpus.report.taken == 42
    assert corpus.report.left_out == 1
    assert [tokenizer.text(corpus[k]) for k in range(41)] == [*SENTENCES[:40], SENTENCES[41]]


def test_parts_are_told_by_what_a_sentence_says(file, tokenizer):
    corpus = read_corpus(file, tokenizer, max_length=8)
    parts = {split: corpus.part(split) for split in SPLITS}
    assert sum(map(len, parts.values())) == len(corpus)
    for split, part in parts.items():
        texts = [" ".join(tokenizer.text(part[k]).split()) for k in range(len(part))]
        assert all(split_of(text.replace("<unk>", "ten")) == split for text in texts)
    with pytest.raises(InputError, match="split: expected one of"):
        corpus.part("training")


def test_a_cache_holds_the_same_corpus_mapped_from_disk(file, tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr("latentgen.text.corpus._FLUSH", 5)  # written in many parts
    corpus = read_corpus(file, tokenizer, max_length=8)
    cache = tmp_path / "cache"
    made = read_corpus(file, tokenizer, max_length=8, cache=cache)
    assert isinstance(made.ids, np.memmap)
    monkeypatch.setattr("latentgen.text.corpus.read_lines", lambda *_, **__: iter([]))
    kept = read_corpus(file, tokenizer, max_length=8, cache=cache)  # without reading it again
    for other in (made, kept):
        np.testing.assert_array_equal(other.ids, corpus.ids)
        np.testing.assert_array_equal(other.lengths, corpus.lengths)
        np.testing.assert_array_equal(other.splits, corpus.splits)
        assert other.report == corpus.report


def test_a_cache_of_something_else_is_made_anew(file, tmp_path, tokenizer):
    cache = tmp_path / "cache"
    assert len(read_corpus(file, tokenizer, max_length=8, cache=cache)) == 43
    assert len(read_corpus(file, tokenizer, max_length=2, cache=cache)) == 42
    file.write_text("one two\n")
    assert len(read_corpus(file, tokenizer, max_length=2, cache=cache)) == 1
    fewer = Words(NUMBERS[:2])
    assert read_corpus(file, fewer, max_length=2, cache=cache).report.unknown == 1


def test_a_folder_that_is_no_cache_is_left_alone_and_a_damaged_one_refused(
    file, tmp_path, tokenizer
):
    with pytest.raises(FileError, match="expected a cache or no folder yet"):
        read_corpus(file, tokenizer, cache=tmp_path)
    assert file.exists()
    cache = tmp_path / "cache"
    read_corpus(file, tokenizer, cache=cache)
    np.save(cache / "ids.npy", np.zeros(3, "int32"))
    with pytest.raises(FileError, match="damaged, remove it"):
        read_corpus(file, tokenizer, cache=cache)
    os.remove(cache / "ids.npy")
    with pytest.raises(FileError, match="damaged, remove it"):
        read_corpus(file, tokenizer, cache=cache)
    stored = json.loads((cache / "corpus.json").read_text())
    (cache / "corpus.json").write_text(json.dumps({"facts": stored["facts"]}))
    with pytest.raises(FileError, match="damaged, remove it"):
        read_corpus(file, tokenizer, cache=cache)


def test_nothing_to_take_is_one_clear_error(file, tmp_path, tokenizer):
    (tmp_path / "long.txt").write_text("one two three\n\n")
    with pytest.raises(InputError, match="at most 2 tokens, received 1 longer ones and 1 empty"):
        read_corpus(tmp_path / "long.txt", tokenizer, max_length=2)
    with pytest.raises(InputError, match="max_length: expected 1 or more"):
        read_corpus(file, tokenizer, max_length=0)
    with pytest.raises(InputError, match="paths: expected at least one"):
        read_corpus([], tokenizer)
    assert not (tmp_path / "cache").exists()
    with pytest.raises(InputError, match="at most 2 tokens"):
        read_corpus(tmp_path / "long.txt", tokenizer, max_length=2, cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_batches_pad_sentences_with_ends_to_a_multiple_of_eight(tokenizer):
    corpus = Corpus.of(SENTENCES, tokenizer)
    batch = TextBatches(corpus, batch_size=5).batch(0)
    assert batch["sequence"].dtype == np.float32
    assert batch["length"].dtype == np.int32
    for batch in (TextBatches(corpus, batch_size=5).batch(k) for k in range(9)):
        _, steps, _ = batch["sequence"].shape
        assert steps == (max(batch["length"]) // 8 + 1) * 8
        inside = np.arange(steps) < batch["length"][:, None]
        np.testing.assert_array_equal(batch["sequence"][..., 0] > 0, inside)
    sequence, length = pad_ids([[3] * 8, [], [4]])
    assert sequence.shape == (3, 16, 1)
    assert length.tolist() == [8, 0, 1]
    assert pad_ids([[3] * 7])[0].shape == (1, 8, 1)


def test_a_pass_has_every_sentence_and_similar_lengths_together(tokenizer):
    corpus = Corpus.of(SENTENCES, tokenizer)
    batches = TextBatches(corpus, batch_size=5, seed=3)
    order = batches.order(0)
    assert order.shape == (9, 5)
    assert set(order.ravel()) == set(range(43))
    assert sum(batches.batch(k)["sequence"].shape[1] > 8 for k in range(9)) <= 2
    assert (order != batches.order(1)).any()
    assert (order != TextBatches(corpus, batch_size=5, seed=4).order(0)).any()


def test_a_batch_is_a_function_of_its_number_alone(tokenizer):
    corpus = Corpus.of(SENTENCES, tokenizer)
    batches = TextBatches(corpus, batch_size=4, seed=1)
    everything = [batches.batch(step) for step in range(30)]
    resumed = TextBatches(corpus, batch_size=4, seed=1).from_step(17)
    for expected, (batch,) in zip(everything[17:], resumed, strict=False):
        for name in ("sequence", "length"):
            np.testing.assert_array_equal(batch[name], expected[name])


def test_every_sentence_comes_once_to_be_evaluated(tokenizer):
    corpus = Corpus.of(SENTENCES, tokenizer)
    found = [
        tokenizer.text(row[:, 0].astype(int))
        for (batch,) in TextBatches(corpus, batch_size=10).once()
        for row in batch["sequence"]
    ]
    assert sorted(found) == sorted(SENTENCES)


def test_fewer_sentences_than_a_batch_come_several_times(tokenizer):
    batch = TextBatches(Corpus.of(["one", "two three"], tokenizer), batch_size=6).batch(0)
    assert batch["sequence"].shape == (6, 8, 1)
    assert set(batch["length"]) == {1, 2}


def test_batches_refuse_what_cannot_be(tokenizer):
    corpus = Corpus.of(["one", "two"], tokenizer)
    with pytest.raises(InputError, match="at least one sentence"):
        TextBatches(corpus.take(np.array([], int)))
    with pytest.raises(InputError, match="batch_size"):
        TextBatches(corpus, batch_size=0)
    with pytest.raises(InputError, match="received 1 and 2"):
        ParallelBatches(corpus.take(np.array([0])), corpus)


def test_parallel_batches_keep_pairs_together(tmp_path, tokenizer):
    source, target = tmp_path / "a.txt", tmp_path / "b.txt"
    source.write_text("\n".join(["", *SENTENCES]))
    target.write_text("\n".join(["one", *(f"{s} nine" for s in SENTENCES)]))
    corpora = read_parallel_corpus(source, target, tokenizer, tokenizer, max_length=8)
    assert len(corpora[0]) == len(corpora[1]) == 42
    batches = ParallelBatches(*corpora, batch_size=8)
    for batch in (batches.batch(k) for k in range(6)):
        for row in range(8):
            length = batch["source_length"][row]
            assert batch["length"][row] == length + 1
            np.testing.assert_array_equal(
                batch["source"][row, :length], batch["sequence"][row, :length]
            )
            assert not batch["source"][row, length:].any()
