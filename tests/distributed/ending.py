"""Run by two ranks: the second ends as it is told, while the first waits for it."""

import os
import signal
import sys
import time
from datetime import timedelta

rank, ending = int(os.environ["RANK"]), sys.argv[1]
if rank == 1 and ending == "raises before it meets the others":
    raise ValueError("first")

import aino  # noqa: E402
import aino.distributed as dist  # noqa: E402

dist.init_process_group("mpi", timeout=timedelta(seconds=25))
if ending == "well":
    told = f"rank {dist.get_rank()} of {os.environ['WORLD_SIZE']}, local {os.environ['LOCAL_RANK']}"
    sys.stdout.write(told + "\n")
    sys.exit()
if rank == 1:
    if ending == "raises":
        raise ValueError("second")
    if ending == "exits with a code":
        sys.exit(7)
    if ending == "ends early":
        sys.exit()
    if ending == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(20)
if ending == "sleeps":
    dist.barrier(timeout=timedelta(seconds=0.7))
dist.all_reduce(aino.ones(3))
print("WAITED IN VAIN")
