"""The rows of training on several ranks, run under the launcher by ``test_training.py``.

A row is a function of the rank and the number of ranks that asserts something. What it says is
written to one file a rank, as a line of JSON for each row; the tests read that.
"""

from __future__ import annotations

import datetime
import json
import sys
import traceback

import pytest

from aino import distributed as dist
from tests.distributed import (
    rows_batchnorm,
    rows_equal,
    rows_gradients,
    rows_optimizer,
    rows_trainer,
    rows_uneven,
)  # fmt: skip
from tests.distributed.ranks import ROWS, folder

FILES = rows_equal, rows_gradients, rows_uneven, rows_optimizer, rows_batchnorm, rows_trainer


def main(only):
    dist.init_process_group(timeout=datetime.timedelta(seconds=30))
    rank, world = dist.get_rank(), dist.get_world_size()
    with open(folder() / f"rank{rank}", "w") as file:
        for name, check in ROWS.items():
            if only and not any(part in name for part in only):
                continue
            said = ""
            print(json.dumps([name, "did not come to its end"]), file=file, flush=True)
            try:
                check(rank, world)
            except (Exception, pytest.fail.Exception):
                said = traceback.format_exc()
            print(json.dumps([name, said]), file=file, flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[2:])
