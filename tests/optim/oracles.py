"""One step of each optimizer, for one parameter, as its paper (and PyTorch's page) writes it.

Each function takes the parameter, its gradient, a dict to remember in, the number of the step
(from 1) and the settings, and returns the new parameter. Nothing here is taken from AINO.
"""

import math

import numpy as np


def sgd(p, g, s, t, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    g = g + weight_decay * p
    if momentum:
        s["momentum_buffer"] = (
            g if t == 1 else momentum * s["momentum_buffer"] + (1 - dampening) * g
        )
        g = g + momentum * s["momentum_buffer"] if nesterov else s["momentum_buffer"]
    return p - lr * g


def adam(
    p,
    g,
    s,
    t,
    lr=1e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    amsgrad=False,
    decouple=False,
):
    if decouple:
        p = p - lr * weight_decay * p
    else:
        g = g + weight_decay * p
    s["exp_avg"] = betas[0] * s.get("exp_avg", 0 * p) + (1 - betas[0]) * g
    s["exp_avg_sq"] = betas[1] * s.get("exp_avg_sq", 0 * p) + (1 - betas[1]) * g * g
    v = s["exp_avg_sq"]
    if amsgrad:
        v = s["max_exp_avg_sq"] = np.maximum(s.get("max_exp_avg_sq", 0 * p), v)
    m_hat = s["exp_avg"] / (1 - betas[0] ** t)
    v_hat = v / (1 - betas[1] ** t)
    return p - lr * m_hat / (np.sqrt(v_hat) + eps)


def adamw(p, g, s, t, weight_decay=1e-2, **settings):
    return adam(p, g, s, t, weight_decay=weight_decay, decouple=True, **settings)


def rmsprop(
    p, g, s, t, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False
):
    g = g + weight_decay * p
    s["square_avg"] = alpha * s.get("square_avg", 0 * p) + (1 - alpha) * g * g
    v = s["square_avg"]
    if centered:
        s["grad_avg"] = alpha * s.get("grad_avg", 0 * p) + (1 - alpha) * g
        v = v - s["grad_avg"] ** 2
    step = g / (np.sqrt(v) + eps)
    if momentum:
        step = s["momentum_buffer"] = momentum * s.get("momentum_buffer", 0 * p) + step
    return p - lr * step


def adagrad(
    p, g, s, t, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10
):
    g = g + weight_decay * p
    s["sum"] = s.get("sum", 0 * p + initial_accumulator_value) + g * g
    return p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s["sum"]) + eps)


def adadelta(p, g, s, t, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0):
    g = g + weight_decay * p
    s["square_avg"] = rho * s.get("square_avg", 0 * p) + (1 - rho) * g * g
    before = s.get("acc_delta", 0 * p)
    delta = np.sqrt(before + eps) / np.sqrt(s["square_avg"] + eps) * g
    s["acc_delta"] = rho * before + (1 - rho) * delta * delta
    return p - lr * delta


def adamax(p, g, s, t, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    g = g + weight_decay * p
    s["exp_avg"] = betas[0] * s.get("exp_avg", 0 * p) + (1 - betas[0]) * g
    s["exp_inf"] = np.maximum(betas[1] * s.get("exp_inf", 0 * p), np.abs(g) + eps)
    return p - lr / (1 - betas[0] ** t) * s["exp_avg"] / s["exp_inf"]


def nadam(
    p, g, s, t, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, momentum_decay=4e-3,
    decoupled_weight_decay=False,
):  # fmt: skip
    if decoupled_weight_decay:
        p = p * (1 - lr * weight_decay)
    else:
        g = g + weight_decay * p
    mu = [betas[0] * (1 - 0.5 * 0.96 ** (i * momentum_decay)) for i in range(1, t + 2)]
    s["mu_product"] = math.prod(mu[:t])
    s["exp_avg"] = betas[0] * s.get("exp_avg", 0 * p) + (1 - betas[0]) * g
    s["exp_avg_sq"] = betas[1] * s.get("exp_avg_sq", 0 * p) + (1 - betas[1]) * g * g
    m_hat = mu[t] * s["exp_avg"] / (1 - math.prod(mu)) + (1 - mu[t - 1]) * g / (
        1 - math.prod(mu[:t])
    )
    return p - lr * m_hat / (np.sqrt(s["exp_avg_sq"] / (1 - betas[1] ** t)) + eps)


def radam(
    p,
    g,
    s,
    t,
    lr=1e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    decoupled_weight_decay=False,
):
    if decoupled_weight_decay:
        p = p * (1 - lr * weight_decay)
    else:
        g = g + weight_decay * p
    s["exp_avg"] = betas[0] * s.get("exp_avg", 0 * p) + (1 - betas[0]) * g
    s["exp_avg_sq"] = betas[1] * s.get("exp_avg_sq", 0 * p) + (1 - betas[1]) * g * g
    m_hat = s["exp_avg"] / (1 - betas[0] ** t)
    rho_inf = 2 / (1 - betas[1]) - 1
    rho = rho_inf - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
    if rho <= 5:
        return p - lr * m_hat
    scale = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    adaptive = math.sqrt(1 - betas[1] ** t) / (np.sqrt(s["exp_avg_sq"]) + eps)
    return p - lr * m_hat * scale * adaptive


def rprop(p, g, s, t, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50)):
    p, g = np.array(p), np.array(g)
    size = np.array(s.get("step_size", 0 * p + lr))
    prev = np.array(s.get("prev", 0 * p))
    for i in np.ndindex(p.shape):
        if g[i] * prev[i] > 0:
            size[i] = min(size[i] * etas[1], step_sizes[1])
        elif g[i] * prev[i] < 0:
            size[i] = max(size[i] * etas[0], step_sizes[0])
            g[i] = 0
        p[i] -= np.sign(g[i]) * size[i]
    s["step_size"], s["prev"] = size, g
    return p


def asgd(p, g, s, t, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0):
    def eta(step):
        return lr / (1 + lambd * lr * step) ** alpha if step else lr

    mu = 1 / max(1, t - 1 - t0)
    p = p * (1 - lambd * eta(t - 1)) - eta(t - 1) * (g + weight_decay * p)
    s["ax"] = p if mu == 1 else s["ax"] + mu * (p - s["ax"])
    s["eta"], s["mu"] = eta(t), 1 / max(1, t - t0)
    return p


def adafactor(p, g, s, t, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0):
    def rms(x):
        return np.sqrt(np.sum(x * x) / x.size)

    small = np.finfo(p.dtype).eps if eps[0] is None else eps[0]
    rate = max(eps[1], rms(p)) * min(lr, t**-0.5)
    beta = 1 - t**beta2_decay
    p = p - lr * weight_decay * p
    if p.ndim < 2:
        v = s["variance"] = beta * s.get("variance", 0 * p) + (1 - beta) * g * g
    else:
        r = s["row_var"] = beta * s.get("row_var", 0) + (1 - beta) * np.mean(g * g, -1)[..., None]
        c = s["col_var"] = (
            beta * s.get("col_var", 0) + (1 - beta) * np.mean(g * g, -2)[..., None, :]
        )
        v = r @ c / np.maximum(np.mean(r, -2, keepdims=True), small)
    update = g / np.maximum(np.sqrt(v), small)
    return p - rate * update / max(1, rms(update) / d)


def muon(
    p,
    g,
    s,
    t,
    lr=1e-3,
    weight_decay=0.1,
    momentum=0.95,
    nesterov=True,
    ns_coefficients=(3.4445, -4.775, 2.0315),
    eps=1e-7,
    ns_steps=5,
    adjust_lr_fn=None,
):
    b = s["momentum_buffer"] = momentum * s.get("momentum_buffer", 0 * p) + (1 - momentum) * g
    u = (1 - momentum) * g + momentum * b if nesterov else b
    # The iteration acts on singular values, each by itself: an odd polynomial of the fifth degree.
    left, values, right = np.linalg.svd(u.astype(np.float64), full_matrices=False)
    values = values / max(np.sqrt(np.sum(values**2)), eps)
    k, l, m = ns_coefficients
    for _ in range(ns_steps):
        values = k * values + l * values**3 + m * values**5
    rows, columns = p.shape
    ratio = math.sqrt(max(1, rows / columns))
    if adjust_lr_fn == "match_rms_adamw":
        ratio = 0.2 * math.sqrt(max(rows, columns))
    return p - lr * weight_decay * p - lr * ratio * (left * values) @ right
