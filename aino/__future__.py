"""How a module's parameters are exchanged by ``to()`` and its kin: PyTorch's switches.

Here a parameter stays the object that it is, whatever it is converted to, so that optimizers go on
with it: that is what PyTorch calls swapping.
"""

from __future__ import annotations

__all__ = [
    "get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion",
    "set_overwrite_module_params_on_conversion", "set_swap_module_params_on_conversion",
]  # fmt: skip

_swap = False


def __dir__() -> list[str]:
    return __all__


def set_swap_module_params_on_conversion(value: bool) -> None:
    """Say whether parameters keep their identity when they are converted, which they always do.

    Arguments:
        value: what ``get_swap_module_params_on_conversion()`` answers from now on; it has no
            effect besides.

    >>> import aino.__future__ as future
    >>> future.set_swap_module_params_on_conversion(True)
    >>> future.get_swap_module_params_on_conversion()
    True
    >>> future.set_swap_module_params_on_conversion(False)
    """
    global _swap
    _swap = value


def get_swap_module_params_on_conversion() -> bool:
    """Return what was set last, False at first."""
    return _swap


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """Take False, which is how it is; raise ``NotImplementedError`` for True.

    Arguments:
        value: whether ``to()`` and its kin are to put new parameters in the places of the old.
    """
    if value:
        raise NotImplementedError(
            "a module's parameters stay the objects that they are when it is converted; make new "
            "ones with copy.deepcopy(module)"
        )


def get_overwrite_module_params_on_conversion() -> bool:
    """Return False: parameters stay the objects that they are."""
    return False
