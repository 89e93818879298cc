"""Files of sentences: their forms, what is wrong with them said in one line, bounded memory."""

import gzip
import itertools
import tracemalloc
import zipfile

import pytest

from latentgen.errors import FileError, InputError
from latentgen.text.labelled import read_labelled_sentences
from latentgen.text.reading import LONGEST_LINE, read_labelled_lines, read_lines, read_parallel
from tests.shared import shared_path

TEXT = " first line \r\n\nthe <unk> cost N\nlast"
LINES = ["first line", "the <unk> cost N", "last"]


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_text_gzip_archives_tables_and_folders_give_the_same_sentences(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "b.dev.gz").write_bytes(gzip.compress(TEXT.encode()))
    zipped(tmp_path / "c.zip", **{"train.txt": TEXT, "valid.txt": "other", "__MACOSX/._t": "\0"})
    zipped(tmp_path / "one.zip", **{"train.txt": TEXT})
    table = 'id,text\n1," first line "\n2,\n3,the <unk> cost N\n4,"last"\n'
    (tmp_path / "d.csv").write_text(table)
    (tmp_path / "e.tsv.gz").write_bytes(gzip.compress(b"said\n" + TEXT.encode()))
    for name in ("a.txt", "b.dev.gz", "c.zip:train.txt", "one.zip", "d.csv", "e.tsv.gz"):
        assert list(read_lines(tmp_path / name)) == LINES, name
    assert list(read_lines(tmp_path / "d.csv", column="id")) == ["1", "2", "3", "4"]
    assert list(read_lines(tmp_path / "a.txt", keep_empty=True)) == [LINES[0], "", *LINES[1:]]
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "z.txt").write_text("z")
    (folder / "a.txt.gz").write_bytes(gzip.compress(b"a\n"))
    (folder / ".hidden.txt").write_text("hidden")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    assert list(read_lines(folder)) == ["a", "z"]


def test_a_byte_order_mark_is_no_letter_and_next_line_characters_end_no_line(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffone\x85two three\n".encode())
    assert list(read_lines(tmp_path / "a.txt")) == ["one\x85two three"]


def broken_gzip():
    return gzip.compress(b"a sentence\n" * 5000)[:-20]


def zip_with_a_flipped_byte(tmp_path):
    path = zipped(tmp_path / "whole.zip", **{"a.txt": "a sentence\n" * 500})
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("latin.txt", "fine\ncaf\xe9 ol\xe9\n".encode("latin-1"), "line 2, byte 4.*0xe9"),
        ("utf16.txt", "fine".encode("utf-16"), "line 1, byte 1: expected text in UTF-8"),
        ("zeros.txt", b"one\ntw\0o\n", "line 2, byte 3: expected text, received a zero"),
        ("empty.txt", b"", "only empty lines"),
        ("blank.txt", b"\n \n\t\r\n", "only empty lines"),
        ("long.txt", b"short\n" + b"word " * 2_000_000, "line 2: expected at most 1,048,576"),
        ("cut.txt.gz", broken_gzip(), "cut.txt.gz: expected a whole file, it is damaged at line"),
        ("fake.txt.gz", b"no gzip at all", "damaged at line 1"),
        ("fake.zip", b"no zip at all", "expected a file with text"),
        ("flipped.zip", zip_with_a_flipped_byte, "damaged at line"),
        ("a.csv", b"id,name\n1,x\n", r"expected a column text or sentence, received \['id'"),
        ("b.csv", b"text,label\nfine,1\nbad\n", "line 3: expected 2 cells, received 1"),
        ("c.csv", b'text,label\n"' + b"a" * 200_000 + b'",1\n', "expected a table"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path, name, content, message):
    data = content(tmp_path) if callable(content) else content
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FileError, match=message) as caught:
        list(read_lines(path))
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(FileError, match="there is none"):
        list(read_lines(tmp_path / "none.txt"))
    with pytest.raises(FileError, match="there is none"):
        list(read_lines(tmp_path / "none.zip:a.txt"))
    zipped(tmp_path / "two.zip", **{"a.txt": "a", "b.txt": "b"})
    for name in ("two.zip", "two.zip:c.txt"):
        with pytest.raises(FileError, match=r"a\.txt, b\.txt"):
            list(read_lines(tmp_path / name))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "picture.png").write_bytes(b"\x89PNG")
    with pytest.raises(FileError, match="folder with text"):
        list(read_lines(tmp_path / "folder"))
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(InputError, match="column"):
        list(read_lines(tmp_path / "a.txt", column="text"))


def test_memory_is_bounded_however_large_a_file_is(tmp_path):
    path = tmp_path / "large.txt.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:  # 8 MB, and then a line of 10 MB
        file.write((b"word " * 15 + b"\n") * 110_000)
        file.write(b"x" * 10_000_000)
    tracemalloc.start()
    try:
        sentences = read_lines(path)
        count = sum(1 for _ in itertools.islice(sentences, 110_000))
        with pytest.raises(FileError, match="line 110,001: expected at most"):
            next(sentences)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 110_000
    assert peak < 4 * LONGEST_LINE


def test_labelled_lines_are_read_in_either_encoding(tmp_path):
    path = tmp_path / "stsa.train"
    path.write_bytes(b"1 a fine\x85 film .\n\n0 bad caf\xe9 .\n" + "2 é\n".encode())
    assert read_labelled_lines(path) == (["a fine\x85 film .", "bad café .", "é"], ["1", "0", "2"])
    path.write_text("1 fine\nlonely\n")
    with pytest.raises(FileError, match="line 2: expected a label, a space and a sentence"):
        read_labelled_lines(path)
    path.write_text("\n\n")
    with pytest.raises(FileError, match="received none"):
        read_labelled_lines(path)


def test_parallel_files_must_have_as_many_lines(tmp_path):
    source, target = tmp_path / "a.en", tmp_path / "a.de"
    source.write_text("one\n\nthree\n")
    target.write_text("eins\nzwei\ndrei\n")
    assert list(read_parallel(source, target)) == [("one", "eins"), ("", "zwei"), ("three", "drei")]
    target.write_text("eins\nzwei\ndrei\nvier\nfünf\n")
    with pytest.raises(FileError, match="received 3 and 5"):
        list(read_parallel(source, target))


def test_labelled_sentences_come_from_a_table_or_a_file_a_class(tmp_path):
    table = tmp_path / "reviews.csv"
    table.write_text("text,positive,stars\ngood food,yes,5\nbad food,no,\n,yes,1\n")
    sentences, labels = read_labelled_sentences(table)
    assert sentences == ["good food", "bad food"]
    assert labels == {"positive": [True, False], "stars": [5.0, None]}
    folder = tmp_path / "classes"
    folder.mkdir()
    (folder / "good.txt").write_text("fine\nnice\n")
    (folder / "poor.txt.gz").write_bytes(gzip.compress(b"awful\n"))
    sentences, labels = read_labelled_sentences(folder)
    assert sentences == ["fine", "nice", "awful"]
    assert labels == {"class": ["good", "good", "poor"]}
    table.write_text("text\nfine\n")
    with pytest.raises(FileError, match="one for each attribute"):
        read_labelled_sentences(table)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "sentences", "words"),
    [
        ("ptb/ptb.zip:ptb.train.txt", 42_068, 887_521),
        ("ptb/ptb.zip:ptb.valid.txt", 3_370, 70_390),
        ("coco/image_coco.txt.gz", 9_999, None),
        ("multi30k/train.de.gz", 29_000, None),
    ],
)
def test_published_counts(name, sentences, words):
    folder, file = name.split("/")
    lines = list(read_lines(shared_path(f"data/text/{folder}") / file))
    assert abs(len(lines) - sentences) <= 1
    assert words is None or sum(len(line.split()) for line in lines) == words
