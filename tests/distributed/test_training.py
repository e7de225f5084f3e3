"""Training on two ranks: the rows of ``training.py``, in one launch."""

from __future__ import annotations

import importlib.util

import pytest

from tests.distributed.ranks import ROWS
from tests.distributed.said import check_row
from tests.distributed.training import FILES

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed"
)


@pytest.mark.parametrize("name", ROWS)
def test_row(name):
    check_row(name, 2)


def test_all_files_have_rows():
    assert len(ROWS) > 60
    assert len(FILES) == 6
