"""What may be declared as a primitive."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import aino
from aino.autograd import callpath
from aino.autograd.primitive import REGISTRY, primitive


def written(declared) -> set[str]:
    """Return the names in a call path that are not the primitive's own."""
    own = {*declared.inputs, *declared.arguments, *declared.parameters, declared.name}
    found = set()
    for source in (callpath.forward_source(declared), callpath.pullback_source(declared)):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
    derived = {f"{name}_{what}" for name in declared.inputs for what in ("shape", "dtype")}
    return {name for name in found - own - derived if not callpath.NUMBERED.fullmatch(name)}


def test_every_name_of_a_call_path_is_reserved():
    declared = [each for each in REGISTRY.values() if not (each.variadic or each.outputs)]
    assert set().union(*map(written, declared)) <= callpath.RESERVED


@pytest.mark.parametrize("name", sorted({*callpath.RESERVED, "a0", "n1", "g0", "rule_x"}))
@pytest.mark.parametrize("as_input", [False, True])
def test_a_name_that_the_call_path_uses_is_refused(name, as_input):
    kernel = eval(f"lambda x, {name}: x * {name}", {})
    count = len(REGISTRY)
    with pytest.raises(TypeError, match=f"can't be called '{name}'"):
        primitive("fresh", kernel, formula="", inputs=f"x {name}" if as_input else "x",
                  x=lambda g: g)  # fmt: skip
    assert len(REGISTRY) == count


def test_other_names_are_told_apart():
    scaled = primitive("scaled_by_dtype", lambda x, dtype, view: x * dtype + view, formula="",
                       promotes="float", x=lambda g, dtype: g * dtype)  # fmt: skip
    try:
        x = aino.tensor([1, 2], dtype=aino.float64, requires_grad=True)
        y = scaled(x, 3.0, 1.0)
        y.sum().backward()
        np.testing.assert_array_equal(y.array, [4.0, 7.0])
        assert x.grad.tolist() == [3.0, 3.0]
    finally:
        del REGISTRY["scaled_by_dtype"]
