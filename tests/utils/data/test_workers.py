"""Worker processes: what they send, how they begin, and that none is left behind."""

import gc
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import aino
from aino.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info, processes
from aino.utils.data.memory import SMALL

ROOT = Path(__file__).resolve().parent.parent.parent.parent

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes can't be split here")


class Images(Dataset):
    """Large arrays, small ones, numbers and texts; a number is in all of them."""

    def __init__(self, count=20):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return {
            "image": aino.full((20, 30), float(index)),
            "array": np.full(7, index, np.int16),
            "number": index,
            "text": str(index),
        }


class Asked(Dataset):
    """Answers with what a function of the number says."""

    def __init__(self, function, count=8):
        self.function = function
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return self.function(index)


class Share(IterableDataset):
    """Numbers, each given by one worker."""

    def __init__(self, count):
        self.count = count

    def __iter__(self):
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(first, self.count, step))


def loader(dataset, batch_size=3, num_workers=2, **settings):
    settings.setdefault("multiprocessing_context", "fork")
    return DataLoader(dataset, batch_size, num_workers=num_workers, **settings)


def check(batches, expected=range(20)):
    """Check batches of images, which are sent in four ways."""
    seen = []
    for batch in batches:
        numbers = batch["number"].tolist()
        assert batch["text"] == [str(number) for number in numbers]
        assert batch["array"][:, 0].tolist() == numbers
        assert batch["image"].shape == (len(numbers), 20, 30)
        assert batch["image"].dtype == aino.float32
        assert (batch["image"].array == np.array(numbers)[:, None, None]).all()
        seen += numbers
    assert seen == list(expected)


def no_process_is_left():
    gc.collect()
    return multiprocessing.active_children() == []


def test_batches_are_those_of_one_process():
    check(loader(Images()))
    assert no_process_is_left()


def test_a_started_process_is_given_the_dataset():
    check(loader(Images(), num_workers=1, multiprocessing_context="spawn"))


def test_batches_that_are_kept_stay_what_they_are():
    kept = list(loader(Images(), batch_size=2))
    check(kept)
    for batch in kept:
        batch["image"].add_(1).sub_(1)
        batch["image"] = batch["image"] * 1
    check(kept)


def test_shared_memory_is_used_again_when_nobody_looks_at_it():
    batches = iter(loader(Images(200), num_workers=1))
    first = next(batches)["image"][1:]
    for _ in batches:
        pieces = len(batches.workers[0].memory.mapped)
    assert pieces <= 5
    assert (first.array == np.array([1, 2])[:, None, None]).all()


def test_memory_that_a_worker_still_holds_is_not_used_again():
    held = []

    def collate(samples):
        held.append(aino.utils.data.default_collate(samples))
        return held[-1], held[0].clone()

    for batch, first in loader(
        Asked(lambda i: aino.full((SMALL,), float(i)), 9), 1, 1, collate_fn=collate
    ):
        assert first[0, 0] == 0
        del batch


def test_the_same_array_twice_and_views():
    def sample(index):
        base = np.full((SMALL, 2), float(index), np.float32)
        return base, base, base[::2], base[3:]

    for index, batch in enumerate(loader(Asked(sample), None, collate_fn=list)):
        assert [part.shape[0] for part in batch] == [SMALL, SMALL, SMALL // 2, SMALL - 3]
        assert all((part == index).all() for part in batch)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("persistent_workers", [False, True])
def test_an_iterable_dataset_is_shared_by_its_workers(drop_last, persistent_workers):
    batches = loader(
        Share(11), 3, drop_last=drop_last, persistent_workers=persistent_workers
    )  # fmt: skip
    for _ in range(2):
        got = [batch.tolist() for batch in batches]
        assert got[:3] == [[0, 2, 4], [1, 3, 5], [6, 8, 10]]
        assert got[3:] == ([] if drop_last else [[7, 9]])


def test_an_iterable_dataset_that_one_worker_has_for_itself():
    uneven = {0: 10, 1: 1}

    class Uneven(IterableDataset):
        def __iter__(self):
            return iter([get_worker_info().id] * uneven[get_worker_info().id])

    assert [int(n) for n in loader(Uneven(), None)] == [0, 1] + [0] * 9


def drawn(seed, **settings):
    """Return what workers draw from each of the generators that they may draw from."""
    aino.manual_seed(seed)

    def sample(index):
        return random.random(), np.random.rand(), aino.rand(()).item(), get_worker_info().seed

    return [tuple(sample.tolist()) for sample in loader(Asked(sample), None, **settings,
            collate_fn=aino.tensor)]  # fmt: skip


def test_workers_draw_different_numbers_and_the_same_with_the_same_seed():
    first = drawn(1)
    assert first == drawn(1) != drawn(2)
    for column in list(zip(*first))[:3]:
        assert len(set(column)) == len(first)


def test_a_worker_knows_who_it_is():
    def sample(index):
        info = get_worker_info()
        return info.id, info.num_workers, info.dataset.count

    assert [tuple(s) for s in loader(Asked(sample), None, collate_fn=list)] == [
        (0, 2, 8), (1, 2, 8)] * 4  # fmt: skip
    assert get_worker_info() is None


def test_worker_init_fn_may_change_the_dataset():
    def init(worker):
        get_worker_info().dataset.function = lambda index: (worker, index)

    got = list(loader(Asked(None, 4), None, worker_init_fn=init, collate_fn=list))
    assert got == [[0, 0], [1, 1], [0, 2], [1, 3]]


def test_persistent_workers_stay_and_begin_anew():
    def sample(index):
        return os.getpid(), index

    batches = loader(Asked(sample, 40), 1, persistent_workers=True, collate_fn=list)
    first = list(batches)
    for _ in zip(range(3), batches):  # left early
        pass
    again = list(batches)
    assert again == first
    assert len({pid for ((pid, _),) in first}) == 2
    del batches
    assert no_process_is_left()


def test_in_any_order_a_slow_worker_does_not_hold_up_the_other():
    may_go_on = multiprocessing.get_context("fork").Event()

    def sample(index):
        return index if index else (may_go_on.wait(), 0)[1]

    batches = iter(loader(Asked(sample), None, in_order=False))
    got = [next(batches)]
    assert got == [1]
    may_go_on.set()
    assert sorted([*got, *batches]) == list(range(8))


class Strange(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


def raising(error):
    def sample(index):
        if index == 2:
            raise error
        return index

    return sample


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("no good"), ValueError),
        (KeyError("no good"), KeyError),
        (aino.errors.ShapeError("no good"), aino.errors.ShapeError),
        (Strange("no good", 2), RuntimeError),
        (StopIteration("no good"), RuntimeError),
        (type("Local", (ValueError,), {})("no good"), RuntimeError),
    ],
)
def test_an_error_in_a_worker_is_raised_with_its_trace(error, kind):
    batches = iter(loader(Asked(raising(error)), 1))
    with pytest.raises(kind) as raised:
        list(batches)
    text = str(raised.value)
    assert f"Caught {type(error).__name__} in DataLoader worker process 0.\n" in text
    assert "Traceback" in text
    assert "test_workers.py" in text
    assert "no good" in text
    assert [int(number) for number in batches] == [3, 4, 5, 6, 7]  # one may go on


def fails(*_):
    raise OSError("no good")


@pytest.mark.parametrize(
    "settings",
    [
        {"worker_init_fn": fails},
        {"collate_fn": fails},
        {"dataset": type("Fails", (IterableDataset,), {"__iter__": fails})()},
    ],
    ids=["init", "collate", "iter"],
)
def test_errors_elsewhere_in_a_worker(settings):
    with pytest.raises(OSError, match="no good"):
        list(loader(**{"dataset": Asked(int), **settings}))


def test_a_batch_that_can_not_be_sent():
    with pytest.raises(Exception, match="pickle"):
        list(loader(Asked(lambda index: lambda: index), None))


def test_an_error_of_a_sampler_comes_out_as_it_is():
    def sampler():
        yield 0
        raise ValueError("no good")

    with pytest.raises(ValueError, match=r"^no good$"):
        list(loader(Asked(int), sampler=sampler()))
    assert no_process_is_left()


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by signal: SIGKILL"),
        (lambda: os._exit(3), "exit code 3"),
    ],
    ids=["killed", "exits"],
)
def test_a_worker_that_dies(end, words):
    with pytest.raises(RuntimeError, match=rf"worker \(pid \d+\) exited unexpectedly \({words}"):
        list(loader(Asked(lambda index: end() if index == 3 else index)))
    assert no_process_is_left()


def test_waiting_has_an_end(monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 0.05)
    with pytest.raises(RuntimeError, match=r"timed out after 0.05 seconds"):
        list(loader(Asked(lambda index: threading.Event().wait()), timeout=0.05))
    assert no_process_is_left()


def test_a_loader_that_is_left_early_leaves_nothing_behind():
    batches = iter(loader(Asked(lambda index: "x" * 300_000, 100), 1))
    next(batches)
    del batches
    assert no_process_is_left()


def test_another_process_leaves_the_workers_alone():
    batches = iter(loader(Images()))
    first = next(batches)
    child = os.fork()
    if not child:
        processes.stop(batches.workers, batches.ending.peek()[2][1])
        os._exit(0)
    os.waitpid(child, 0)
    check([first, *batches])


PROGRAM = """
import os, signal, sys
from aino.utils.data import DataLoader, Dataset

# Also where the tests were started in the background, which ignores Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Numbers(Dataset):
    def __len__(self):
        return 1000

    def __getitem__(self, index):
        return index

for number in DataLoader(Numbers(), num_workers=2, multiprocessing_context="fork"):
    print("began", flush=True)
    {}
"""


def run(line):
    """Run the program; its output ends when all who can write there have ended."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(line)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        start_new_session=True,
    )


def test_workers_end_when_the_loader_is_killed():
    done = run("os.kill(os.getpid(), signal.SIGKILL)")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "began\n", "")


@pytest.mark.parametrize("line", ["os.killpg(0, signal.SIGINT)", "sys.exit(7)"])
def test_an_interruption_ends_clean(line):
    done = run(line)
    assert done.stdout == "began\n"
    if "exit" in line:
        assert (done.returncode, done.stderr) == (7, "")
    else:
        assert done.stderr.count("Traceback") == 1
        assert done.stderr.endswith("KeyboardInterrupt\n")
