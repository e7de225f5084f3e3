"""All of ONNX's backend tests: what passes, and exactly what is refused and why."""

import collections

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime", reason="it takes long, and runs with the rest of parity")

from tests.onnx import backend_tests
from tests.onnx.backend_tests import NOT_COMPARABLE, REASONS, REFUSED, model_tests, node_tests


@pytest.mark.parametrize("tests", [node_tests, model_tests], ids=["nodes", "models"])
def test_every_test_passes_or_is_refused_by_the_name_of_its_operator(tests, capsys):
    cases = tests()
    found = {name: backend_tests.run(case) for name, case in cases.items()}
    counts = collections.Counter(outcome.state for outcome in found.values())
    with capsys.disabled():
        print(f"\nONNX's {len(cases)} {tests.__name__}:", dict(counts))
    failed = {name: outcome.why for name, outcome in found.items() if outcome.state == "failed"}
    assert failed == {}
    refused = {name: outcome.why for name, outcome in found.items() if outcome.state == "refused"}
    expected = {
        name: operator for operator, names in REFUSED.items() for name in names if name in cases
    }
    assert refused.keys() == expected.keys()
    for name, operator in expected.items():
        assert operator in refused[name]


def test_what_is_refused_has_a_reason_and_is_there():
    assert REASONS.keys() == REFUSED.keys()
    there = node_tests().keys() | model_tests().keys()
    listed = [*NOT_COMPARABLE, *(name for names in REFUSED.values() for name in names)]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= there


@pytest.mark.parametrize("name", [name for name in NOT_COMPARABLE if "bernoulli" in name])
def test_random_numbers_are_of_the_kind_that_is_asked_for(name):
    for results, wanted in backend_tests.outputs(node_tests()[name]):
        assert [(r.shape, r.dtype) for r in results] == [(w.shape, w.dtype) for w in wanted]
        assert set(np.unique(results[0])) <= {0, 1}


@pytest.mark.parametrize("name", [name for name in NOT_COMPARABLE if "attention" in name])
def test_float16_is_nearer_to_what_is_exact_than_the_stored_values(name):
    case = node_tests()[name]
    q, k, v = (array.astype(np.float64) for array in case.data_sets[0][0])
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    scores[..., np.triu(np.ones(scores.shape[-2:], bool), 1)] = -np.inf
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    exact = weights / weights.sum(-1, keepdims=True) @ v
    ((result, *_), (stored, *_)) = next(backend_tests.outputs(case))
    assert np.abs(result - exact).max() <= np.abs(stored - exact).max() < 1e-3
