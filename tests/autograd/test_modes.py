"""no_grad, enable_grad, set_grad_enabled, inference_mode: contexts, decorators, generators."""

from __future__ import annotations

import threading

import pytest

import aino


@pytest.fixture
def x():
    return aino.tensor([2.0], requires_grad=True)


OFF = [aino.no_grad, aino.inference_mode, lambda: aino.set_grad_enabled(False)]
ON = [aino.enable_grad, lambda: aino.inference_mode(False), lambda: aino.set_grad_enabled(True)]


@pytest.mark.parametrize("off", OFF)
@pytest.mark.parametrize("on", ON)
def test_contexts_nest(x, off, on):
    with off():
        assert not (x * x).requires_grad
        with on():
            assert (x * x).requires_grad
        assert not (x * x).requires_grad
    assert (x * x).requires_grad


@pytest.mark.parametrize("off", OFF)
def test_an_exception_restores_the_mode(x, off):
    with pytest.raises(KeyError), off():
        raise KeyError
    assert aino.is_grad_enabled()


@pytest.mark.parametrize("off", OFF)
def test_decorators(x, off):
    @off()
    def double(x):
        """Doubles."""
        return x * 2.0, aino.is_grad_enabled()

    y, enabled = double(x)
    assert not enabled
    assert not y.requires_grad
    assert double.__name__ == "double"
    assert double.__doc__ == "Doubles."
    assert aino.is_grad_enabled()


@pytest.mark.parametrize("bare", [aino.no_grad, aino.inference_mode])
def test_decorators_without_parentheses(x, bare):
    @bare
    def double(x):
        return x * 2.0

    assert not double(x).requires_grad
    assert (x * 2.0).requires_grad


def test_a_decorated_function_may_recurse(x):
    @aino.no_grad()
    def down(n):
        return down(n - 1) if n else aino.is_grad_enabled()

    assert down(3) is False
    assert aino.is_grad_enabled()


@pytest.mark.parametrize("off", [aino.no_grad, lambda: aino.set_grad_enabled(False)])
def test_generators_switch_only_while_they_run(x, off):
    @off()
    def steps():
        sent = yield aino.is_grad_enabled()
        yield sent, aino.is_grad_enabled()
        return "done"

    generator = steps()
    assert next(generator) is False
    assert aino.is_grad_enabled()
    assert generator.send("hello") == ("hello", False)
    assert aino.is_grad_enabled()
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "done"
    assert aino.is_grad_enabled()


def test_an_error_thrown_into_a_generator_reaches_it(x):
    @aino.no_grad()
    def steps():
        try:
            yield 1
        except KeyError:
            yield aino.is_grad_enabled()

    generator = steps()
    next(generator)
    assert generator.throw(KeyError) is False
    assert aino.is_grad_enabled()


def test_closing_a_generator_closes_it(x):
    closed = []

    @aino.no_grad()
    def steps():
        try:
            yield 1
        finally:
            closed.append(aino.is_grad_enabled())

    generator = steps()
    next(generator)
    generator.close()
    assert closed == [False]
    assert aino.is_grad_enabled()


def test_set_grad_enabled_works_at_once():
    aino.set_grad_enabled(False)
    try:
        assert not aino.is_grad_enabled()
    finally:
        aino.set_grad_enabled(True)
    assert aino.is_grad_enabled()


def test_set_grad_enabled_restores_what_was_before():
    with aino.no_grad():
        with aino.set_grad_enabled(True):
            assert aino.is_grad_enabled()
        assert not aino.is_grad_enabled()


def test_inference_mode_says_so():
    assert not aino.is_inference_mode_enabled()
    with aino.inference_mode():
        assert aino.is_inference_mode_enabled()
        with aino.inference_mode(False):
            assert not aino.is_inference_mode_enabled()
            assert aino.is_grad_enabled()
    assert not aino.is_inference_mode_enabled()


def test_each_thread_has_its_own_mode(x):
    seen = []
    with aino.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * x).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_threads_do_not_disturb_one_another(x):
    barrier = threading.Barrier(4)
    wrong = []

    def work(wanted):
        barrier.wait()
        for _ in range(300):
            with aino.set_grad_enabled(wanted):
                if (x * x).requires_grad is not wanted:
                    wrong.append(wanted)

    threads = [threading.Thread(target=work, args=(k % 2 == 0,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_threads_may_run_backward_at_the_same_time():
    results = {}

    def work(k):
        w = aino.tensor([float(k)], dtype=aino.float64, requires_grad=True)
        y = w
        for _ in range(500):
            y = y * 1.0 + w
        y.sum().backward()
        results[k] = w.grad.item()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(4), 501.0)


def test_a_leaf_made_under_no_grad_can_require_a_gradient():
    with aino.no_grad():
        x = aino.ones(2, requires_grad=True)
    (x * 2.0).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_switches_take_mode_and_make_others_like_themselves():
    for switch in (aino.inference_mode(mode=False), aino.set_grad_enabled(mode=True)):
        assert switch.mode is switch.clone().mode
        with aino.no_grad(), switch.clone():
            assert aino.is_grad_enabled()
    with aino.no_grad().clone():
        assert not aino.is_grad_enabled()
