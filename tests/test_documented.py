"""A public name with more than one argument says what each of them is."""

import ast
import enum
import importlib
import inspect
import re
import textwrap

import pytest

from aino.ops.public import METHODS

PLACES = [
    "aino", "aino.array_api", "aino.array_api.fft", "aino.array_api.linalg", "aino.accelerator",
    "aino.amp", "aino.autograd", "aino.autograd.functional",
    "aino.autograd.graph", "aino.utils.checkpoint", "aino.utils.data",
    "aino.backends.cudnn", "aino.compiler", "aino.cuda", "aino.debug", "aino.distributed",
    "aino.distributions",
    "aino.distributions.constraints", "aino.distributions.utils", "aino.dit", "aino.drawing",
    "aino.explaining",
    "aino.fft", "aino.formats", "aino.formats.safetensors", "aino.hub", "aino.jit",
    "aino.multiprocessing", "aino.nn.parallel", "aino.onnx",
    "aino.plot", "aino.profiler", "aino.utils.tensorboard", "aino.backends.cuda",
    "aino.linalg", "aino.masked", "aino.nn", "aino.nn.functional", "aino.nn.init", "aino.nn.utils",
    "aino.optim", "aino.optim.lr_scheduler", "aino.optim.swa_utils",
    "aino.random", "aino.signal.windows", "aino.special",
    "aino.testing", "aino.train", "aino.train.metrics",
]  # fmt: skip


def named():
    """Every public function and class, and every method of tensors and of the classes."""
    for place in PLACES:
        module = importlib.import_module(place)
        for name in dir(module):
            thing = getattr(module, name)
            yield name, thing
            if isinstance(thing, type) and thing.__module__.startswith("aino."):
                yield from ((f"{name}.{method}", own) for method, own in methods(thing))
    yield from METHODS.items()


def methods(cls):
    """The methods of a class and of its bases, but ``forward``, which the class describes."""
    for name in dir(cls):
        own = inspect.getattr_static(cls, name)
        if isinstance(own, classmethod | staticmethod):
            own = own.__func__
        if name[0] != "_" and name != "forward" and inspect.isfunction(own):
            yield name, own


def public():
    """Every public function, class and method of more than one argument, once."""
    seen = set()
    for name, thing in named():
        # A namespace may hand out a wrapper; what is documented is what it wraps.
        own = inspect.unwrap(thing) if callable(thing) else thing
        # One may be without an argument of the other, as methods are without ``out``.
        key = (own.__module__, own.__qualname__) if inspect.isfunction(own) else id(own)
        if name.startswith("_") or not callable(thing) or key in seen:
            continue
        seen.add(key)
        origin = getattr(own, "__module__", None) or ""
        if not origin.startswith("aino.") or inspect.ismodule(thing):
            continue
        if isinstance(thing, type) and issubclass(thing, BaseException | enum.Enum):
            continue
        try:
            parameters = inspect.signature(thing).parameters.values()
        except (TypeError, ValueError):
            continue
        bound = ("self", "cls")
        names = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD and p.name not in bound]
        if hasattr(thing, "with_out") and "out" in names and len(names) == 2:
            names = ["out"]  # the first sentence says what the only other one is
        if len(names) > 1 or names == ["out"]:
            yield origin, name, thing, names


def unread(function, names):
    """The arguments that a function does not read, where it does more than raise."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError):
        return []
    if not isinstance(tree.body[0], ast.FunctionDef):
        return []
    body = tree.body[0].body[ast.get_docstring(tree.body[0]) is not None :]
    if all(isinstance(statement, ast.Raise) for statement in body):
        return []
    read = {n.id for part in body for n in ast.walk(part) if isinstance(n, ast.Name)}
    return [name for name in names if name not in read]


def described(thing):
    """The docstring; of a method that says nothing that of the one it replaces, as in ``help``."""
    return (thing.__doc__ if isinstance(thing, type) else inspect.getdoc(thing)) or ""


def without_effect(docstring):
    """The arguments of which a docstring says that they change nothing."""
    lines = re.findall(r"^ +([\w, ]+): (.*)$", docstring, re.MULTILINE)
    said = re.compile(r"no effect|not read|changes? nothing|sake|to warn|is the same")
    return {n.strip() for head, text in lines if said.search(text) for n in head.split(",")}


def untold(docstring, names):
    """The arguments that a docstring does not list, or at least name as code."""
    _, found, listed = docstring.partition("Arguments:")
    heads = re.findall(r"^ +([\w, ]+):(?: |$)", listed, re.MULTILINE) if found else []
    told = {name.strip() for head in heads for name in head.split(",")}
    told |= set(re.findall(r"``(\w+)(?:=[^`]*)?``", docstring))
    return [name for name in names if name not in told]


@pytest.mark.parametrize(
    ("thing", "names"), [pytest.param(*row[2:], id=f"{row[0]}-{row[1]}") for row in public()]
)
def test_each_argument_is_told_of(thing, names):
    docstring = described(thing)
    assert untold(docstring, names) == []
    # What is taken and not read says so; ``out`` is read by what calls the function.
    elsewhere = {"out"} if hasattr(thing, "with_out") else set()
    assert set(unread(thing, names)) <= without_effect(docstring) | elsewhere


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("", ["a", "bc"]),
        ("a and bc", ["a", "bc"]),
        ("``a`` times ``bc=2``", []),
        ("Arguments:\n    a: one.\n    bc: two.", []),
        ("Arguments:\n    a, bc: both.", []),
        ("Arguments:\n    a: one, not\n        bc.", ["bc"]),
    ],
)
def test_the_check_itself(docstring, expected):
    assert untold(docstring, ["a", "bc"]) == expected


def test_the_check_of_what_is_read():
    def function(a, b, c):
        """One.

        Arguments:
            b, c: has no effect.
        """
        return a

    assert unread(function, ["a", "b", "c"]) == ["b", "c"]
    assert without_effect(function.__doc__) == {"b", "c"}
