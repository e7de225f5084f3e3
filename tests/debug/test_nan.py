"""``find_nan`` names the operation, the module and the line where numbers end."""

import sys
import threading

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd import inplace
from aino.autograd.primitive import REGISTRY, primitive
from aino.debug import NanError, find_nan
from aino.errors import CompileWarning

inf, nan = float("inf"), float("nan")


def leaf(*values):
    return aino.tensor(list(values), requires_grad=True)


def backward(function, *values):
    return lambda: function(leaf(*values)).sum().backward()


#: what is run, and what is found: value, whether it was made, direction, operation.
CASES = {
    "log of 0": (lambda: aino.log(leaf(1.0, 0.0)), "inf", True, "forward", "log"),
    "log below 0": (lambda: aino.log(leaf(1.0, -1.0)), "NaN", True, "forward", "log"),
    "not recorded": (lambda: aino.log(aino.tensor([-1.0])), "NaN", True, "forward", "log"),
    "0 / 0": (lambda: leaf(0.0) / leaf(0.0), "NaN", True, "forward", "div"),
    "inf - inf": (lambda: leaf(inf) - leaf(inf), "NaN", True, "forward", "sub"),
    "exp": (lambda: aino.exp(leaf(1000.0)), "inf", True, "forward", "exp"),
    "half": (lambda: leaf(300.0).half().square(), "inf", True, "forward", "square"),
    "complex": (lambda: aino.tensor([0j]) / 0, "NaN", True, "forward", "div"),
    "sum": (lambda: leaf(3e38, 3e38).sum(), "inf", True, "forward", "sum"),
    "list": (lambda: aino.cat([leaf(nan), leaf(1.0)]), "NaN", False, "forward", "cat"),
    "several outputs": (lambda: aino.linalg.eigh(leaf(nan, nan, nan, nan).reshape(2, 2)),
                        "NaN", False, "forward", "reshape"),
    "data": (lambda: leaf(nan, 1.0) * 2, "NaN", False, "forward", "mul"),
    "infinite data": (lambda: leaf(inf, 1.0) * 2, "inf", False, "forward", "mul"),
    "in place": (lambda: (leaf(0.0) * 1).log_(), "inf", True, "forward", "log"),
    "sqrt": (backward(aino.sqrt, 0.0), "inf", True, "backward", "SqrtBackward0"),
    "where": (backward(lambda x: aino.where(x > 0, aino.sqrt(x), x), 0.0), "NaN", True, "backward",
              "SqrtBackward0"),
    "power": (backward(lambda x: x**0.5, 0.0), "inf", True, "backward", "PowNumberBackward0"),
    "seed": (lambda: (leaf(1.0) * 2).backward(aino.tensor([nan])), "NaN", False, "backward",
             "MulBackward0"),
    "vmap": (lambda: aino.vmap(lambda v: aino.log(v).sum())(aino.zeros(2, 3)), "inf", True,
             "forward", "log"),
    "compiled": (lambda: aino.compile(aino.log)(aino.tensor([-1.0])), "NaN", True,
                 "forward", "log"),
}  # fmt: skip


#: Operations over their first argument, where nothing is recorded.
IN_PLACE = {
    "add": lambda x: x.add_(x), "+=": lambda x: x.__iadd__(x), "sub": lambda x: x.sub_(-x),
    "mul": lambda x: x.mul_(x), "div": lambda x: x.div_(0.0), "exp": lambda x: x.exp_(),
    "square": lambda x: x.square_(), "log": lambda x: x.zero_().log_(),
    "sqrt": lambda x: x.neg_().sqrt_(), "numpy": lambda x: np.multiply(x, x, out=x),
    "out=": lambda x: aino.mul(x, x, out=x), "power": lambda x: x.pow_(2),
    "in a view": lambda x: x[:1].mul_(x[:1]),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_PLACE)
@pytest.mark.parametrize("model", [nn.Identity(), None])
def test_operations_in_place_are_looked_at(case, model):
    with pytest.raises(NanError) as raised, find_nan(model):
        IN_PLACE[case](aino.tensor([2e38, 3e38]))
    assert raised.value.found.made
    assert raised.value.found.direction == "forward"
    assert "out  result" in str(raised.value)


@pytest.mark.parametrize("method", inplace.shortcuts, ids=lambda method: method.__name__)
def test_no_form_in_place_passes_by(method):
    values = [aino.full((2,), nan), aino.ones(2)]
    with find_nan(raises=False) as search:
        method(*values[: 1 + (method.__name__ in ("add_", "sub_", "mul_", "div_", "true_divide_"))])
    assert search.found.value == "NaN"
    assert not search.found.made


class Elsewhere(aino.autograd.Function):
    """Computes with NumPy, where nobody looks."""

    @staticmethod
    def forward(ctx, x):
        with np.errstate(all="ignore"):
            return aino.from_numpy(np.log(x.detach().numpy()))

    @staticmethod
    def backward(ctx, g):
        return g


@pytest.mark.parametrize(("given", "made"), [(0.0, True), (-1.0, True), (nan, False)])
def test_what_a_function_of_ones_own_makes_is_told(given, made):
    with find_nan(raises=False) as search:
        Elsewhere.apply(leaf(given)) * 2
    found = search.found
    assert (found.operation, found.made) == (("Elsewhere", True) if made else ("mul", False))
    assert found.site.function == "test_what_a_function_of_ones_own_makes_is_told"


@pytest.mark.parametrize("case", CASES)
def test_the_first_operation_is_named(case):
    run, value, made, direction, operation = CASES[case]
    with pytest.raises(NanError) as raised, find_nan():
        run()
    found = raised.value.found
    assert (found.value, found.made, found.direction, found.operation) == (
        value, made, direction, operation
    )  # fmt: skip
    assert found.site.file == __file__ or case == "compiled"
    assert str(found) == str(raised.value)


def masked_attention():
    mask = aino.triu(aino.full((3, 3), -inf), 1)
    nn.functional.softmax(aino.randn(3, 3).requires_grad_() + mask, -1).sum().backward()


FINE = {
    "mask": masked_attention,
    "filled": lambda: leaf(1.0, 2.0).masked_fill(aino.tensor([True, False]), -inf).exp(),
    "cross entropy": lambda: nn.functional.cross_entropy(leaf(900.0, 0.0)[None], aino.tensor([1])),
    "pool": lambda: nn.functional.max_pool2d(aino.randn(1, 1, 4, 4), 3, padding=1),
    "divergence": lambda: nn.functional.kl_div(
        leaf(-1.0, -2.0), aino.tensor([1.0, 0.0]), reduction="sum"
    ),
    "integers": lambda: aino.tensor([1, 2]) * 2,
}


@pytest.mark.parametrize("case", FINE)
def test_what_is_meant_is_no_finding(case):
    with find_nan() as search:
        FINE[case]()
    assert search.found is None


def test_inf_alone_is_passed_over_when_it_is_asked_for():
    with find_nan(inf=False):
        aino.log(aino.zeros(1))


class Head(nn.Module):
    def forward(self, x):
        return aino.log(x)  # here


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        self.heads = nn.ModuleList([nn.Identity(), Head()])

    def forward(self, x):
        return self.heads[1](self.heads[0](self.body(x) * 0.0))


@pytest.mark.parametrize("given", [True, False])
def test_module_and_line(given):
    net = Net()
    with pytest.raises(NanError) as raised, find_nan(net if given else None):
        net(aino.ones(1, 2))
    found = raised.value.found
    assert found.module == "heads.1 (Head)"
    assert found.site.function == "forward"
    assert found.site.text == "return aino.log(x)  # here"
    assert found.inputs[0].name == "input"
    assert found.inputs[0].low == found.inputs[0].high == 0.0
    assert found.outputs[0].inf == 2
    assert "clamp" in found.advice
    assert "heads.1 (Head)" in found._repr_html_()


def test_a_parameter_that_was_bad_before_is_named():
    net = Net()
    with aino.no_grad():
        net.body[0].weight[0, 0] = nan
    with pytest.raises(NanError, match=r"weight = body\.0\.weight") as raised, find_nan():
        net(aino.ones(1, 2))
    assert "a parameter holds it already" in raised.value.found.advice


def test_lines_of_anomaly_mode_are_used_for_what_was_recorded_before():
    with aino.autograd.detect_anomaly(check_nan=False):
        y = aino.sqrt(leaf(0.0))
    with pytest.raises(NanError, match=r"recorded at +.*y = aino\.sqrt"), find_nan():
        y.backward()


def test_the_line_of_a_function_of_ones_own():
    class Wrong(aino.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return np.float32("inf") * g

    def run():
        y = Wrong.apply(leaf(1.0))
        y.backward()

    with pytest.raises(NanError, match=r"recorded at +.*y = Wrong\.apply"), find_nan():
        run()
    assert not aino.autograd.is_anomaly_enabled()


def test_without_raising_the_first_is_kept():
    with find_nan(raises=False) as search:
        x = aino.log(aino.zeros(1))
        x - x
    assert search.found.operation == "log"
    with search:
        pass
    assert search.found is None


def test_as_a_decorator():
    @find_nan()
    def run():
        return aino.log(aino.zeros(1))

    for _ in range(2):
        with pytest.raises(NanError):
            run()


def test_afterwards_everything_is_as_it_was():
    functions = [aino.log, aino.Tensor.exp, aino.cat, nn.Module.__call__]
    aino.log(aino.ones(1))
    before = [(f.__code__, f.__kwdefaults__) for f in functions]
    with find_nan(), find_nan(raises=False):
        assert aino.log.__code__ is not before[0][0]
    with pytest.raises(NanError), find_nan():
        aino.log(aino.zeros(1))
    assert [(f.__code__, f.__kwdefaults__) for f in functions] == before
    assert aino.tracing.session.as_it_is is False


def test_values_and_gradients_are_those_without():
    net, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), aino.randn(5, 3)
    net(x).sum().backward()
    expected = [p.grad.numpy().copy() for p in net.parameters()]
    net.zero_grad()
    with find_nan():
        net(x).sum().backward()
    for p, g in zip(net.parameters(), expected, strict=True):
        np.testing.assert_array_equal(p.grad.numpy(), g)


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match=r"with aino\.debug\.find_nan\(model\)"):
        find_nan(aino.ones(1))


def test_primitives_that_are_declared_or_called_for_the_first_time_are_looked_at():
    def make(name):
        function = primitive(name, lambda x: x * inf, formula="x · inf", x=lambda g: g)
        del REGISTRY[name]  # the table of rows knows nothing of it
        return function

    before = make("first_called")
    for late in (lambda x: before(x), lambda x: make("first_declared")(x)):
        with pytest.raises(NanError) as raised, find_nan():
            late(leaf(1.0))
        assert raised.value.found.operation.startswith("first_")
    assert find_nan().found is None


def test_searches_of_several_threads_are_their_own():
    found, before = {}, sys.getswitchinterval()

    def search(place):
        model = nn.Linear(2, 2)
        for _ in range(12):
            with find_nan(raises=False) as own:
                model(aino.ones(3, 2)).sum().backward()
                if place == 0:
                    aino.log(aino.tensor([-1.0]))
            found.setdefault(place, set()).add(own.found and own.found.operation)

    def called(place):
        try:
            search(place)
        except BaseException as error:
            found[place] = repr(error)

    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=called, args=(place,)) for place in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert found == {0: {"log"}, 1: {None}, 2: {None}, 3: {None}}


def test_a_search_inside_of_what_is_compiled_is_no_search_that_finds_nothing():
    @aino.compile
    def run(x):
        with find_nan():
            return aino.log(x)

    with pytest.warns(CompileWarning, match="find_nan"), pytest.raises(NanError):
        run(aino.tensor([-1.0]))


def test_a_call_that_comes_by_when_the_block_has_ended_is_only_made():
    with find_nan() as search:
        pass
    x = aino.tensor([-1.0])
    # As a thread does that was on its way into the operation.
    result = search._around(REGISTRY["log"].function, aino.log, x)
    assert np.isnan(result.numpy()).all()
    search._look_at(REGISTRY["log"].function)
    assert search.found is None
