"""Random steps of views, writes in place, products, draws and backward passes, as eager."""

import random

import numpy as np
import pytest

import aino
from tests.parity.programs import NEW, WRITES

MORE = {
    "stack": lambda m, a, b: m.stack([a, a * b]),
    "split": lambda m, a, b: a.reshape(-1).split(2)[0],
    "flip": lambda m, a, b: a.flip(0),
    "pick": lambda m, a, b: a.reshape(-1)[m.tensor([0, 1, 0])],
    "softmax": lambda m, a, b: a.softmax(-1),
    "sort": lambda m, a, b: a.reshape(-1).sort()[0],
    "cumsum": lambda m, a, b: a.cumsum(0),
    "outer": lambda m, a, b: a.reshape(-1, 1) @ b.reshape(1, -1),
    "draw": lambda m, a, b: a * m.rand(a.shape, dtype=a.dtype),
    "standard": lambda m, a, b: (a - a.mean()) / (a.std() + 1e-3),
    "windows": lambda m, a, b: a.reshape(-1).unfold(0, 2, 1),
    "clamp_": lambda m, a, b: a.clamp_(-1, 1),
    "fill_": lambda m, a, b: a.fill_(0.3),
    "write_part": lambda m, a, b: a[..., :1].mul_(2.0),
    "copy_back": lambda m, a, b: b.copy_(a.detach()),
}
STEPS = {name: step for name, step in {**NEW, **WRITES, **MORE}.items() if name != "assign_mask"}


def program(seed):
    """Return a random step, and the tensors it holds."""
    chance = random.Random(seed)
    names = list(STEPS)
    plan = [
        (chance.choice(names), chance.randrange(99), chance.randrange(99))
        for _ in range(chance.randint(3, 9))
    ]
    kind = chance.choice(["SGD", "Adam", None])
    numbers = np.random.default_rng(3)
    w = aino.tensor(numbers.normal(size=(2, 3))).requires_grad_()
    held = aino.tensor(numbers.normal(size=(2, 3)))
    optimizer = getattr(aino.optim, kind)([w], lr=0.01) if kind else None

    def step(x, y):
        if optimizer:
            optimizer.zero_grad()
        pool = [x, y, held, w * 1.0]
        for name, i, j in plan:
            made = STEPS[name](aino, pool[i % len(pool)], pool[j % len(pool)])
            if made is not None:
                pool.append(made)
        total = sum((p * p).sum() for p in pool[4:] if p.requires_grad)
        if isinstance(total, aino.Tensor):
            total.backward()
        if optimizer:
            optimizer.step()
        return [p.detach() for p in pool]

    return step, w, held


def outcome(seed, compiled):
    """Return all that four calls make and change; the last is given a transposed matrix."""
    aino.manual_seed(1)
    step, w, held = program(seed)
    step = aino.compile(step) if compiled else step
    found = []
    for call in range(4):
        numbers = np.random.default_rng(call)
        x, y = (aino.tensor(numbers.normal(size=(2, 3))) for _ in range(2))
        if call == 3:
            x = aino.tensor(numbers.normal(size=(3, 2))).T
        tensors = [*step(x, y), x, y, w.detach(), held]
        found += [t.numpy().copy() for t in tensors if t is not None]
    return [*found, w.grad.numpy()] if w.grad is not None else found


@pytest.mark.parametrize("seed", range(40))
def test_as_eager(seed):
    try:
        expected = outcome(seed, False)
    except (RuntimeError, ValueError, IndexError) as error:
        with pytest.raises(type(error)):
            outcome(seed, True)
        return
    found = outcome(seed, True)
    assert len(found) == len(expected)
    for mine, its in zip(found, expected):
        assert mine.shape == its.shape
        np.testing.assert_allclose(mine, its, rtol=1e-9, atol=1e-11)


def test_a_window_that_is_written_is_a_view():
    def step(x):
        x.unfold(0, 2, 1).mul_(2.0)
        return x * 1.0

    compiled = aino.compile(step)
    for turn in range(4):
        x = aino.ones(3) + turn
        assert compiled(x.clone()).tolist() == step(x).tolist()


def test_a_view_of_a_strided_argument():
    def step(x):
        y = x.reshape(-1)
        y.add_(1)
        return x.sum()

    compiled = aino.compile(step)
    for turn in range(8):
        x = aino.ones(2, 3) if turn % 2 else aino.ones(3, 2).T
        assert compiled(x).item() == (12.0 if turn % 2 else 6.0)
