"""Arguments have PyTorch's names, order, kinds and defaults; what AINO adds comes by keyword."""

from __future__ import annotations

import inspect
import re

import pytest

import aino

torch = pytest.importorskip("torch")

PLACES = ["nn", "nn.functional", "nn.init", "nn.utils", "autograd", "autograd.functional"]

#: What differs on purpose, with the reason.
DIFFERENT = {
    "nn.Module.to": "its keywords have names; PyTorch's take any, and refuse most",
    "nn.Module.forward": "subclasses define it; in PyTorch any call of it raises",
    "nn.ParameterDict.__call__": "nothing to compute",
    "nn.functional.conv_tbc": "PyTorch tells its arguments in words alone",
    **dict.fromkeys(
        ["nn.functional.scaled_mm", "nn.functional.scaled_grouped_mm"],
        "their default dtype is bfloat16, which NumPy does not have",
    ),
    **dict.fromkeys(
        ["nn.functional.ScalingType", "nn.functional.SwizzleType"], "an enumeration of Python's"
    ),
    "nn.UninitializedBuffer.cls_to_become": "a Buffer, which knows whether it is persistent",
    **dict.fromkeys(["nn.NLLLoss2d", "nn.Container"], "PyTorch's shows those of its warning"),
    **{
        f"nn.init.{name}": "a former name, and PyTorch's does not show its arguments"
        for name in (
            "constant",
            "dirac",
            "eye",
            "kaiming_normal",
            "kaiming_uniform",
            "normal",
            "orthogonal",
            "sparse",
            "uniform",
            "xavier_normal",
            "xavier_uniform",
        )
    },
    "autograd.Function": "never made; PyTorch's constructor is there to say so",
    **dict.fromkeys(
        ("nn.GRU", "nn.LSTM", "nn.RNN"), "PyTorch's takes anything, and hands it to RNNBase"
    ),
    "autograd.Variable": "PyTorch's does not show its arguments",
    "autograd.variable": "the file of Variable, which PyTorch hides behind the class",
    "autograd.no_grad": "PyTorch's takes a function to decorate in __new__, and does not show it",
    **{
        f"nn.functional.{kind}max_pool{n}d": "PyTorch chooses one of two by return_indices"
        for kind in ("", "adaptive_", "fractional_")
        for n in (1, 2, 3)
    },
}


def place_of(library, path):
    for name in path.split("."):
        library = getattr(library, name)
    return library


def public(thing):
    """Yield the functions and classes of a namespace that are its own, with their names."""
    for name in dir(thing):
        found = getattr(thing, name)
        origin = getattr(found, "__module__", None) or ""
        if name[0] != "_" and callable(found) and origin.startswith("torch") and name != "Tensor":
            yield name, found


def rows():
    for path in PLACES:
        ours = place_of(aino, path)
        for name, theirs in public(place_of(torch, path)):
            if not hasattr(ours, name):
                continue
            own = getattr(ours, name)
            yield pytest.param(own, theirs, id=f"{path}.{name}")
            for method in vars(theirs) if isinstance(theirs, type) else ():
                if method[0] != "_" and callable(getattr(theirs, method)) and hasattr(own, method):
                    pair = getattr(own, method), getattr(theirs, method)
                    yield pytest.param(*pair, id=f"{path}.{name}.{method}")


def arguments(function):
    """Return (name, kind, default) of each argument, None where Python can't tell."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    # A function that is a default is known by its name: each library has its own.
    return [
        (p.name, p.kind, p.default.__name__ if inspect.isfunction(p.default) else p.default)
        for p in found
    ]


def documented(function):
    """Return (name, default) of each argument as the first line of the documentation has them."""
    inside = re.match(r"\s*\w+\((.*?)\) *-> *\w*Tensor", function.__doc__ or "", re.S)
    assert inside, f"{function} is documented in another way"
    pairs = [argument.partition("=") for argument in inside[1].split(",")]
    return [(name.strip(), default.strip()) for name, _, default in pairs if name.strip() != "*"]


ROWS = [row for row in rows() if row.id not in DIFFERENT]


@pytest.mark.parametrize(("own", "theirs"), ROWS)
def test_arguments(own, theirs):
    expected = arguments(theirs)
    found = arguments(own)
    assert found is not None
    if expected is None:
        empty = inspect.Parameter.empty
        shown = [(name, "" if value is empty else value) for name, _, value in found]
        expected = [(name, value and eval(value)) for name, value in documented(theirs)]
        assert shown[: len(expected)] == expected
        assert all([value != "" for _, value in shown[len(expected) :]])
        return
    assert found[: len(expected)] == expected
    assert all([kind == inspect.Parameter.KEYWORD_ONLY for _, kind, _ in found[len(expected) :]])
