"""What is said to be left out of PyTorch's names is left out, and nothing else is."""

import pytest

from aino import coverage

torch = pytest.importorskip("torch")

from tests.parity.names import missing_names, public_names  # noqa: E402


@pytest.mark.parametrize("space", coverage.NAMES)
def test_what_is_left_out_is_listed(space):
    listed = [name for names in coverage.left_out(space).values() for name in names]
    assert sorted(listed) == sorted(missing_names(space))


@pytest.mark.parametrize("space", coverage.NAMES)
def test_the_number_of_names(space):
    assert coverage.NAMES[space] == len(public_names(space))
