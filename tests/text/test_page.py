"""Pages of sentences."""

import re

import pytest

from latentgen.errors import InputError
from latentgen.text.page import Section, lines, write_page


def test_what_was_changed_is_marked():
    html = lines(["a cat sits on the sofa"], ["a dog sits on the red sofa"], ["1 of 1"])
    assert re.findall("<mark>(.*?)</mark>", html) == ["cat"]
    assert "<del>a dog sits on the red sofa</del>a <mark>cat</mark> sits on the sofa" in html
    assert "<small>1 of 1</small>" in html
    assert "<mark>" not in lines(["as it was"], ["as it was"])


def test_what_is_said_is_text_and_nothing_is_a_dash():
    assert lines(["<b> & co", ""]) == (
        '<ol class="lines"><li>&lt;b&gt; &amp; co</li><li>—</li></ol>'
    )
    assert lines([""], ["<i>"]) == '<ol class="lines"><li><del>&lt;i&gt;</del>—</li></ol>'


@pytest.mark.parametrize("others", [{"originals": ["one"]}, {"captions": ["one"]}])
def test_as_many_of_each(others):
    with pytest.raises(InputError, match=f"{next(iter(others))}: expected 2, received 1"):
        lines(["one", "two"], **others)


def test_a_page(tmp_path):
    sections = [Section("Short & long", ["a cat", "a dog"], text="two <of> them")]
    write_page(tmp_path / "page.html", "Asked for", sections, lead="Read it.")
    text = (tmp_path / "page.html").read_text()
    assert text.count("<li>") == 2
    assert "<h2>Short &amp; long</h2><p>two &lt;of&gt; them</p>" in text
    assert '<p class="lead">Read it.</p>' in text
    assert "<script>" not in text
    assert text.endswith("</html>\n")
