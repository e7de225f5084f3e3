"""Hooks on modules are called with, and change, what PyTorch's are."""

from __future__ import annotations

import pytest

from tests.nn.test_module_hooks import SCENARIOS, numbers

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_hooks_on_modules(scenario):
    log = []
    assert (numbers(scenario(torch, log)), log) == SCENARIOS[scenario]
