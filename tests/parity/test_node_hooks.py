"""Hooks on nodes are called with, and change, what PyTorch's are."""

from __future__ import annotations

import pytest

from tests.autograd.test_node_hooks import SCENARIOS, Log, numbers

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_hooks_on_nodes(scenario):
    log = Log()
    gradients = scenario(torch, log)
    assert (numbers(tuple(gradients)), list(log)) == SCENARIOS[scenario]
