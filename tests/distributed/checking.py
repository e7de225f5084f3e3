"""What the scripts of this folder share: checks that every rank runs, and their report."""

import json
import traceback
from datetime import timedelta

import pytest

import aino.distributed as dist

CHECKS = {}


def check(function):
    """Let all ranks run a function of (rank, count)."""
    CHECKS[function.__name__] = function
    return function


def raises(kind, words, function, *arguments, **keywords):
    """Fail unless a call raises an error of a kind, with these words in it."""
    with pytest.raises(kind) as found:
        function(*arguments, **keywords)
    for word in [words] if isinstance(words, str) else words:
        assert word in str(found.value), f"{word!r} is not in: {found.value}"


def run_all():
    """Run every check, in all ranks one after the other, and print what failed from rank 0."""
    dist.init_process_group(timeout=timedelta(seconds=20))
    rank, count = dist.get_rank(), dist.get_world_size()
    failed = {}
    for name, function in CHECKS.items():
        try:
            function(rank, count)
        except Exception:
            failed[name] = f"rank {rank} of {count}: {traceback.format_exc()}"
    gathered = [None] * count
    dist.all_gather_object(gathered, failed)
    merged = dict.fromkeys(CHECKS, "")
    for part in gathered:
        for name, text in part.items():
            merged[name] += text
    if rank == 0:
        print("RESULT " + json.dumps(merged), flush=True)
    dist.destroy_process_group()
