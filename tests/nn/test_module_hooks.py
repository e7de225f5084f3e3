"""Hooks on modules: when they are called, with what, and what they may put in its place.

Each scenario is run with AINO here and with PyTorch in ``tests/parity/test_module_hooks.py``.
"""

from __future__ import annotations

import pytest

import aino


def made(library):
    """Return a module y = x · scale + shift, whose slope is kept in a parameter."""

    class Affine(library.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = library.nn.Parameter(library.tensor([2.0, 3.0]))

        def forward(self, x, scale=1.0, *, shift=0.0):
            if scale is None:
                raise ValueError("no scale")
            return x * self.weight * scale + shift

    return Affine()


def numbers(value):
    if isinstance(value, tuple | list):
        return type(value)([numbers(part) for part in value])
    if isinstance(value, dict):
        return {key: numbers(part) for key, part in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def noting(log, name, returned=None):
    """Return a hook that notes what it is given besides the module."""

    def hook(module, *given):
        log.append((name, *numbers(given)))
        return returned(*given) if returned else None

    return hook


def forward_order(library, log):
    net = made(library)
    net.register_forward_hook(noting(log, "second"))
    net.register_forward_hook(noting(log, "third"))
    net.register_forward_hook(noting(log, "first"), prepend=True)
    net.register_forward_pre_hook(noting(log, "before"))
    net.register_forward_pre_hook(noting(log, "before all"), prepend=True)
    return net(library.ones(2), 2.0)


def with_kwargs(library, log):
    net = made(library)
    net.register_forward_pre_hook(
        noting(log, "before", lambda args, kwargs: ((args[0] * 2.0,), {**kwargs, "shift": 1.0})),
        with_kwargs=True,
    )
    net.register_forward_pre_hook(noting(log, "again"), with_kwargs=True)
    net.register_forward_hook(
        noting(log, "after", lambda args, kwargs, y: y + kwargs["shift"]), with_kwargs=True
    )
    net.register_forward_hook(noting(log, "plain"))
    return net(library.ones(2), scale=10.0)


def what_replaces_arguments(library, log):
    net = made(library)
    net.register_forward_pre_hook(lambda module, args: args[0] * 2.0)
    net.register_forward_pre_hook(lambda module, args: (*args, 5.0))
    net.register_forward_pre_hook(noting(log, "before"))
    return net(library.ones(2))


def always_called(library, log):
    net = made(library)
    net.register_forward_hook(noting(log, "always"), always_call=True)
    net.register_forward_hook(noting(log, "never"))
    net.register_forward_hook(noting(log, "kwargs"), always_call=True, with_kwargs=True)
    try:
        net(library.ones(2), scale=None)
    except ValueError as error:
        log.append(str(error))
    return net(library.ones(2))


def always_called_once(library, log):
    net = made(library)
    net.register_forward_hook(noting(log, "always"), always_call=True)
    net.register_forward_hook(lambda *given: 1 / 0)
    try:
        net(library.ones(2))
    except ZeroDivisionError:
        log.append("raised")
    return library.ones(1)


def backward_order(library, log):
    net, x = made(library), library.ones(2).requires_grad_()
    net.register_full_backward_hook(noting(log, "second"))
    net.register_full_backward_hook(noting(log, "first"), prepend=True)
    net.register_full_backward_pre_hook(noting(log, "pre second"))
    net.register_full_backward_pre_hook(noting(log, "pre first"), prepend=True)
    net(x).sum().backward()
    return x.grad, net.weight.grad


def backward_replaces(library, log):
    net, x = made(library), library.ones(2).requires_grad_()
    net.register_full_backward_pre_hook(lambda module, outputs: (outputs[0] * 10.0,))
    net.register_full_backward_pre_hook(lambda module, outputs: (outputs[0] + 1.0,))
    net.register_full_backward_hook(lambda module, inputs, outputs: (inputs[0] * 2.0,))
    net.register_full_backward_hook(noting(log, "after"))
    net(x).sum().backward()
    return x.grad, net.weight.grad


def backward_and_other_arguments(library, log):
    net, x = made(library), library.ones(2).requires_grad_()
    scale = library.tensor([1.0, 2.0]).requires_grad_()
    net.register_full_backward_hook(noting(log, "after"))
    net(x, scale, shift=library.ones(2).requires_grad_()).sum().backward()
    net(x.detach(), 3.0).sum().backward()
    return x.grad, scale.grad


def removed(library, log):
    net = made(library)
    handles = [
        net.register_forward_hook(noting(log, "after")),
        net.register_forward_pre_hook(noting(log, "before"), with_kwargs=True),
    ]
    net(library.ones(2))
    for handle in handles:
        handle.remove()
    with net.register_forward_hook(noting(log, "inside")):
        net(library.ones(2))
    return net(library.ones(2))


SCENARIOS = {
    forward_order: (
        [4.0, 6.0],
        [
            ("before all", ([1.0, 1.0], 2.0)),
            ("before", ([1.0, 1.0], 2.0)),
            ("first", ([1.0, 1.0], 2.0), [4.0, 6.0]),
            ("second", ([1.0, 1.0], 2.0), [4.0, 6.0]),
            ("third", ([1.0, 1.0], 2.0), [4.0, 6.0]),
        ],
    ),
    with_kwargs: (
        [42.0, 62.0],
        [
            ("before", ([1.0, 1.0],), {"scale": 10.0}),
            ("again", ([2.0, 2.0],), {"scale": 10.0, "shift": 1.0}),
            ("after", ([2.0, 2.0],), {"scale": 10.0, "shift": 1.0}, [41.0, 61.0]),
            ("plain", ([2.0, 2.0],), [42.0, 62.0]),
        ],
    ),
    what_replaces_arguments: ([20.0, 30.0], [("before", ([2.0, 2.0], 5.0))]),
    always_called: (
        [2.0, 3.0],
        [
            ("always", ([1.0, 1.0],), None),
            ("kwargs", ([1.0, 1.0],), {"scale": None}, None),
            "no scale",
            ("always", ([1.0, 1.0],), [2.0, 3.0]),
            ("never", ([1.0, 1.0],), [2.0, 3.0]),
            ("kwargs", ([1.0, 1.0],), {}, [2.0, 3.0]),
        ],
    ),
    always_called_once: ([1.0], [("always", ([1.0, 1.0],), [2.0, 3.0]), "raised"]),
    backward_order: (
        ([2.0, 3.0], [1.0, 1.0]),
        [
            ("pre first", ([1.0, 1.0],)),
            ("pre second", ([1.0, 1.0],)),
            ("first", ([2.0, 3.0],), ([1.0, 1.0],)),
            ("second", ([2.0, 3.0],), ([1.0, 1.0],)),
        ],
    ),
    backward_replaces: (
        ([44.0, 66.0], [11.0, 11.0]),
        [("after", ([44.0, 66.0],), ([11.0, 11.0],))],
    ),
    backward_and_other_arguments: (
        ([2.0, 6.0], [2.0, 3.0]),
        [
            ("after", ([2.0, 6.0], [2.0, 3.0]), ([1.0, 1.0],)),
            ("after", (None, None), ([1.0, 1.0],)),
        ],
    ),
    removed: (
        [2.0, 3.0],
        [
            ("before", ([1.0, 1.0],), {}),
            ("after", ([1.0, 1.0],), [2.0, 3.0]),
            ("inside", ([1.0, 1.0],), [2.0, 3.0]),
        ],
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_hooks_on_modules(scenario):
    log = []
    assert (numbers(scenario(aino, log)), log) == SCENARIOS[scenario]


def test_a_hook_that_fails_after_forward_has_failed_hides_nothing():
    net = made(aino)
    net.register_forward_hook(lambda *given: 1 / 0, always_call=True)
    with (
        pytest.warns(UserWarning, match="always_call.* raised ZeroDivisionError"),
        pytest.raises(ValueError, match="no scale"),
    ):
        net(aino.ones(2), scale=None)
