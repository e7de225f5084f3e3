"""Calls that C makes, in modes, threads and processes, and what they say when arithmetic fails."""

import os
import sys
import threading
import warnings

import numpy as np
import pytest

import aino
from aino.autograd.mode import mode
from tests.native.calls import (
    X,
    bits,
    compile_natively,
    entries,
    in_python,
    left,
    made_in_c,
    network,
    training,
)

pytest.importorskip("aino_native")


# In which mode


def modes():
    from aino.autograd import detect_anomaly

    return {
        "recording": (aino.enable_grad, False),
        "no_grad": (aino.no_grad, True),
        "inference_mode": (aino.inference_mode, True),
        "anomaly": (detect_anomaly, False),
    }


@pytest.mark.parametrize("what", modes())
def test_the_mode_of_a_predictor(what):
    model, x = network(), aino.from_numpy(X.copy())
    compiled = aino.compile(model, backend="native")
    with aino.no_grad():
        for _ in range(4):
            compiled(x)
    switch, in_c = modes()[what]
    with switch():
        found, calls = made_in_c(compiled, lambda: compiled(x))
        assert bits(found) == bits(model(x))
        assert calls == in_c


@pytest.mark.parametrize("first", ["no_grad", "inference_mode"])
def test_the_mode_of_a_function(first):
    x = aino.from_numpy(X.copy())

    def function(x):
        return (x * 2).is_inference(), x * 2, aino.is_inference_mode_enabled()

    compiled = aino.compile(function, backend="native")
    both = [aino.no_grad, aino.inference_mode]
    for switch in both if first == "no_grad" else both[::-1]:
        with switch():
            for _ in range(4):
                assert repr(compiled(x)) == repr(function(x))
    for switch in both * 2:
        with switch():
            assert repr(compiled(x)) == repr(function(x))


def test_a_trace_and_a_transform_take_the_function_as_it_is():
    double = aino.compile(lambda x: x * 2 + 1, backend="native")
    x = aino.from_numpy(X.copy())
    for _ in range(4):
        double(x)
    rows = aino.from_numpy(np.stack([X, X + 1]))
    found, calls = made_in_c(double, lambda: aino.vmap(double)(rows))
    assert (bits(found), calls) == (bits(rows * 2 + 1), 0)
    outer = aino.compile(lambda x: double(x) * 3, backend="native")
    for turn in range(4):
        found, calls = made_in_c(double, lambda: outer(x))
        assert (bits(found), calls) == (bits((x * 2 + 1) * 3), 0), turn
    assert made_in_c(double, lambda: double(x))[1] == 1


@pytest.mark.parametrize("traced", ["before", "meanwhile"])
def test_what_looks_on_hears_of_each_call_and_of_none_later(traced):
    double = aino.compile(lambda x: x * 2 + 1, backend="native", name="double")
    model = aino.compile(network(), backend="native")
    x = aino.from_numpy(X.copy())
    for _ in range(4 if traced == "before" else 1):
        with aino.no_grad():
            double(x)
            model(x)
    with aino.profiler.profile() as profile, aino.no_grad():
        for _ in range(4):
            double(x)
            model(x)
    counts = {event.key: event.count for event in profile.key_averages()}
    assert counts["compiled double"] == 4
    assert counts[f"compiled {model._compiled.name}"] == 4
    with aino.no_grad():
        for call in (double, model):
            assert made_in_c(call, lambda call=call: call(x))[1] == 1


def test_while_it_is_profiled_it_gives_the_same():
    double = aino.compile(lambda x: x * 2 + 1, backend="native")
    x = aino.from_numpy(X.copy())
    for _ in range(4):
        double(x)
    heard = []
    sys.setprofile(lambda *event: heard.append(event[1]))
    try:
        found = double(x)
    finally:
        sys.setprofile(None)
    assert bits(found) == bits(x * 2 + 1)


# Threads, forks, and calls within calls


def test_threads_have_modes_of_their_own():
    model, x = network(), aino.from_numpy(X.copy())
    compiled = aino.compile(model, backend="native")
    expected = model(x).tolist()
    turn, wrong = threading.Barrier(2), []

    def call(switch, records):
        with switch():
            for _ in range(200):
                result = compiled(x)
                turn.wait()
                if result.requires_grad is not records or result.tolist() != expected:
                    wrong.append(records)

    threads = [
        threading.Thread(target=call, args=given)
        for given in ((aino.no_grad, False), (aino.enable_grad, True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert sum(entry.calls for entry in entries(compiled)) > 100


def test_threads_that_come_and_go_find_the_mode_that_threads_begin_with():
    model, x = network(), aino.from_numpy(X.copy())
    compiled = aino.compile(model, backend="native")
    found = []

    def call(off):
        if off:
            mode.level = 0
        found.append(compiled(x).requires_grad is not off)

    for turn in range(60):
        thread = threading.Thread(target=call, args=(turn % 3 > 0,))
        thread.start()
        thread.join()
    assert all(found)
    assert len(found) == 60


def test_several_threads_at_once_get_their_own_results():
    model = network()
    compiled = aino.compile(model, backend="native")
    wrong = []

    def call(number):
        x = aino.from_numpy(X + number)
        with aino.no_grad():
            expected = model(x).tolist()
            wrong.extend([number for _ in range(300) if compiled(x).tolist() != expected])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


def test_a_program_that_is_dropped_while_a_call_waits_is_not_run():
    compiled = aino.compile(lambda x: x * 2, backend="native")
    x = aino.from_numpy(X.copy())
    for _ in range(4):
        compiled(x)
    (entry,) = entries(compiled)
    before, found = entry.calls, []
    with compiled._lock:
        thread = threading.Thread(target=lambda: found.append(compiled(x)))
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
        compiled.forget()
    thread.join()
    assert bits(found[0]) == bits(x * 2)
    assert entry.calls == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_goes_on():
    model, x = network(), aino.from_numpy(X.copy())
    compiled = aino.compile(model, backend="native")
    with aino.no_grad():
        expected = [compiled(x).tolist() for _ in range(4)][-1]
        child = os.fork()
        if child == 0:
            os._exit(0 if compiled(x).tolist() == expected else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def big(x):
    return x * 1e38 * 1e38


def test_a_call_within_a_call():
    compiled = aino.compile(big, backend="native")
    x, y = aino.from_numpy(X.copy()), aino.from_numpy(X * 0)
    within = []
    with np.errstate(all="ignore"):
        for _ in range(4):
            compiled(x)
    with np.errstate(over="call", call=lambda *told: within.append(compiled(y))):
        found, calls = made_in_c(compiled, lambda: compiled(x))
    assert calls == 2
    assert [bits(one) for one in within] == [bits(y)]
    assert found.tolist() == [[0.0, *[float("inf")] * 3]]


def test_overflow_is_told_of_at_the_line_of_the_caller():
    compiled = aino.compile(big, backend="native")
    x = aino.from_numpy(X.copy())
    with np.errstate(all="ignore"):
        for _ in range(4):
            compiled(x)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        _, calls = made_in_c(compiled, lambda: compiled(x))
    assert calls == 1
    assert [str(one.message) for one in told] == ["overflow encountered in big"]
    assert told[0].filename == __file__


@pytest.mark.parametrize("kind", [aino.optim.SGD, aino.optim.Adam])
@pytest.mark.parametrize("how", ["raise", "ignore", "warn"])
def test_what_arithmetic_says_is_what_it_says_in_python(kind, how):
    found = []
    for transform in (compile_natively, in_python):
        step, model, optimizer = training(transform, kind)
        for _ in range(4):
            step()
        model[2].bias.data.fill_(1e30)
        with np.errstate(all=how), warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                result = bits(step())
            except FloatingPointError as error:
                result = str(error)
        said = [str(one.message) for one in told]
        found.append((result, said, left(model), optimizer.state_dict()["param_groups"]))
    assert found[0] == found[1]
    assert bool(found[0][1]) == (how == "warn")


def divided(x):
    return (1.0 / x).log()


def test_a_predictor_that_raises_goes_the_way_of_the_function():
    compiled = aino.compile(divided, backend="native")
    x, wrong = aino.from_numpy(X + 1), aino.from_numpy(X)
    for _ in range(4):
        compiled(x)
    with np.errstate(divide="raise"):
        with pytest.raises(FloatingPointError) as raised:
            compiled(wrong)
        assert any(entry.name == "divided" for entry in raised.traceback)  # its own line
        assert made_in_c(compiled, lambda: compiled(x))[1] == 1


class Patched:
    """A lock that is not Python's own, as gevent puts in its place."""

    def __init__(self):
        self.acquire = self.release = lambda: True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def not_locked(monkeypatch):
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)


def patched_locks(monkeypatch):
    monkeypatch.setattr(threading, "RLock", Patched)


@pytest.mark.parametrize("patch", [not_locked, patched_locks])
def test_where_threads_are_not_pythons_own_guards_are_asked_in_python(patch, monkeypatch):
    patch(monkeypatch)
    compiled = aino.compile(lambda x: x * 2, backend="native")
    x = aino.from_numpy(X.copy())
    for _ in range(5):
        assert bits(compiled(x)) == bits(x * 2)
    assert "walk(" in compiled.code
    assert not entries(compiled)
    assert [bits(y) for y in compiled.many([x] * 5)] == [bits(x * 2)] * 5
    assert not hasattr(compiled._dispatches[0].following, "calls")


def test_rows_in_a_row_are_made_in_c():
    compiled = aino.compile(lambda x: x * 2 + 1, backend="native")
    xs = [aino.from_numpy(X + n) for n in range(12)]
    assert [bits(y) for y in compiled.many(xs)] == [bits(x * 2 + 1) for x in xs]
    follow = compiled._dispatches[0].following
    assert follow.calls >= 6
    xs[5] = aino.from_numpy(np.concatenate([X, X]))
    before = follow.calls
    assert [bits(y) for y in compiled.many(xs)] == [bits(x * 2 + 1) for x in xs]
    assert follow.calls > before
