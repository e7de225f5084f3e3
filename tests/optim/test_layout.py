"""Blocks, pieces and threads: however a step is cut up, the numbers are the same."""

import os
import threading

import numpy as np
import pytest

from aino import threads
from aino.autograd.memory import write_count
from aino.autograd.tensor import Tensor, make
from aino.optim import SGD, Adadelta, Adam, AdamW, NAdam
from aino.optim import bucket as segments
from aino.threads import Worker
from tests.optim.helpers import assert_same, give, parameters, run, values

LARGE = [(30, 7), (40,), (2, 3), (), (500,), (5,), (123, 3)]


@pytest.fixture
def small_blocks(monkeypatch):
    """Cut as if a cache held a hundred numbers."""
    monkeypatch.setattr(segments, "BLOCK", 100)
    monkeypatch.setattr(segments, "LARGE", 50)
    monkeypatch.setattr(segments, "SHARED", 300)
    monkeypatch.setattr(threads, "CORES", 2)


def blocks_of(optimizer):
    (layout,) = optimizer._layouts.values()
    return [segment.lanes for segment in layout.segments]


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize(
    "make_optimizer",
    [
        Adam,
        lambda p: AdamW(p, maximize=True),
        lambda p: Adam(p, weight_decay=0.1, amsgrad=True),
        lambda p: SGD(p, momentum=0.9, weight_decay=0.1),
        NAdam,
        Adadelta,
    ],
)
def test_blocks_and_threads_change_no_bit(make_optimizer, dtype, small_blocks, monkeypatch):
    tensors = parameters(dtype, LARGE)
    optimizer = make_optimizer(tensors)
    run(optimizer, tensors, 4, missing=lambda t: (4,) if t == 2 else ())
    monkeypatch.undo()
    others = parameters(dtype, LARGE)
    whole = make_optimizer(others)
    run(whole, others, 4, missing=lambda t: (4,) if t == 2 else ())
    assert_same(values(tensors), values(others))
    assert any(len(lanes) == 2 for lanes in blocks_of(optimizer))
    assert all(len(lanes) == 1 and len(lanes[0]) == 1 for lanes in blocks_of(whole))


def test_every_number_lies_in_exactly_one_block(small_blocks):
    tensors = parameters("float64", LARGE)
    optimizer = Adam(tensors)
    run(optimizer, tensors, 1)
    ((first, second),) = blocks_of(optimizer)
    flat = optimizer.named_memory()["exp_avg"].array
    flat[...] = 0
    for block in [*first, *second]:
        assert block.work.size <= 112  # pieces end with a cache line
        block.states[0][...] += 1
    assert (flat == 1).all()


def test_parameters_that_are_not_contiguous_are_stepped_in_place(small_blocks):
    memory = np.arange(600.0).reshape(20, 30)
    tensors = [make(memory.T).requires_grad_(), make(np.zeros((4, 4))[:, 1]).requires_grad_()]
    others = [make(t.array.copy()).requires_grad_() for t in tensors]
    run(AdamW(tensors), tensors, 3)
    run(AdamW(others), others, 3)
    assert_same(values(tensors), values(others))
    assert tensors[0].array.base is memory.base or tensors[0].array.base is memory


def test_gradients_in_any_memory_order(small_blocks):
    tensors, others = parameters("float64", LARGE), parameters("float64", LARGE)
    optimizer, twin = Adam(tensors), Adam(others)
    for t in range(2):
        give(tensors, t)
        give(others, t)
        for tensor in tensors:
            tensor.grad = make(tensor.grad.array.copy(order="F"))
        kept = [t.grad.array for t in tensors]
        before = [array.copy() for array in kept]
        optimizer.step()
        twin.step()
        assert_same(kept, before)
    assert_same(values(tensors), values(others))


def test_rows_that_share_memory_with_a_matrix_move_with_it():
    matrix = Tensor(np.ones((3, 2))).requires_grad_()
    row = matrix.array[1]
    matrix.grad = make(np.ones((3, 2)))
    SGD([matrix], lr=0.5).step()
    np.testing.assert_array_equal(row, [0.5, 0.5])


def test_a_step_is_noted_as_a_write_into_each_parameter_and_state():
    tensors = parameters()
    optimizer = Adam(tensors)
    counts = []
    for t in range(3):
        give(tensors, t)
        if t == 1:
            tensors[2].grad = None
        optimizer.step()
        counts.append([write_count(tensor.array) for tensor in tensors])
    flat = optimizer.named_memory()["exp_avg"].array
    assert write_count(flat) == counts[2][0] > counts[1][0] > counts[0][0] > 0
    assert counts[1][2] == counts[0][2]


def test_empty_parameters():
    tensors = parameters("float32", [(0, 3), (2,), (0,)])
    run(Adam(tensors), tensors, 2)
    alone = parameters("float32", [(0,), (0, 2)])
    run(Adam(alone), alone, 2)


def test_half_precision():
    tensors = parameters("float16")
    run(Adam(tensors, eps=1e-3), tensors, 3)
    assert all(np.isfinite(t.array).all() and t.array.dtype == np.float16 for t in tensors)


def test_a_worker_runs_both_parts_and_passes_errors_on():
    worker = Worker()
    seen = {}

    def note(part):
        seen[part] = threading.current_thread().name
        if part == "bad":
            raise KeyError(part)

    worker.share(note, ["a", "b"])
    assert seen["a"] == threading.current_thread().name != seen["b"]
    with pytest.raises(KeyError, match="bad"):
        worker.share(note, ["c", "bad"])
    with pytest.raises(KeyError, match="bad"):
        worker.share(note, ["bad", "d"])
    worker.share(note, ["e", "f"])
    assert set(seen) == {"a", "b", "c", "bad", "d", "e", "f"}


def test_a_worker_that_is_taken_lets_the_caller_do_both_parts():
    worker = Worker()
    names = []

    def outer(part):
        worker.share(lambda inner: names.append(threading.current_thread().name), [1, 2])

    worker.share(outer, [1, 2])
    assert len(names) == 4


def test_where_no_thread_can_be_started_the_caller_does_all(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    worker = Worker()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        done = []
        worker.share(done.append, [1, 2])
    worker.share(done.append, [3, 4])
    assert done == [1, 2, 3, 4]
    assert worker.alone


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_starts_a_worker_of_its_own():
    worker = Worker()
    worker.share(lambda part: None, [1, 2])
    child = os.fork()
    if child == 0:
        done = []
        worker.share(done.append, [1, 2])
        os._exit(len(done))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2


def test_optimizers_in_several_threads(small_blocks):
    def train(results, key):
        tensors = parameters("float64", LARGE)
        run(Adam(tensors), tensors, 5)
        results[key] = values(tensors)

    results: dict[int, list] = {}
    threads = [threading.Thread(target=train, args=(results, key)) for key in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key in range(1, 4):
        assert_same(results[0], results[key])
