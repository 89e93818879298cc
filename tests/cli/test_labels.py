"""Labelled examples as people keep them: tables, folders a class, files a class."""

import pytest

from latentgen.cli.labels import parse_wants, typed_value
from latentgen.errors import FileError, InputError
from latentgen.labels import read_labelled, typed


def read(path):
    """An example a line."""
    return path.read_text().split()


def labelled(source, table=None):
    return read_labelled(source, table, read, {".txt"})


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_txt", ".txt").replace("_csv", ".csv")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def test_a_folder_for_each_class(tmp_path):
    write(tmp_path, round__a_txt="o O", square__b_txt="m", square__c_txt="n")
    found = labelled(tmp_path)
    assert found.examples == ["o", "O", "m", "n"]
    assert found.labels == {"class": ["round", "round", "square", "square"]}


def test_a_file_for_each_class(tmp_path):
    write(tmp_path, cat_txt="a b", dog_txt="c")
    (tmp_path / "README.md").write_text("not an example")
    assert labelled(tmp_path).labels == {"class": ["cat", "cat", "dog"]}


def test_labels_beside_the_files(tmp_path):
    write(tmp_path, a_txt="x y", b_txt="z")
    (tmp_path / "labels.csv").write_text(
        "file,index,round,area\na.txt,1,yes,0.5\nb.txt,,no,\na.txt,0,,2\n"
    )
    found = labelled(tmp_path)
    assert found.examples == ["y", "z", "x"]
    assert found.labels == {"round": ["yes", "no", None], "area": ["0.5", None, "2"]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "round\nyes\nno\n"),
        ("t.json", '[{"round": "yes"}, {"round": "no"}]'),
        ("t.json", '{"round": ["yes", "no"]}'),
    ],
)
def test_a_row_for_each_example_of_one_file(tmp_path, name, text):
    write(tmp_path, a_txt="x y")
    (tmp_path / name).write_text(text)
    found = labelled(tmp_path / "a.txt", tmp_path / name)
    assert found == (["x", "y"], {"round": ["yes", "no"]})


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("t.csv", "", FileError, "empty table"),
        ("t.csv", "round\n", FileError, "empty table"),
        ("t.csv", "round,round\nyes,no\n", FileError, "different names"),
        ("t.csv", "round,area\nyes\n", FileError, "expected 2 cells, received 1"),
        ("t.csv", "index\n0\n", InputError, "a column for each attribute"),
        ("t.csv", "round\nyes\n", InputError, "each of the 2 examples .* received 1"),
        ("t.csv", "round\nyes\nno\nyes\n", InputError, "index from 0 to 1"),
        ("t.csv", "index,round\n7,yes\n", InputError, "index from 0 to 1 .* received 7"),
        ("t.csv", "index,round\n-1,yes\n", InputError, "index from 0 to 1 .* received -1"),
        ("t.json", "[", FileError, "expected JSON"),
        ("t.json", "3", FileError, "list of records"),
        ("t.json", '[{"a": 1}, {"b": 2}]', FileError, "row 2: expected columns"),
        ("t.json", '{"a": [1], "b": [1, 2]}', FileError, "one length"),
    ],
)
def test_tables_that_do_not_fit(tmp_path, name, text, error, message):
    write(tmp_path, a_txt="x y")
    (tmp_path / name).write_text(text)
    with pytest.raises(error, match=message):
        labelled(tmp_path / "a.txt", tmp_path / name)


def test_a_table_that_is_no_text(tmp_path):
    write(tmp_path, a_txt="x")
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="UTF-8"):
        labelled(tmp_path / "a.txt", tmp_path / "t.csv")


def test_sources_without_labels(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        labelled(tmp_path / "nothing")
    with pytest.raises(FileError, match="a folder for each class"):
        labelled(tmp_path)
    write(tmp_path, a_txt="x")
    with pytest.raises(InputError, match="give a CSV"):
        labelled(tmp_path / "a.txt")
    (tmp_path / "labels.csv").write_text("round\nyes\n")
    with pytest.raises(InputError, match="column 'file'"):
        labelled(tmp_path)


def test_what_a_column_means():
    assert typed(["yes", "No", None, "1"]) == [True, False, None, True]
    assert typed(["0.5", "2", None]) == [0.5, 2.0, None]
    assert typed(["cat", "2", None]) == ["cat", "2", None]


def test_what_is_wanted():
    columns = {"round": [True, None, False], "class": ["cat", "dog"]}
    assert parse_wants(["round=no", "cat"], columns) == {"round": "no", "class": "cat"}
    assert typed_value("round", "no", columns["round"]) is False
    assert typed_value("class", "cat", columns["class"]) == "cat"
    assert typed_value("area", "0.25", [None, 0.5, 2.0]) == 0.25
    with pytest.raises(InputError, match="attribute=value"):
        parse_wants(["colour=red"], columns)
    with pytest.raises(InputError, match=r"one of \['cat', 'dog'\], received 'cow'"):
        typed_value("class", "cow", columns["class"])
    with pytest.raises(InputError, match="yes or no"):
        typed_value("round", "perhaps", columns["round"])
    with pytest.raises(InputError, match="a number"):
        typed_value("area", "large", [0.5])
