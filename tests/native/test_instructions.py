"""Each instruction against the NumPy call that it stands for: the same bits, in every lay-out."""

import itertools

import numpy as np
import pytest

from aino.compiler.backends.native.stretches import on_flags

native = pytest.importorskip("aino_native")
Stretch = native.Stretch
FLOATS = (np.float32, np.float64)
#: How an array lies: the function makes it of one in C order.
LAYOUTS = {
    "C order": lambda x: x,
    "Fortran's": lambda x: x.T.copy().T,
    "every other": lambda x: np.repeat(x, 2, -1)[..., ::2] if x.ndim else x,
    "backwards": lambda x: x[::-1].copy()[::-1] if x.ndim else x,
    "wide rows": lambda x: np.concatenate([x, x], 0)[: len(x)] if x.ndim else x,
}
SHAPES = [
    (), (1,), (5,), (0,), (3, 4), (32, 16), (7, 33), (8, 1), (1, 8), (1, 1), (3, 0), (3, 5, 7),
    (4, 1, 6),
]  # fmt: skip
rng = np.random.default_rng(0)


def numbers(shape, dtype):
    values = 3 * rng.normal(size=shape)
    return np.asarray(np.abs(values) if np.dtype(dtype).kind in "bu" else values).astype(dtype)


def walked(kind, out, *operands, detail=None, quiet=15):
    """Return what an instruction leaves in its first operand."""
    Stretch([], 1, [(kind, (out, *operands), detail, quiet)], None)(1.0)
    return out


def same(found, expected):
    assert found.dtype == expected.dtype
    assert found.tobytes() == expected.tobytes()


UFUNCS = [
    np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.exp, np.log, np.tanh,
    np.sqrt, np.negative, np.abs, np.sin, np.cos, np.arctan2, np.hypot, np.sign, np.floor,
    np.greater, np.equal, np.isnan, np.logical_and, np.log1p, np.expm1, np.square, np.reciprocal,
]  # fmt: skip


@pytest.mark.parametrize("function", UFUNCS, ids=lambda f: f.__name__)
def test_a_ufunc(function):
    for dtype, shape, lays in itertools.product(FLOATS, SHAPES, LAYOUTS.values()):
        operands = [lays(numbers(shape, dtype)) for _ in range(function.nin)]
        with np.errstate(all="ignore"):
            expected = np.empty_like(np.asarray(function(*operands)))
            function(*operands, out=expected)
        found = np.empty_like(expected)
        same(walked("ufunc", found, *operands, detail=function), expected)
        # The result may lie as the operands do: backwards, with gaps.
        expected = lays(expected)
        with np.errstate(all="ignore"):
            function(*operands, out=expected)
        found = lays(found)
        same(walked("ufunc", found, *operands, detail=function), expected)
        if function.nin == 2 and len(shape) > 1:  # a row, a column, and a number, for all
            one = operands[1][:1, :1]
            for row in (operands[1][:1], operands[1][0], operands[1][:, :1], one):
                with np.errstate(all="ignore"):
                    expected = np.empty_like(found)
                    function(operands[0], row, out=expected)
                found = np.empty_like(expected)
                same(walked("ufunc", found, operands[0], row, detail=function), expected)


@pytest.mark.parametrize("dtype", [np.bool, np.int8, np.uint8, np.int32, np.int64, np.complex64])
def test_a_ufunc_of_other_numbers(dtype):
    for function in (np.add, np.multiply, np.equal, np.not_equal):
        for shape, lays in itertools.product(SHAPES, LAYOUTS.values()):
            operands = [lays(numbers(shape, dtype)) for _ in range(2)]
            expected = np.asarray(function(*operands))
            found = np.empty_like(expected)
            same(walked("ufunc", found, *operands, detail=function), expected)


def test_a_ufunc_writes_over_what_it_reads():
    for dtype, shape in itertools.product(FLOATS, SHAPES):
        a, b = numbers(shape, dtype), numbers(shape, dtype)
        expected = np.asarray(a - b)
        same(walked("ufunc", a, a, b, detail=np.subtract), expected)


@pytest.mark.parametrize("function", [np.add, np.maximum, np.minimum], ids=lambda f: f.__name__)
def test_a_reduction(function):
    for dtype, lays in itertools.product((*FLOATS, np.int64, np.complex128), LAYOUTS.values()):
        if dtype is np.complex128 and function is not np.add:
            continue
        for shape in [(5,), (1,), (3, 4), (64, 10), (10, 2000), (7, 1), (3, 5, 7), (2, 300, 40)]:
            source = lays(numbers(shape, dtype))
            for count in range(1, len(shape) + 1):
                for axes in itertools.combinations(range(len(shape)), count):
                    expected = np.asarray(function.reduce(source, axes))
                    found = np.empty_like(expected)
                    same(walked("reduce", found, source, detail=(function, axes)), expected)


@pytest.mark.parametrize("function", [np.subtract, np.divide, np.fmax, np.hypot])
def test_a_reduction_that_takes_each_value_once(function):
    for dtype, lays in itertools.product(FLOATS, LAYOUTS.values()):
        for shape in [(5,), (1,), (3, 4), (64, 10), (7, 1), (3, 5, 7)]:
            source = lays(numbers(shape, dtype))
            for axis in range(len(shape)):
                with np.errstate(all="ignore"):
                    expected = np.asarray(function.reduce(source, axis))
                found = np.empty_like(expected)
                same(walked("reduce", found, source, detail=(function, (axis,))), expected)


def test_a_product():
    cases = 0
    for m, n, p in itertools.product((1, 2, 5, 32), (1, 3, 16), (1, 4, 17)):
        for dtype in FLOATS:
            a, b = numbers((m, n), dtype), numbers((n, p), dtype)
            pairs = [(x, y) for x in (a, a.T.copy().T) for y in (b, b.T.copy().T)]
            pairs += [(a[0].copy(), b), (a, b[:, 0].copy()), (a[0].copy(), b[:, 0].copy())]
            pairs += [(a.T.copy(), a.T.copy().T), (a.T, a)]
            for x, y in pairs:
                if x.shape[-1] != y.shape[0]:
                    continue
                expected = np.asarray(x.dot(y))
                same(walked("product", np.empty_like(expected), x, y, detail=np.matmul), expected)
                cases += 1
    assert cases > 400


@pytest.mark.parametrize(
    "dtype", [np.bool, np.int16, *FLOATS, np.complex128], ids=lambda d: np.dtype(d).name
)
def test_a_copy(dtype):
    for shape, lays, lies in itertools.product(SHAPES, LAYOUTS.values(), LAYOUTS.values()):
        source, found = lays(numbers(shape, dtype)), lies(np.zeros(shape, dtype))
        np.testing.assert_array_equal(walked("copy", found, source), source)
        if shape and shape[0]:
            np.testing.assert_array_equal(
                walked("copy", found, source[:1]), np.broadcast_to(source[:1], shape)
            )


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (np.bool, np.float32), (np.bool, np.float64), (np.bool, np.int64),
        (np.int64, np.float32), (np.int64, np.float64), (np.float32, np.float64),
        (np.float64, np.float32), (np.bool, np.int8), (np.bool, np.int32), (np.bool, np.complex64),
        (np.float64, np.int64), (np.float32, np.int8), (np.float32, np.complex128),
        (np.float16, np.float32), (np.float32, np.float16), (np.int32, np.bool),
        (np.float64, np.bool), (np.int64, np.uint8), (np.complex64, np.complex128),
    ],
)  # fmt: skip
def test_a_cast(source, target):
    for shape, lays, lies in itertools.product(SHAPES, LAYOUTS.values(), LAYOUTS.values()):
        given, found = lays(numbers(shape, source)), lies(np.zeros(shape, target))
        stretch = Stretch([], 0, [("copy", (found, given), None, False)], on_flags("step"))
        for _ in range(2):  # what is read is read anew
            stretch()
            np.testing.assert_array_equal(found, given.astype(target))
            given[...] = numbers(shape, source)
        if shape and shape[0]:
            expected = np.broadcast_to(given[:1].astype(target), shape)
            found = walked("copy", found, given[:1], quiet=0)
            np.testing.assert_array_equal(found, expected)
    if source is np.bool:
        any_bits = np.array([0, 1, 6, 255], np.uint8).view(np.bool)
        found = walked("copy", np.zeros(4, target), any_bits, quiet=0)
        same(found, any_bits.astype(target))
    if target is np.float32 and source is np.float64:
        hard = np.array([np.inf, -np.inf, np.nan, 1e300, 1e-300, -0.0])
        with np.errstate(all="ignore"):
            same(walked("copy", np.zeros(6, np.float32), hard), hard.astype(np.float32))


def test_a_stack_of_products():
    shapes = [((4, 6, 9), (4, 9, 5)), ((4, 6, 9), (9, 5)), ((6, 9), (4, 9, 5)), ((6, 9), (9, 5)),
              ((2, 3, 6, 9), (2, 3, 9, 5)), ((2, 3, 6, 9), (9, 5)), ((1, 1, 9), (3, 9, 1)),
              ((2, 1, 6, 9), (2, 1, 9, 5)), ((9,), (4, 9, 5)), ((4, 6, 9), (9,)), ((9,), (9, 5)),
              ((1,), (4, 1, 5)), ((9,), (4, 9, 1)), ((4, 6, 1), (1,)), ((9,), (2, 3, 9, 5)),
              ((64,), (1, 2, 64, 100)), ((4, 1, 9), (9,)), ((6, 9), (9,))]  # fmt: skip
    for dtype, (left, right), lays in itertools.product(FLOATS, shapes, LAYOUTS.values()):
        a, b = lays(numbers(left, dtype)), lays(numbers(right, dtype))
        if 4 in (len(left), len(right)) and lays not in (LAYOUTS["C order"], LAYOUTS["wide rows"]):
            continue  # along two axes
        expected = np.matmul(a, b)
        same(walked("stack", np.empty_like(expected), a, b, detail=np.matmul), expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [1, 7, 100, 1000])
@pytest.mark.parametrize("block", [1, 16, 128])
def test_a_chain(dtype, size, block):
    """y = tanh(a * s + b); then a part of it is taken from memory of its own."""
    a, b, part = numbers((size,), dtype), numbers((size,), dtype), numbers((size // 2,), dtype)
    s, found, scratch = numbers((), dtype), np.zeros(size, dtype), np.empty(block, dtype)
    begin = size - size // 2
    expected = np.tanh(a * s + b)
    expected_part = part - expected[begin:]
    links = [
        (np.multiply, ((0, "flat", 0), (1, "number", 0), (2, "scratch", 0)), 0, size),
        (np.add, ((2, "scratch", 0), (3, "flat", 0), (2, "scratch", 0)), 0, size),
        (np.tanh, ((2, "scratch", 0), (4, "flat", 0)), 0, size),
        (np.subtract, ((5, "flat", begin), (4, "flat", 0), (5, "flat", begin)), begin, size),
    ]
    described = ("chain", (a, s, scratch, b, found, part), (0, size, block, links), 15)
    Stretch([], 0, [described], None)()
    same(found, expected)
    same(part, expected_part)


def updating(size, block, dtype, end):
    """Return what Adam's links are given, the links, and what NumPy makes of the same."""
    m, g, p, u = (numbers((size,), dtype) for _ in range(4))
    v = np.abs(numbers((size,), dtype))
    given = [m, g, v, p, u, np.empty(block, dtype), np.empty(block, dtype)]
    given += [np.array(x, dtype) for x in (0.9, 0.1, 0.001, 0.999, 1e-8, 0.01)]
    links = [
        (np.multiply, 0, 7, 0), (np.multiply, 1, 8, 5), (np.add, 0, 5, 0), (np.multiply, 1, 1, 6),
        (np.multiply, 6, 9, 6), (np.multiply, 2, 10, 2), (np.add, 2, 6, 2), (np.sqrt, 2, 4),
        (np.add, 4, 11, 4), (np.divide, 0, 4, 4), (np.multiply, 4, 12, 4), end,
    ]  # fmt: skip
    expected = [x.copy() for x in given]
    expected[5], expected[6] = np.empty(size, dtype), np.empty(size, dtype)
    for function, *places in links:
        function(*[expected[place] for place in places[:-1]], out=expected[places[-1]])
    return given, links, expected


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("end", [(np.subtract, 3, 4, 3), (np.add, 3, 5, 3), (np.add, 3, 6, 4)])
@pytest.mark.parametrize("change", [None, (0, 8, 7), (3, 1, 0), (7, 2, 3), (9, 4, 0), (10, 3, 12)])
def test_the_links_of_adam_are_one_loop_with_the_same_bits(dtype, end, change):
    """Also where one is otherwise, or scratch memory is read later: then they are not joined."""
    for size, block in ((1, 4), (37, 16), (400, 64)):
        given, links, expected = updating(size, block, dtype, end)
        if change is not None:
            place, old, new = change
            function, *places = links[place]
            links[place] = (function, *[new if one == old else one for one in places])
            given[2], given[4] = np.abs(given[2]), np.abs(given[4])
            expected = [x.copy() for x in given]
            expected[5], expected[6] = np.empty(size, dtype), np.empty(size, dtype)
            for function, *places in links:
                with np.errstate(all="ignore"):
                    function(*[expected[at] for at in places[:-1]], out=expected[places[-1]])
        roles = ["flat"] * 5 + ["scratch"] * 2 + ["number"] * 6
        rows = [
            (function, tuple([(place, roles[place], 0) for place in places]), 0, size)
            for function, *places in links
        ]
        Stretch([], 0, [("chain", tuple(given), (0, size, block, rows), 15)], None)()
        for found, wanted in zip(given[:5], expected[:5]):
            same(found, wanted)


MOVED = [np.bool, np.int16, *FLOATS, np.complex128]


@pytest.mark.parametrize("dtype", MOVED, ids=lambda d: np.dtype(d).name)
def test_a_choice(dtype):
    for shape, lays, lies in itertools.product(SHAPES, LAYOUTS.values(), LAYOUTS.values()):
        mask = lays(np.asarray(numbers(shape, np.float32) > 0))
        one, other = lays(numbers(shape, dtype)), lies(numbers(shape, dtype))
        pairs = [(one, other), (numbers((), dtype), other), (one, numbers((1,), dtype))]
        pairs += [(numbers((), dtype), numbers((), dtype)), (one[:1], other)] if shape else []
        for first, second in pairs:
            if first.shape[:1] == (0,) or np.broadcast_shapes(first.shape, shape) != shape:
                continue
            if np.broadcast_shapes(second.shape, shape) != shape:
                continue
            found = lies(np.zeros(shape, dtype))
            expected = np.where(mask, first, second)
            np.testing.assert_array_equal(walked("choose", found, mask, first, second), expected)
            np.testing.assert_array_equal(walked("choose", other, mask, one, other),
                                          np.where(mask, one, other))  # fmt: skip
    any_bits = np.array([0, 1, 6, 255], np.uint8).view(np.bool)
    one, other = numbers((4,), dtype), numbers((4,), dtype)
    same(walked("choose", other.copy(), any_bits, one, other), np.where(any_bits, one, other))


@pytest.mark.parametrize("function", [np.add, np.multiply, np.maximum, np.subtract])
def test_an_accumulation(function):
    for dtype, lays in itertools.product((*FLOATS, np.int64, np.int16), LAYOUTS.values()):
        for shape in [(5,), (1,), (3, 4), (64, 10), (7, 1), (3, 5, 7)]:
            source = lays(numbers(shape, dtype))
            for axis in range(len(shape)):
                expected = function.accumulate(source, axis, dtype)
                found = np.empty(shape, dtype)
                same(walked("accumulate", found, source, detail=(function, axis)), expected)


@pytest.mark.parametrize("dtype", MOVED, ids=lambda d: np.dtype(d).name)
def test_elements_and_rows_are_taken_and_put(dtype):
    table = numbers((9,), dtype)
    for places in ([0, 3, -1, 3, 8], [], [[1, -9], [2, 2]], 4):
        places = np.array(places, np.int64)
        for form in (table, np.repeat(table, 2)[::2], table[::-1], numbers((9, 3), dtype),
                     numbers((9, 6), dtype)[::-1], numbers((9, 2, 5), dtype),
                     numbers((18, 3), dtype)[::2]):  # fmt: skip
            expected = np.asarray(form[places])
            same(walked("take", np.empty_like(expected), form, places), expected)
            far = np.asarray(places * 3)
            expected = np.take(form, far, 0, mode="clip")
            found = np.empty_like(np.asarray(expected))
            same(walked("take", found, form, far, detail="clip"), np.asarray(expected))
            if places.ndim == 1:
                wide = np.zeros((2 * len(places), *form.shape[1:]), dtype)[::2]
                np.testing.assert_array_equal(
                    walked("take", wide, form, np.repeat(places, 2)[::2]), form[places]
                )
            source = numbers((*places.shape, *form.shape[1:]), dtype)
            expected, found = form.copy(), form.copy()
            expected[places] = source
            same(walked("put", found, places, source), expected)
    expected = table.copy()
    expected[np.array([0, -1])] = table[4]
    same(walked("put", table, np.array([0, -1]), table[4:5].reshape(())), expected)


@pytest.mark.parametrize("place", [9, -10, 2**40])
def test_an_index_outside_is_refused_and_nothing_is_written(place):
    table = np.arange(9.0)
    places = np.array([0, place])
    with pytest.raises(IndexError) as told:
        table[places]
    with pytest.raises(IndexError, match=str(told.value)):
        walked("take", np.empty(2), table, places)
    with pytest.raises(IndexError, match="out of bounds"):
        walked("put", table, places, np.full(2, 100.0))
    np.testing.assert_array_equal(table, np.arange(9.0))


@pytest.mark.parametrize("dtype", [np.int8, *FLOATS, np.complex128])
@pytest.mark.parametrize("shape", [(0,), (5,), (3, 4)])
def test_values_are_put_where_a_mask_is_true(dtype, shape):
    mask = numbers(shape, np.float32) > 0
    for values in (numbers((), dtype), numbers(shape, dtype)):
        target = numbers(shape, dtype)
        expected = target.copy()
        np.putmask(expected, mask, values)
        same(walked("put_where", target, mask, values), expected)
        any_bits = (mask * np.uint8(6)).astype(np.uint8).view(np.bool)  # true by another bit
        np.testing.assert_array_equal(walked("put_where", target, any_bits, values), expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("number", [1.5, 3, True, 1e-50, np.float64(0.1), -0.0, float("inf")])
def test_a_number(dtype, number):
    for shape in ((), (1,), (1, 1)):
        found = np.zeros(shape, dtype)
        expected = found.copy()
        expected[...] = number
        Stretch([], 1, [("number", (found,), 0, 15)], None)(number)
        same(found, expected)
