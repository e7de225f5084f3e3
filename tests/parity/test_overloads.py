"""Every way to call a function or a method that PyTorch's stubs declare, AINO's signature takes.

PyTorch's operations are built in: Python can't tell their arguments, but the stubs beside them
can. A row is one declaration, bound to AINO's signature by place and by name.
"""

import ast
import inspect
from pathlib import Path

import pytest

import aino

torch = pytest.importorskip("torch")

STUBS = Path(torch.__file__).parent / "_C"

#: What is left out on purpose, with the reason.
DIFFERENT = {
    "aino.result_type": "takes any number of operands, so they have no names",
    "aino.subtract": "alpha is given by name, as in sub",
    "Tensor.subtract": "alpha is given by name, as in sub",
    **dict.fromkeys(
        (
            "aino.binary_cross_entropy_with_logits",
            "aino.cosine_embedding_loss",
            "aino.hinge_embedding_loss",
            "aino.kl_div",
            "aino.margin_ranking_loss",
            "aino.triplet_margin_loss",
        ),
        "PyTorch's default is another than the reduction that its stub declares",
    ),
    "aino.tensor": "PyTorch refuses what its stub declares",
    "Tensor.new_tensor": "PyTorch refuses what its stub declares",
    **dict.fromkeys(
        ("aino.conv1d", "aino.conv2d", "aino.conv3d"),
        "of two declarations with other defaults, 0 is the default of the first",
    ),
    "aino.native_batch_norm": "it makes its results",
    "Tensor.to": "PyTorch refuses the name other, which its stub declares",
}

#: Defaults that are spelled otherwise and mean the same.
SAME = {("()", None), ("None", 0.0), ("None", 1), ("None", False), ("True", None), ("1", None)}


def declarations(name, inside=None):
    """Yield the functions that a stub declares, in a class or outside of one."""
    body = ast.parse((STUBS / name).read_text(encoding="utf-8")).body
    if inside is not None:
        body = next(n for n in body if isinstance(n, ast.ClassDef) and n.name == inside).body
    return [node for node in body if isinstance(node, ast.FunctionDef)]


def arguments(node):
    """Return (places, names, defaults) of a declaration, None if it says no more.

    Left out are names of dimensions, dtypes of results, and the oldest forms, in which a number
    stands before the tensor.
    """
    given, text = node.args, ast.unparse(node.args)
    places = [a.arg for a in given.posonlyargs + given.args]
    if given.vararg or "names" in text or "EllipsisType" in text:
        return None
    if "out_dtype" in places or "self" in places[1:]:
        return None
    names = [a.arg for a in given.kwonlyargs]
    defaults = dict(zip(reversed(places), map(ast.unparse, reversed(given.defaults))))
    defaults |= {
        a.arg: ast.unparse(default)
        for a, default in zip(given.kwonlyargs, given.kw_defaults)
        if default is not None
    }
    return places, names, defaults


def rows():
    for where, place, nodes in (
        ("aino", aino, declarations("_VariableFunctions.pyi")),
        ("Tensor", aino.Tensor, declarations("__init__.pyi", "TensorBase")),
    ):
        for node in nodes:
            own = getattr(place, node.name, None)
            label = f"{where}.{node.name}"
            in_place = node.name.endswith("_")  # hands on what it is given
            if not callable(own) or isinstance(own, type) or label in DIFFERENT or in_place:
                continue
            found = arguments(node)
            if node.name.startswith("_") or found is None:
                continue
            if (where == "aino") == (found[0][:1] == ["self"]):
                continue
            if where == "Tensor" and "out" in found[1]:
                found[1].remove("out")  # PyTorch's methods refuse it
            yield pytest.param(own, where == "Tensor", *found, id=label)


def spelled(function):
    """Return the other names that arguments may be given by."""
    names = {}
    while function is not None:
        names |= getattr(function, "other_names", {})
        function = getattr(function, "__wrapped__", None)
    return names


@pytest.mark.parametrize(("own", "bound", "places", "names", "defaults"), list(rows()))
def test_a_declaration_is_taken(own, bound, places, names, defaults):
    try:
        signature = inspect.signature(own)
    except ValueError:  # Python's own
        return
    others = spelled(own)
    first, places = (places[:1], places[1:]) if bound else ([], places)
    signature.bind(*first, *places, **dict.fromkeys(names))
    signature.bind(*first, **dict.fromkeys([others.get(name, name) for name in places + names]))
    for name, default in defaults.items():
        parameter = signature.parameters.get(others.get(name, name))
        if parameter is None or parameter.default is parameter.empty:
            continue
        try:
            expected = ast.literal_eval(default)
        except ValueError:  # a constant of PyTorch's
            continue
        same = expected == parameter.default
        assert same or (default, parameter.default) in SAME, f"{name}={default}"


def test_there_are_many():
    assert len(list(rows())) > 500
