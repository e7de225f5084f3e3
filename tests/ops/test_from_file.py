"""Tensors over files: what is shared, what is not, what is refused."""

from __future__ import annotations

import pytest

import aino


def test_a_file_that_is_shared_is_written(tmp_path):
    name = tmp_path / "numbers"
    x = aino.from_file(str(name), shared=True, size=3)
    assert x.tolist() == [0.0, 0.0, 0.0]
    x[1] = 5.0
    y = aino.from_file(str(name), shared=False, size=3)
    assert y.tolist() == [0.0, 5.0, 0.0]
    y.mul_(2.0)
    assert aino.from_file(str(name), size=3).tolist() == [0.0, 5.0, 0.0]
    z = aino.from_file(str(name), shared=True, size=4, dtype=aino.float64)
    assert name.stat().st_size == 32
    assert z.shape == (4,)
    assert aino.from_file(str(name)).shape == (0,)


def test_gradients_go_through(tmp_path):
    x = aino.from_file(str(tmp_path / "numbers"), True, 2).requires_grad_()
    (x * 3.0).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_what_is_refused(tmp_path):
    name = tmp_path / "numbers"
    with pytest.raises(OSError, match="numbers"):
        aino.from_file(str(name), size=1)
    name.write_bytes(b"12345")
    with pytest.raises(RuntimeError, match="holds 5 bytes, 2 elements of float32 are 8"):
        aino.from_file(str(name), size=2)
    with pytest.raises(ValueError, match="must not be negative"):
        aino.from_file(str(name), shared=True, size=-1)
    assert name.read_bytes() == b"12345"
