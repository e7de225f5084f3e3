"""The checks that every row has to pass: each takes a row and a case, and raises AssertionError.

``test_rows.py`` runs them on every row, ``test_checks.py`` on rows with planted errors.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import numpy as np

import aino
import aino.autograd.rules
from aino.autograd import engine
from aino.autograd.gradcheck import gradcheck, gradgradcheck
from aino.autograd.node import Node
from aino.autograd.primitive import REGISTRY
from aino.autograd.tensor import Tensor, make
from aino.errors import AinoError
from tests.calculus import derivatives
from tests.calculus.row import Case, Row, Sample

#: Beyond so many elements one random projection stands for the whole Jacobian.
SMALL = 40
COMPLEX_OF = {np.float32: np.complex64, np.float64: np.complex128}


def load_rows() -> list[Row]:
    """Return the rows of every ``rows_*.py`` beside this file, and import every rule."""
    for module in pkgutil.iter_modules(aino.autograd.rules.__path__):
        importlib.import_module(f"aino.autograd.rules.{module.name}")
    names = sorted(path.stem for path in Path(__file__).parent.glob("rows_*.py"))
    modules = [importlib.import_module(f"tests.calculus.{name}") for name in names]
    return [row for module in modules for row in module.ROWS]


# Calling


def flat(result) -> list:
    """Return the outputs of a function as a list: tensors, arrays, Python values."""
    if isinstance(result, (tuple, list)) and not isinstance(result, aino_sizes):
        return [part for item in result for part in flat(item)]
    return [result]


aino_sizes = (type(make(np.zeros(1)).shape),)


def call(row: Row, case: Case, values) -> list:
    """Call the row's function with these values in the samples' places."""
    if row.seeded:
        aino.manual_seed(0)
    args, kwargs = case.fill(values)
    return flat(row.function(*args, **kwargs))


def drawn(row: Row, case: Case, dtype=np.float64) -> list[np.ndarray]:
    return case.draw(f"{row.name} {case}", dtype)


def tensors_of(case: Case, arrays) -> list[Tensor]:
    """Return tensors over the arrays; those that are differentiated require a gradient."""
    tensors = [make(array) for array in arrays]
    for sample, tensor in zip(case.samples(), tensors):
        if sample.wanted and tensor.array.dtype.kind in "fc":
            tensor.requires_grad_()
    return tensors


def wanted_of(tensors) -> list[Tensor]:
    return [tensor for tensor in tensors if tensor.requires_grad]


def cotangents_of(outputs, seed=1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    seeds = []
    for y in outputs:
        values = rng.uniform(-1.0, 1.0, y.array.shape)
        if y.array.dtype.kind == "c":
            values = values + 1j * rng.uniform(-1.0, 1.0, y.array.shape)
        seeds.append(np.array(values, y.array.dtype))
    return seeds


def gradients(row: Row, case: Case, arrays, create_graph=False, seeds=None):
    """Return the outputs and the gradients for random cotangents of those that have one."""
    tensors = tensors_of(case, arrays)
    outputs = call(row, case, tensors)
    used = [y for y in outputs if isinstance(y, Tensor) and y.requires_grad]
    assert used, "no output requires a gradient"
    seeds = [make(seed) for seed in (seeds or cotangents_of(used))]
    found = engine.grad(used, wanted_of(tensors), seeds, create_graph=create_graph)
    return outputs, found


def array_of(value) -> np.ndarray:
    return np.asarray(value.array if isinstance(value, Tensor) else value)


def close(got, expected, rtol, atol, what) -> None:
    """Compare arrays; NaN and infinities in the same places, other than floats exactly."""
    got, expected = array_of(got), array_of(expected)
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    if got.dtype.kind in "fc" or expected.dtype.kind in "fc":
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol, err_msg=what)
    else:
        np.testing.assert_array_equal(got, expected, err_msg=what)


def dtypes_of(row: Row, *floats) -> list:
    return [*floats, *(COMPLEX_OF[dtype] for dtype in floats if row.complex)]


# Checks


def check_value(row: Row, case: Case) -> None:
    """The value is the oracle's, in float64 and, where allowed, complex128."""
    for dtype in dtypes_of(row, np.float64):
        arrays = drawn(row, case, dtype)
        outputs = call(row, case, [make(array) for array in arrays])
        for y in outputs:
            if isinstance(y, Tensor):
                assert type(y.array) is np.ndarray, f"the array is a {type(y.array).__name__}"
        if case.expected is not None:
            expected = flat(case.expected)
        elif row.oracle is None:
            return
        else:
            args, kwargs = case.fill([array.copy() for array in arrays])
            expected = flat(row.oracle(*args, **kwargs))
        assert len(outputs) == len(expected), f"{len(outputs)} outputs, not {len(expected)}"
        for position, (y, value) in enumerate(zip(outputs, expected)):
            close(y, value, row.rtol, row.atol, f"output {position} ({np.dtype(dtype)})")


def check_raw(row: Row, case: Case) -> None:
    """A primitive called with arrays returns the same arrays, and records nothing."""
    arrays = drawn(row, case)
    results = call(row, case, arrays)
    for y, t in zip(results, call(row, case, [make(array) for array in arrays])):
        assert not isinstance(y, Tensor), "a primitive called with arrays returned a Tensor"
        close(y, t, 1e-15, 0.0, "raw arrays")


def check_first(row: Row, case: Case) -> None:
    """The gradients are those of finite differences."""
    _check_derivatives(row, case, derivatives.check_first, gradcheck)


def check_second(row: Row, case: Case) -> None:
    """The derivatives of the gradients are those of finite differences."""
    _check_derivatives(row, case, derivatives.check_second, gradgradcheck)


def _check_derivatives(row: Row, case: Case, check_rows, check_projection) -> None:
    for dtype in dtypes_of(row, np.float64):
        tensors = tensors_of(case, drawn(row, case, dtype))

        def function(*values):
            return tuple(y for y in call(row, case, values) if isinstance(y, Tensor))

        if sum(tensor.array.size for tensor in tensors) > SMALL:
            assert check_projection(
                function, tensors, atol=row.gradtol, rtol=row.gradtol, fast_mode=True
            )
        else:
            check_rows(function, tensors, row.gradtol)


def check_recorded(row: Row, case: Case) -> None:
    """Rules on tensors (create_graph) give what they give on arrays, and can go on from there."""
    for dtype in dtypes_of(row, np.float64):
        arrays = drawn(row, case, dtype)
        _, on_arrays = gradients(row, case, arrays)
        _, on_tensors = gradients(row, case, arrays, create_graph=True)
        for position, (raw, recorded) in enumerate(zip(on_arrays, on_tensors)):
            assert type(raw.array) is np.ndarray
            assert type(recorded.array) is np.ndarray
            assert not raw.requires_grad
            close(recorded, raw, 1e-9, 1e-11, f"gradient {position} on tensors and on arrays")
        check_definition(call(row, case, tensors_of(case, arrays)))


def check_definition(outputs) -> None:
    """The definition of a fused primitive has its value."""
    for y in outputs:
        node = y.grad_fn if isinstance(y, Tensor) else None
        declared = node and node.primitive
        if declared is None or declared.definition is None:
            continue
        saved = dict(node.saved_values())
        arguments = [saved[name] for name in (*declared.inputs, *declared.parameters)]
        close(declared.definition(*arguments), y, 1e-9, 1e-11, f"definition of {declared.name}")


def check_read_only(row: Row, case: Case) -> None:
    """Neither a kernel nor a rule writes into inputs, cotangents or outputs."""
    arrays = drawn(row, case)
    kept = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    if not any(sample.wanted for sample in case.samples()) or not row.order:
        call(row, case, [make(array) for array in arrays])
    else:
        outputs, _ = gradients(row, case, arrays)
        used = [y for y in outputs if isinstance(y, Tensor) and y.requires_grad]
        values, seeds = [y.array.copy() for y in used], cotangents_of(used)
        for seed in seeds:
            seed.flags.writeable = False
        for create_graph in (False, True):
            tensors = tensors_of(case, arrays)
            outputs = call(row, case, tensors)
            used = [y for y in outputs if isinstance(y, Tensor) and y.requires_grad]
            for y in used:
                y.array.flags.writeable = False
            cotangents = [make(seed) for seed in seeds]
            engine.grad(used, wanted_of(tensors), cotangents, create_graph=create_graph)
            for y, value in zip(used, values):
                close(y, value, 0.0, 0.0, "an output after backward")
    for array, before in zip(arrays, kept):
        np.testing.assert_array_equal(array, before, err_msg="an input was mutated")


def check_layout(row: Row, case: Case) -> None:
    """Values and gradients do not depend on how the inputs lie in memory."""
    arrays = drawn(row, case)
    differentiable = row.order and any(sample.wanted for sample in case.samples())

    def results(values):
        if not differentiable:
            return call(row, case, [make(value) for value in values])
        outputs, found = gradients(row, case, values)
        return [*outputs, *found]

    expected = results(arrays)
    for layout in (_strided, _fortran, _reversed):
        for y, value in zip(results([layout(array) for array in arrays]), expected):
            close(y, value, 1e-10, 1e-12, f"{layout.__name__} inputs")


def _fortran(array):
    return np.array(array, order="F")


def _strided(array):
    if not array.ndim:
        return array
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def _reversed(array):
    back = tuple([slice(None, None, -1)] * array.ndim)
    return array[back].copy()[back]


def check_float32(row: Row, case: Case) -> None:
    """float32 stays float32: values, gradients, and gradients of gradients."""
    for dtype in dtypes_of(row, np.float32):
        arrays = drawn(row, case, dtype)
        wide = dtypes_of(row, np.float64)[0 if dtype is np.float32 else 1]
        doubles = [
            array.astype(wide) if sample.dtype is None else array
            for array, sample in zip(arrays, case.samples())
        ]
        tensors = tensors_of(case, arrays)
        outputs = call(row, case, tensors)
        for y, value in zip(outputs, call(row, case, [make(array) for array in doubles])):
            if array_of(value).dtype.kind not in "fc":
                continue
            _check_single(y, "an output")
            if not row.seeded:  # which may draw other numbers in double precision
                close(y, value, max(row.rtol, 2e-4), max(row.atol, 2e-4), "float32")
        used = [y for y in outputs if isinstance(y, Tensor) and y.requires_grad]
        if not row.order or not used:
            continue
        targets = wanted_of(tensors)
        seeds = [make(seed) for seed in cotangents_of(used)]
        for gradient in engine.grad(used, targets, seeds, retain_graph=True):
            _check_single(gradient, "a gradient")
        found = engine.grad(used, targets, seeds, create_graph=row.order > 1)
        again = [gradient for gradient in found if gradient.requires_grad]
        if again:
            seeds = [make(seed) for seed in cotangents_of(again)]
            for gradient in engine.grad(again, targets, seeds, allow_unused=True):
                if gradient is not None:
                    _check_single(gradient, "a second derivative")


def _check_single(value, what) -> None:
    assert array_of(value).dtype in (np.float32, np.complex64), (
        f"{what} of float32 is {array_of(value).dtype}"
    )


def check_shapes(row: Row, case: Case) -> None:
    """0-d, empty, and one-element inputs give the oracle's values and gradients in shape."""
    count = len(case.samples())
    for shape in ((), (0,), (2, 0, 3), (1,), (2, 1, 2)):
        shaped = case.with_shapes([shape] * count)
        check_value(row, shaped)
        if row.order:
            check_recorded(row, shaped)


def check_broadcasting(row: Row, case: Case) -> None:
    """Inputs of different shapes are broadcast, and their gradients summed back."""
    count = len(case.samples())
    for shapes in (
        ((3, 1, 2), (2, 1), (2,)),
        ((), (2, 3), (1,)),
        ((2, 3), (), (3,)),
        ((1,), (3,), ()),
        ((0, 1), (3,), (1, 1)),
    ):
        shaped = case.with_shapes([shapes[position % 3] for position in range(count)])
        check_value(row, shaped)
        if row.order:
            check_first(row, shaped)
            check_recorded(row, shaped)


def check_method(row: Row, case: Case) -> None:
    """The method of the same name, and NumPy's ufunc, do the same as the function."""
    arrays = drawn(row, case)
    tensors = [make(array) for array in arrays]
    expected = call(row, case, tensors)
    args, kwargs = case.fill(tensors)
    if row.method_name and isinstance(case.args[0], Sample):
        assert hasattr(Tensor, row.method_name), f"Tensor has no method {row.method_name}"
        if row.seeded:
            aino.manual_seed(0)
        for y, value in zip(flat(getattr(args[0], row.method_name)(*args[1:], **kwargs)), expected):
            close(y, value, 0.0, 0.0, f"the method {row.method_name}")
    kernel = getattr(row.primitive, "kernel", None)
    if isinstance(kernel, np.ufunc):
        result = kernel(*args, **kwargs)
        assert isinstance(result, Tensor), f"np.{kernel.__name__} returned {type(result).__name__}"
        close(result, expected[0], 0.0, 0.0, f"np.{kernel.__name__} of a tensor")


def check_kink(row: Row, case: Case) -> None:
    """At a tie or kink the gradient of the sum is PyTorch's, by either path."""
    if case.expected is not None or row.oracle is not None:
        check_value(row, case)
    if case.gradients is None:
        return
    arrays = drawn(row, case)
    tensors = tensors_of(case, arrays)
    outputs = [y for y in call(row, case, tensors) if y.requires_grad]
    seeds = [make(np.ones_like(y.array)) for y in outputs]
    for create_graph in (False, True):
        found = engine.grad(
            outputs, wanted_of(tensors), seeds, retain_graph=True, create_graph=create_graph
        )
        for position, (gradient, slope) in enumerate(zip(found, case.gradients, strict=True)):
            slope = np.asarray(slope, np.float64)
            close(gradient, slope, 1e-9, 1e-11, f"slope {position}, recorded={create_graph}")


def check_error(row: Row, case: Case) -> None:
    """A wrong call raises an error in the user's terms."""
    tensors = [make(array) for array in drawn(row, case)]
    try:
        call(row, case, tensors)
    except (AinoError, IndexError, ValueError, TypeError, NotImplementedError) as error:
        message = str(error)
    else:
        raise AssertionError("no error was raised")
    assert message, "the error says nothing"


# What a row covers


def primitives_seen(row: Row) -> set[str]:
    """Return the names of the primitives recorded by the row's cases, gradients included."""
    seen: set[str] = set()
    for case in [*row.cases, *row.kinks]:
        tensors = tensors_of(case, drawn(row, case))
        outputs = [y for y in call(row, case, tensors) if isinstance(y, Tensor)]
        used = [y for y in outputs if y.requires_grad]
        if used:
            seeds = [make(seed).requires_grad_() for seed in cotangents_of(used)]
            found = engine.grad(
                used, wanted_of(tensors), seeds, create_graph=True, allow_unused=True
            )
            outputs += [gradient for gradient in found if gradient is not None]
        seen |= {node.primitive.name for node in graph_of(outputs) if node.primitive is not None}
    return seen


def graph_of(outputs) -> set[Node]:
    """Return every node behind the outputs."""
    stack = [y.grad_fn for y in outputs if y.grad_fn is not None]
    reached = set(stack)
    while stack:
        for node in stack.pop().inputs:
            if node is not None and node not in reached:
                reached.add(node)
                stack.append(node)
    return reached


def overclaimed(rows) -> list[str]:
    """Return the differentiable primitives that a row says it covers, but never records."""
    found = []
    for row in rows:
        claimed = [name for name in row.covered if name in REGISTRY and REGISTRY[name].rules]
        missing = set(claimed) - primitives_seen(row) if claimed and row.order else set()
        found += [f"{row.name}: {name}" for name in sorted(missing)]
    return found


def uncovered(rows) -> list[str]:
    """Return the registered primitives that no row covers."""
    covered = {name for row in rows for name in row.covered}
    return sorted(set(REGISTRY) - covered)
