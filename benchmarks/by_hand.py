"""The step that somebody who knows NumPy well would write for one network by hand.

Weights and gradients are views of two flat arrays, buffers are made once, and everything is
written into them; on large networks the update works in blocks that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.networks import Network

BLOCK = 65536


def numpy_step(network: Network) -> Callable[[], Any]:
    """Return a training step of plain NumPy calls."""
    X, y = network.data()
    count = len(network.sizes) - 1
    weights = network.weights()
    flat = np.concatenate([part.ravel() for pair in weights for part in pair])
    flat_gradient = np.empty_like(flat)
    layers, gradients = _views(flat, weights), _views(flat_gradient, weights)
    outputs = [np.empty((network.batch, size), np.float32) for size in network.sizes[1:]]
    slopes = [np.empty_like(output) for output in outputs]
    masks = [np.empty(output.shape, bool) for output in outputs]
    transposed = [(weight.T, bias) for weight, bias in layers]
    rows = np.arange(network.batch)
    scale = np.float32(1 / outputs[-1].size if not network.classifies else 1 / network.batch)
    update = _adam(flat, flat_gradient, network.lr) if network.optimizer == "Adam" else None
    lr = np.float32(network.lr)

    def step() -> Any:
        h = X
        for i in range(count):
            weight_T, bias = transposed[i]
            out = np.matmul(h, weight_T, out=outputs[i])
            np.add(out, bias, out=out)
            if i < count - 1:
                np.greater(out, 0, out=masks[i])
                np.maximum(out, 0, out=out)
            h = out
        g = slopes[-1]
        if network.classifies:
            np.subtract(h, np.maximum.reduce(h, axis=1, keepdims=True), out=h)
            np.exp(h, out=g)
            total = np.add.reduce(g, axis=1, keepdims=True)
            loss = (np.log(total[:, 0]) - h[rows, y]).mean()
            np.divide(g, total, out=g)
            g[rows, y] -= 1
            np.multiply(g, scale, out=g)
        else:
            np.subtract(h, y, out=g)
            loss = (g * g).mean()
            np.multiply(g, 2 * scale, out=g)
        for i in range(count - 1, -1, -1):
            gradient_weight, gradient_bias = gradients[i]
            np.matmul(g.T, outputs[i - 1] if i else X, out=gradient_weight)
            np.add.reduce(g, axis=0, out=gradient_bias)
            if i:
                g = np.matmul(g, layers[i][0], out=slopes[i - 1])
                np.multiply(g, masks[i - 1], out=g)
        if update is not None:
            update()
        else:
            for start in range(0, flat.size, BLOCK):
                part = flat_gradient[start : start + BLOCK]
                np.multiply(part, lr, out=part)
                np.subtract(flat[start : start + BLOCK], part, out=flat[start : start + BLOCK])
        return loss

    return step


def _views(flat: np.ndarray, weights) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weights and biases as views of one flat array."""
    views, start = [], 0
    for pair in weights:
        parts = []
        for part in pair:
            parts.append(flat[start : start + part.size].reshape(part.shape))
            start += part.size
        views.append(tuple(parts))
    return views


def _adam(flat, gradient, lr) -> Callable[[], None]:
    """Return Adam over flat arrays, in blocks."""
    m, v = np.zeros_like(flat), np.zeros_like(flat)
    work = np.empty(min(BLOCK, flat.size), flat.dtype)
    blocks = []
    for start in range(0, flat.size, BLOCK):
        part = slice(start, start + BLOCK)
        blocks.append((flat[part], gradient[part], m[part], v[part], work[: flat[part].size]))
    b1, r1, b2, r2 = (np.array(x, flat.dtype) for x in (0.9, 0.1, 0.999, 0.001))
    eps, size = np.zeros((), flat.dtype), np.zeros((), flat.dtype)
    t = 0

    def update() -> None:
        nonlocal t
        t += 1
        root = (1 - 0.999**t) ** 0.5
        eps[()] = 1e-8 * root
        size[()] = lr / (1 - 0.9**t) * root
        for p, g, m, v, w in blocks:
            np.multiply(m, b1, out=m)
            np.add(m, np.multiply(g, r1, out=w), out=m)
            np.multiply(g, g, out=w)
            np.multiply(w, r2, out=w)
            np.multiply(v, b2, out=v)
            np.add(v, w, out=v)
            np.sqrt(v, out=w)
            np.add(w, eps, out=w)
            np.divide(m, w, out=w)
            np.multiply(w, size, out=w)
            np.subtract(p, w, out=p)

    return update
