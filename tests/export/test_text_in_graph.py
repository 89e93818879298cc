"""Text in a graph: what the library's tokenizers and spellings give, in TensorFlow alone."""

import gzip
import random
import subprocess
import sys

import pytest
import tensorflow as tf

from latentgen.errors import InputError
from latentgen.export import text_in_graph
from latentgen.export.spelling_in_graph import SpellingInGraph, split_written
from latentgen.export.text_in_graph import TextInGraph
from latentgen.text import spelling
from latentgen.text.data import pad_ids
from latentgen.text.spelling import Spelling
from latentgen.text.tokenizers import END, START, UNKNOWN, Characters, Subwords, Tokenizer, Words
from tests.shared import shared_path

CORPORA = {
    "tokenised": [
        "i do n't know what they 're doing , but it 's good !",
        "mr. smith 's dog ( the brown one ) was n't there .",
        "`` never again , '' she said .",
        "the viewers ' opinions cost $ 20 and 5 % more .",
        "the N corp. of mich. said <unk> corp. mich.",
        "-lrb- so -rrb- and -lsb- that -rsb- é ß 1\\/2",
    ],
    "cased": [
        "I do n't know what They 're doing , But it 's Good !",
        '" Never again , " She said to Mr. Smith .',
        "The N Corp. of Mich. said <unk> Corp. .",
    ],
    "written": [
        "A man rides a horse.",
        "Two dogs: they're friends!",
        "It isn't (I think).",
        "é 猫",
    ],
    "small": ["a man rides a horse.", "two dogs, one cat: they're friends!", "it isn't so."],
}
KINDS = (Words, Characters, Subwords)
CASES = [(name, kind) for name in CORPORA for kind in KINDS]
PARTS = """'' `` ` ' ’ “ ” " ( ) [ ] { } . .. ... … , ! ? ; : % $ £ € # n't N'T n’t 's ’S 're 'll
s a dogs Mr corp Corp U.S i I I'm é É ß Σ ΟΔΟΣ 猫 ﷺ <unk> <end> -lrb- -RRB- \\/ \\* 1 20 _ - -- ▁ ▁▁
x N ſ İ ǆ 😀 e\u0301"""
SENTENCES = [
    "",
    " \t\n",
    "Don't stop, he said.",
    'It (the film) is "fine".',
    '("don\'t"),',
    "In Mich. it's N, Mr.",
    "the viewers' opinions: $20 and 5%!",
    "猫猫 <unk><unk> a<unk>b ▁ ▁a▁b▁",
    "i'm I. i said a.b.. wait... U.S.",
]


def generated(n: int, seed: int = 0) -> list[str]:
    """Sentences of parts that the rules treat in their own ways, with all kinds of spaces."""
    draw = random.Random(seed)

    def chunk():
        return "".join(draw.choices(PARTS.split(), k=draw.choice((1, 1, 2, 2, 3, 4, 6))))

    spaces = (" ", "  ", "\t", "\u00a0", "\u2003\n")
    return [
        "".join(chunk() + draw.choice(spaces) for _ in range(draw.randrange(9))) for _ in range(n)
    ]


def learned(name: str, kind: type[Tokenizer]) -> Tokenizer:
    return kind.learn(CORPORA[name] * 3, size=300)


def encoded(text, sentences) -> list[list[int]]:
    ids, lengths = text.encode(tf.constant(sentences))
    return [row[:n].tolist() for row, n in zip(ids.numpy(), lengths.numpy(), strict=True)]


def decoded(text, ids) -> list[str]:
    return [sentence.decode() for sentence in text.decode(ids).numpy()]


def assert_equal(tokenizer: Tokenizer, text, sentences: list[str]) -> None:
    """Both ways, for sentences and for sequences of any ids."""
    expected = [tokenizer.encode(sentence) for sentence in sentences]
    assert encoded(text, sentences) == expected
    draw = random.Random(1)
    rows = [
        ids[:20] + [draw.randrange(tokenizer.size) for _ in range(20 - len(ids))]
        for ids in expected
    ]
    assert decoded(text, rows) == [tokenizer.decode(row) for row in rows]


def test_pieces_are_cut_as_the_penn_treebank_is():
    chunks = sorted({chunk for sentence in generated(2_000) for chunk in sentence.split()})
    cut = split_written(tf.constant(chunks)).numpy()
    assert [tokens.decode().split() for tokens in cut] == [
        spelling.split_written(chunk) for chunk in chunks
    ]


@pytest.mark.parametrize("name", CORPORA)
def test_a_spelling_reads_and_writes_as_the_library(name):
    known = Spelling.learn(spelling.count_words(CORPORA[name] * 3))
    graph, sentences = SpellingInGraph(known), [*CORPORA[name], *SENTENCES, *generated(500)]
    read = graph.read(tf.constant(sentences)).to_list()
    assert [b" ".join(tokens).decode() for tokens in read] == list(map(known.read, sentences))
    written = [sentence.decode() for sentence in graph.write(tf.constant(sentences)).numpy()]
    assert written == list(map(known.write, sentences))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_ids_and_sentences_are_those_of_the_library(name, kind):
    tokenizer = learned(name, kind)
    sentences = [*CORPORA[name], *SENTENCES, *generated(250, seed=1)]
    assert_equal(tokenizer, TextInGraph(tokenizer), sentences)


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_padded_as_batches_are(kind):
    tokenizer = learned("tokenised", kind)
    text = TextInGraph(tokenizer)
    for sentences in (["a"], CORPORA["tokenised"], ["", "it 's"], ["a " * 7], ["a " * 8]):
        sequence, length = pad_ids(tokenizer.encode(sentence) for sentence in sentences)
        ids, lengths = text.encode(sentences)
        assert ids.dtype == lengths.dtype == tf.int32
        assert ids.numpy().tolist() == sequence[..., 0].tolist()
        assert lengths.numpy().tolist() == length.tolist()
    ids, lengths = text.encode(tf.zeros([0], tf.string))
    assert (*ids.shape, *lengths.shape) == (0, 8, 0)
    assert text.decode(ids).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_ends_at_the_first_end_and_starts_are_left_out(kind):
    tokenizer = learned("tokenised", kind)
    text, ids = TextInGraph(tokenizer), tokenizer.encode("they 're good !")
    expected = tokenizer.decode(ids)
    assert decoded(text, [[START, *ids, END, *ids]]) == [expected]
    assert decoded(text, tf.constant([[*ids]], tf.float32)) == [expected]
    assert decoded(text, [[END, *ids]]) == [""]
    assert decoded(text, tf.zeros([2, 0])) == ["", ""]
    for bad in (tokenizer.size, -1):
        with pytest.raises(tf.errors.InvalidArgumentError, match="ids: expected ids from 0 to"):
            text.decode([[*ids, bad]])


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_that_are_no_text_are_unknown_characters(kind):
    tokenizer = learned("cased", kind)
    text = TextInGraph(tokenizer)
    for bad in (b"\xff\xfe", b"a\xe2\x82", b"\xed\xa0\x80", b"a\0b", b"\0"):
        ids = encoded(text, [b"Good " + bad, b"Good"])
        assert ids[0][: len(ids[1])] == ids[1]
        assert UNKNOWN in ids[0]


def test_words_that_would_take_too_long_are_refused(monkeypatch):
    tokenizer = learned("written", Subwords)
    text, long = TextInGraph(tokenizer), "dogs" * 200
    assert encoded(text, [long]) == [tokenizer.encode(long)]
    monkeypatch.setattr(text_in_graph, "LONGEST", 100)
    assert encoded(text, ["a horse"]) == [tokenizer.encode("a horse")]
    with pytest.raises(tf.errors.InvalidArgumentError, match="sentences: expected shorter words"):
        text.encode(["a", "horse " * 30])


def test_subwords_that_are_cut_otherwise_are_refused(monkeypatch):
    tokenizer = learned("written", Subwords)
    monkeypatch.setattr(tokenizer, "_encode", lambda sentence: [UNKNOWN])
    with pytest.raises(InputError, match="expected byte-pair encoding"):
        TextInGraph(tokenizer)


class Saved(tf.Module):
    """A model whose text is all there is to it."""

    def __init__(self, text: TextInGraph):
        super().__init__()
        self.text = text

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def encode(self, sentences):
        return self.text.encode(sentences)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def decode(self, ids):
        return self.text.decode(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_keeps_all_of_it(kind, tmp_path):
    tokenizer = learned("tokenised", kind)
    tf.saved_model.save(Saved(TextInGraph(tokenizer)), tmp_path / "model")
    sentences = [*CORPORA["tokenised"], *SENTENCES, *generated(100, seed=2)]
    assert_equal(tokenizer, tf.saved_model.load(tmp_path / "model"), sentences)


def test_a_saved_model_reads_and_writes_where_latentgen_is_not_installed(tmp_path):
    tokenizer = learned("tokenised", Subwords)
    tf.saved_model.save(Saved(TextInGraph(tokenizer)), tmp_path / "model")
    program = """
import sys
sys.modules.update(dict.fromkeys(("latentgen", "keras", "sentencepiece")))
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
print(model.decode(model.encode([sys.argv[2]])[0]).numpy()[0].decode())
"""
    sentence = "I don't know Mr. Smith's dog."
    arguments = [sys.executable, "-c", program, str(tmp_path / "model"), sentence]
    found = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == tokenizer.decode(tokenizer.encode(sentence))


@pytest.mark.shared
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", ["coco/image_coco.txt.gz", "news/valid.txt.gz", "multi30k/val.de.gz"]
)
def test_sentences_of_real_corpora_are_those_of_the_library(name, kind):
    with gzip.open(shared_path(f"data/text/{name}"), "rt", encoding="utf-8") as lines:
        sentences = [line.strip() for line, _ in zip(lines, range(900), strict=False)]
    tokenizer = kind.learn(sentences[:600], size=1_000)
    written = [tokenizer.spelling.write(sentence) for sentence in sentences[500:]]
    assert_equal(tokenizer, TextInGraph(tokenizer), [*sentences[500:], *written])
