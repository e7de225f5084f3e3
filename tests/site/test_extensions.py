"""What the site is made by: docstrings as pages, the reference, the table of the calculus."""

import dis
import importlib
import inspect
import sys
from pathlib import Path

import pytest

from tests.test_documented import PLACES

pytest.importorskip("sphinx")
pytest.importorskip("matplotlib")
EXTENSIONS = Path(__file__).resolve().parents[2] / "docs" / "_extensions"


@pytest.fixture(scope="module")
def extension():
    sys.path.insert(0, str(EXTENSIONS))
    yield importlib.import_module
    sys.path.remove(str(EXTENSIONS))


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("y = |x| * a_ and ``*args``.", [r"y = \|x\| \* a\_ and ``*args``.", ""]),
        ("``x``'s and n``y``.", [r"``x``'s and n\ ``y``.", ""]),
        ("``a\nb`` *c", ["``a", r"b`` \*c", ""]),
        ("One.\n\n    m = β·m", ["One.", "", "::", "", "        m = β·m", ""]),
        ("Arguments:\n    a, b: one\n        more.\n    *c: ``d``.",
         ["**Arguments**", "", "* **a**, **b**: one", "  more.", r"* **\*c**: ``d``.", ""]),
        (">>> f(*a)\n1", [">>> f(*a)", "1", ""]),
    ],
)  # fmt: skip
def test_docstrings(extension, docstring, expected):
    assert extension("docstrings").restructured(docstring.splitlines()) == expected


def test_the_reference_has_every_place(extension):
    reference = extension("reference")
    spaces = {space for _, spaces in reference.PAGES.values() for space in spaces}
    assert {*PLACES} - {"aino"} <= spaces


def test_every_name_of_aino_is_in_one_family(extension):
    reference = extension("reference")
    rows = [line for _, lines in reference.families() for line in lines if "* - :py:obj:" in line]
    names = [line.partition("`")[2].partition(" <")[0] for line in rows]
    import aino

    assert sorted(names) == sorted({*reference.public(aino)} - {"Tensor"})


def rules(calculus):
    calculus.modules()
    for primitive in calculus.REGISTRY.values():
        for name, rule in primitive.rules.items():
            yield f"{primitive.name}.{name}", rule


def what_it_does(function):
    """What a function calls and computes, but for where it finds names and constants."""
    code = function.__code__
    names = sorted({*code.co_names, *code.co_freevars})
    operations = [
        step.opname for step in dis.get_instructions(code)
        if not step.opname.startswith(("LOAD_", "COPY_FREE", "RESUME", "PUSH_NULL"))
    ]  # fmt: skip
    return names, sorted(map(repr, {*code.co_consts} - {None})), operations


def test_the_calculus_prints_the_rules_that_run(extension):
    """The text of a rule, compiled again, is the rule."""
    calculus = extension("calculus")
    for name, rule in rules(calculus):
        text, source = calculus.text_of(rule)
        if source is not None:
            assert f"def {rule.__name__}(" in source, name
            continue
        parameters = str(inspect.signature(rule))[1:-1]
        again = eval(f"lambda {parameters}: {text}", {})
        assert what_it_does(again) == what_it_does(rule), name


def test_every_primitive_stands_on_the_page(extension):
    calculus = extension("calculus")
    known = {calculus.declared_in().get(name, "") for name in calculus.REGISTRY}
    calculus_of_the_engine = {"alias", "cast", "unmoved", "overwrite", "replace"}
    missing = {n for n in calculus.REGISTRY if n not in calculus.declared_in()}
    assert missing <= calculus_of_the_engine
    assert known >= {"aino.autograd.rules.elementwise", "aino.autograd.rules.exponential"}


def test_a_curve_and_its_slope(extension):
    calculus = extension("calculus")
    calculus.modules()
    x, y, slope = calculus.curve(calculus.REGISTRY["square"])
    assert abs(y - x**2).max() < 1e-12
    assert abs(slope - 2 * x).max() < 1e-12
