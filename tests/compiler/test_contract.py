"""The contract: a compiled function does what the function would do now, or says that it can't.

Random programs read globals, cells, attributes, classes, containers, arrays and modules at random
depths; each value is changed at random times, and compiled must equal eager.
"""

import random
import warnings

import pytest

import aino
from aino.compiler import dispatch
from aino.compiler.guards.environment import Reading
from aino.compiler.tracing.effects import Effect, Exchange
from aino.errors import CompileError, CompileWarning
from tests.compiler.contract_programs import VALUES, World
from tests.compiler.showing import seen

PROGRAMS = 120


def differences(seed: int, calls: int = 14, **size) -> tuple[list, bool]:
    """Run one random program eager and compiled; return where they differ, and if it compiled."""
    eager, other = World(seed, **size), World(seed, **size)
    compiled = aino.compile(other.step)
    chance = random.Random(-seed)
    found, made = [], False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CompileWarning)
        for call in range(calls):
            if eager.changes and call >= 3 and chance.random() < 0.6:
                place, value = chance.randrange(len(eager.changes)), chance.choice(VALUES)
                eager.change(place, value)
                other.change(place, value)
            x = aino.tensor([1.0, 2.0 + call % 3])
            expected = outcome(eager.step, x)
            try:
                result = outcome(compiled, x)
            except CompileError:
                continue
            made |= "1 of" in repr(compiled) or "2 of" in repr(compiled)
            if (result, seen(other.shown())) != (expected, seen(eager.shown())):
                found.append((seed, call, result, expected, other.shown(), eager.shown()))
    return found, made


def outcome(step, x) -> tuple:
    """Return what a call gives, or what it raises."""
    try:
        result = step(x)
    except CompileError:
        raise
    except Exception as error:
        return type(error), str(error)
    return result.tolist(), result.dtype


@pytest.mark.parametrize("block", range(8))
def test_compiled_does_what_the_function_would_do_now(block):
    seeds = range(block, PROGRAMS, 8)
    outcomes = [differences(seed) for seed in seeds]
    assert [found for found, _ in outcomes if found] == []
    assert sum(made for _, made in outcomes) > 0.8 * len(outcomes)


@pytest.mark.parametrize("block", range(8))
def test_what_the_function_changes_is_changed_by_its_program(block):
    seeds = range(block, PROGRAMS, 8)
    outcomes = [differences(seed, places=seed % 3, books=1 + seed % 4) for seed in seeds]
    assert [found for found, _ in outcomes if found] == []
    assert sum(made for _, made in outcomes) > 0.1 * len(outcomes)


#: The same for what a function changes.
FAULTS_OF_BOOKS = {
    "what is changed": (Exchange, "_changes", lambda self: iter(())),
    "the way back": (Effect, "undo", lambda self: None),
    "the repetition": (dispatch, "_repeat", lambda *_: None),
    "what a model holds": (Reading, "_look_at", lambda *_: None),
}


@pytest.mark.parametrize("fault", FAULTS_OF_BOOKS)
def test_a_fault_in_what_is_repeated_is_found(fault, monkeypatch):
    monkeypatch.setattr(*FAULTS_OF_BOOKS[fault])
    assert any(
        differences(seed, places=seed % 3, books=1 + seed % 4)[0] for seed in range(PROGRAMS * 3)
    )


#: What is switched off, so that the test above has to find it.
FAULTS = {
    "frames that run are not met": ("ran", lambda *_: None),
    "attributes of what has no name": ("loosen", lambda *_: None),
    "containers": ("_record", lambda *_: None),
    "classes": ("_of_class", lambda self, owner, raw, base, name, said: raw),
    "what a chain ends at": ("_end", lambda *_, **__: None),
    "attributes": ("_attribute", lambda *_: None),
    "methods": ("_of_instance", lambda *_: None),
    "names": ("_rebound", lambda *_: None),
    "defaults": ("_defaults", lambda *_: None),
    "modules": ("_of_module", lambda *_: None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_is_planted_is_found(fault, monkeypatch):
    monkeypatch.setattr(Reading, *FAULTS[fault])
    assert any(differences(seed)[0] for seed in range(PROGRAMS * 3))
