"""Small programs with a catch: whatever an eager loop shows, the compiled one shows.

A case takes ``make``, which is either ``aino.compile`` or nothing at all, and returns what a user
would see.
"""

import numpy as np

import aino


def registry():
    """Return a table of cases by name, and the decorator that adds one."""
    cases = {}

    def case(function):
        cases[function.__name__] = function
        return function

    return cases, case


def seen(result):
    """Return what a result shows, as plain numbers."""
    if isinstance(result, aino.Tensor):
        return result.tolist()
    if isinstance(result, np.ndarray):
        return result.tolist()
    if isinstance(result, (tuple, list)):
        return [seen(part) for part in result]
    if isinstance(result, dict):
        return type(result).__name__, {str(key): seen(part) for key, part in result.items()}
    return result


def calls(step, *arguments, times=4):
    return [seen(step(*[a() if callable(a) else a for a in arguments])) for _ in range(times)]


def calls_with(step, numbers):
    return [seen(step(aino.ones(2), number)) for number in numbers]


def assert_shows_the_same(case):
    found = []
    for make in (lambda function: function, aino.compile):
        aino.manual_seed(0)
        found.append(case(make))
    assert found[0] == found[1]


def assert_follows(step, change):
    """Check that a program is made, and that ``change()`` of what it reads is seen at once."""
    compiled = aino.compile(step)
    found = [compiled(aino.ones(1)).tolist() for _ in range(4)]
    assert repr(compiled).endswith("1 of 1 signatures ready>")
    assert found == [step(aino.ones(1)).tolist()] * 4
    change()
    expected = step(aino.ones(1)).tolist()
    assert expected != found[0]
    assert [compiled(aino.ones(1)).tolist() for _ in range(4)] == [expected] * 4
