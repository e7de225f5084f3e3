"""Numbers and texts as they stand in a drawing."""

import numpy as np
import pytest

from aino.drawing.dot import attributes, escaped, quoted, text_line
from aino.drawing.numbers import brief, number_lines, parameter_text, shape_text, shorten


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (-0.5, "-0.5"), (1 / 3, "0.3333"), (1e10, "1e+10"), (7, "7"), (True, "True"),
     (float("nan"), "nan"), (float("-inf"), "-inf"), (1.5 - 2j, "1.5-2j")],
)  # fmt: skip
def test_numbers(number, text):
    assert brief(number) == text


def test_arrays():
    assert number_lines(np.array(2.5)) == ["2.5"]
    assert number_lines(np.array([1, 2])) == ["[1, 2]"]
    assert number_lines(np.arange(8.0).reshape(2, 2, 2)) == [
        "[0, 1]", "[2, 3]", "[4, 5]", "[6, 7]"
    ]  # fmt: skip
    assert shape_text((2,), np.dtype("float32")) == "(2,) float32"
    assert shape_text((), None) == "()"


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (0.5, "0.5"), ("mean", "'mean'"), (slice(1, None, 2), "1::2"), (..., "…"),
     ((0, None, ...), "0, None"), (np.dtype("int64"), "int64"), (np.array([1, 2]), "[1, 2]"),
     (np.zeros(100), ""), (object(), ""), ((1, object()), "")],
)  # fmt: skip
def test_parameters(value, text):
    assert parameter_text(value) == text


def test_escaping():
    assert quoted('a "b" \\ c\nd') == r'"a \"b\" \\ c\nd"'
    assert escaped("<b> & 'c'") == "&lt;b&gt; &amp; &#x27;c&#x27;"
    assert escaped("a\x00\n\ud800é名") == "a���é名"
    assert attributes(label="<B>", color="red") == ' [label=<B>, color="red"]'
    assert attributes() == ""


def test_lines_are_shortened_before_they_are_escaped():
    assert shorten("abcdef", 4) == "abc…"
    assert text_line("<" * 100) == "&lt;" * 43 + "…"
    assert text_line("x", "B", "red") == '<FONT COLOR="red"><B>x</B></FONT>'
