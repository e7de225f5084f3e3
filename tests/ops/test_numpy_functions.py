"""NumPy's functions on tensors, each with every option that NumPy's own signature has.

The oracle is NumPy on plain arrays. An option acts as it does there, or is refused by name.
"""

import inspect
import operator

import numpy as np
import pytest

import aino
from aino.autograd.gradcheck import gradcheck
from aino.ops.tensor.numpy_protocol.functions import load_rest
from aino.ops.tensor.numpy_protocol.policy import ADVICE, MEANINGLESS, WITHOUT_GRADIENT
from aino.ops.tensor.numpy_protocol.policy import WITHOUT_RECORD as UNRECORDED
from aino.ops.tensor.numpy_protocol.table import FUNCTIONS, name_of
from tests.ops.numpy_rows import ARRAY, ELSEWHERE, OPTIONS, ROWS

pytestmark = pytest.mark.filterwarnings("ignore")

load_rest()
DISPATCHER = type(np.sum)
MODULES = {
    "": np, "linalg.": np.linalg, "fft.": np.fft, "strings.": np.strings, "char.": np.char,
    "emath.": np.emath, "lib.stride_tricks.": np.lib.stride_tricks,
}  # fmt: skip


def dispatched():
    """Return NumPy's functions that ask their arguments what they mean, by their public names."""
    found = {}
    for prefix, module in MODULES.items():
        for name in dir(module):
            function = getattr(module, name)
            likes = "like=None" in (getattr(function, "__text_signature__", None) or "")
            likes = likes or "``like``" in (getattr(function, "__doc__", None) or "")
            if isinstance(function, DISPATCHER) or (likes and callable(function)):
                found[prefix + name] = function
    return found


DISPATCHED = dispatched()
#: Creation functions, which ask a tensor only as ``like=``.
LIKE = {name for name, f in DISPATCHED.items() if not isinstance(f, DISPATCHER)}


def numpy_function(name):
    return operator.attrgetter(name)(np)


def test_numpy_dispatches_what_we_think():
    assert len(DISPATCHED) > 300
    assert {"sum", "linalg.inv", "concatenate", "fft.fft", "zeros"} <= DISPATCHED.keys()


@pytest.mark.parametrize("name", sorted(DISPATCHED))
def test_every_function_is_answered_or_refused_on_purpose(name):
    function = DISPATCHED[name]
    if function in FUNCTIONS:
        return
    known = WITHOUT_GRADIENT | UNRECORDED | MEANINGLESS.keys()
    assert name_of(function) in known, f"NumPy has {name}, which no table mentions"


def test_no_table_names_what_numpy_never_had():
    names = {name_of(function) for function in DISPATCHED.values()}
    assert not {name for name in WITHOUT_GRADIENT | UNRECORDED | ADVICE.keys() if name not in names}


def test_a_function_of_tomorrow_is_refused_by_name():
    def brandnew(a):
        raise AssertionError

    brandnew.__module__ = "numpy.linalg"
    with pytest.raises(TypeError, match=r"np\.linalg\.brandnew has no meaning for tensors"):
        aino.ones(2).__array_function__(brandnew, (), (aino.ones(2),), {})


#: Options that older versions of NumPy do not have.
NEWER = {"descending"}
ENTRIES = sorted(name for name, f in DISPATCHED.items() if f in FUNCTIONS and name not in LIKE)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_parameters_are_numpys(name):
    """An option that NumPy adds is missing here, and fails before it could be ignored."""
    ours = inspect.signature(FUNCTIONS[DISPATCHED[name]]).parameters
    theirs = inspect.signature(DISPATCHED[name]).parameters
    assert [key for key in ours if key in theirs or key not in NEWER] == list(theirs)
    for key, parameter in theirs.items():
        assert ours[key].kind == parameter.kind, key
        same = ours[key].default is parameter.default or ours[key].default == parameter.default
        no_value = parameter.default is np._NoValue and ours[key].default in (None, False)
        assert same or no_value, key


def test_every_entry_has_a_row():
    rows = {DISPATCHED[row.name] for row in ROWS}
    missing = {name for name in ENTRIES if DISPATCHED[name] not in rows} - ELSEWHERE
    assert not missing


# Every function with every option


def tensors(x):
    """Return the arguments with tensors in the place of arrays of numbers, laid out alike."""
    if isinstance(x, np.ndarray):
        return aino.from_numpy(x.copy("K"))
    return type(x)([tensors(part) for part in x]) if type(x) in (list, tuple) else x


def arrays(x):
    if isinstance(x, aino.Tensor):
        return x.numpy()
    return tuple([arrays(part) for part in x]) if isinstance(x, (list, tuple)) else np.asarray(x)


def option_values(row, parameter):
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return []
    return row.options.get(parameter.name, OPTIONS.get(parameter.name, ()))


def calls():
    for number, row in enumerate(ROWS):
        yield pytest.param(row, {}, id=f"{row.name}-{number}")
        parameters = list(inspect.signature(numpy_function(row.name)).parameters.values())
        for place, parameter in enumerate(parameters):
            positional = parameter.kind is not parameter.KEYWORD_ONLY
            if positional and place < len(row.arguments):
                continue
            if parameter.kind is parameter.POSITIONAL_ONLY or parameter.name in row.fixed:
                continue
            for value in option_values(row, parameter):
                shown = value if not isinstance(value, np.ndarray) else "array"
                name = f"{row.name}-{number}-{parameter.name}={shown}"
                yield pytest.param(row, {parameter.name: value}, id=name)
        if "where" in [p.name for p in parameters] and "initial" in [p.name for p in parameters]:
            both = {"where": OPTIONS["where"][0], "initial": 1.5}
            yield pytest.param(row, both, id=f"{row.name}-{number}-where-initial")


def options_without_a_value():
    """Return the options of NumPy's functions that no call tries."""
    tried = set()
    for parameters in calls():
        row, options = parameters.values
        tried |= {(row.name, option) for option in options}
    missing = []
    for row in ROWS:
        parameters = inspect.signature(numpy_function(row.name)).parameters.values()
        for place, parameter in enumerate(parameters):
            given = place < len(row.arguments) or parameter.name in row.fixed
            if given or parameter.default is parameter.empty:
                continue
            if (row.name, parameter.name) not in tried and not row.options.get("none"):
                missing.append((row.name, parameter.name))
    return missing


def test_every_option_is_tried():
    given = {(row.name, name) for row in ROWS for name in row.fixed}
    positional = {
        (row.name, name)
        for row in ROWS
        for name in list(inspect.signature(numpy_function(row.name)).parameters)[
            : len(row.arguments)
        ]
    }
    assert not set(options_without_a_value()) - given - positional


def with_out(function, arguments, options, make):
    """Call with ``out=`` in the place of the stand-in; return the result, which is ``out``."""
    options = dict(options)
    if options.get("out") is not ARRAY:
        return function(*arguments, **options)
    del options["out"]
    plain = np.asarray(function(*arguments, **options))
    out = make(np.full(plain.shape, 77).astype(plain.dtype))
    returned = function(*arguments, **options, out=out)
    assert returned is out or isinstance(returned, np.generic)
    return out


@pytest.mark.parametrize(("row", "options"), list(calls()))
def test_value(row, options):
    function = numpy_function(row.name)
    options = row.fixed | options
    try:
        expected = with_out(function, tuple(copied(row.arguments)), options, np.asarray)
    except (ValueError, TypeError, IndexError, NotImplementedError) as error:
        refused = error
    else:
        refused = None
    given = {key: tensors(value) for key, value in options.items()}
    plain = next(
        (k for k, v in given.items() if isinstance(v, (aino.Tensor, list)) and k != "out"), None
    )
    for keywords in (given, options) if plain else (given,):
        try:
            found = with_out(function, tensors(row.arguments), keywords, aino.from_numpy)
        except (ValueError, TypeError, IndexError) as error:
            message = str(error)
            named = any(key in message or repr(v) in message for key, v in options.items())
            assert refused or named, f"refused without a name: {message}"
            assert "truth value" not in message, message
            assert "NoneType" not in message, message
            continue
        assert refused is None, f"NumPy refuses it: {refused}"
        compare(found, expected)


def copied(x):
    if isinstance(x, np.ndarray):
        return x.copy("K")
    return type(x)([copied(part) for part in x]) if type(x) in (list, tuple) else x


def compare(found, expected):
    found, expected = arrays(found), arrays(expected)
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            compare(one, other)
        return
    assert found.shape == expected.shape
    assert found.dtype.kind == expected.dtype.kind
    # The default dtype stands where NumPy would take float64 for integers.
    narrow = "f4" in (found.dtype.str[1:], expected.dtype.str[1:])
    tolerance = 1e-5 if narrow or found.dtype == np.complex64 else 1e-12
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def floats(x):
    """Return the arrays among nested arguments that have a gradient."""
    if isinstance(x, np.ndarray):
        return [x] if x.dtype == np.float64 else []
    return [a for part in x for a in floats(part)] if type(x) in (list, tuple) else []


def filled(x, tensors):
    """Return nested arguments with tensors in the place of those arrays."""
    if isinstance(x, np.ndarray):
        return next(tensors) if x.dtype == np.float64 else x
    return type(x)([filled(part, tensors) for part in x]) if type(x) in (list, tuple) else x


def smooth_calls():
    """Yield the calls that have a gradient which finite differences can find."""
    for parameters in calls():
        row, options = parameters.values
        narrow = options.get("dtype") in (np.float32, np.int64, np.complex128)
        counts = options.get("ord") == 0 or row.fixed.get("ord") == 0
        if row.smooth and options.get("out") is not ARRAY and not narrow and not counts:
            yield parameters


@pytest.mark.parametrize(("row", "options"), list(smooth_calls()))
def test_gradient(row, options):
    function, options = numpy_function(row.name), row.fixed | options
    inputs = [aino.from_numpy(x.copy("K")).requires_grad_() for x in floats(row.arguments)]

    def call(*inputs):
        given = iter(inputs)
        found = function(*filled(row.arguments, given), **options)
        found = found if isinstance(found, (tuple, list)) else (found,)
        return tuple([x for x in found if isinstance(x, aino.Tensor) and x.dtype.kind in "fc"])

    try:
        results = call(*inputs)
    except (ValueError, TypeError, IndexError, aino.errors.GradientError):
        return  # what is refused was looked at above
    assert any([x.requires_grad for x in results]), "the gradient is lost"
    results_of = lambda *xs: tuple([x for x in call(*xs) if x.requires_grad])  # noqa: E731
    assert gradcheck(results_of, inputs)
