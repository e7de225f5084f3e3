"""Modules that learn from their first input how many features it has."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor, make
from aino.errors import ShapeError
from aino.nn.base.hooks import forget_empty_hooks
from aino.nn.base.module import Module
from aino.nn.base.uninitialized import UninitializedBuffer, UninitializedParameter, is_lazy
from aino.nn.modules.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from aino.nn.modules.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from aino.nn.modules.instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from aino.nn.modules.linear import Linear

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d",
    "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
    "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip


class LazyModuleMixin(Module):
    """What makes a module lazy: its first call makes its parameters, and then it is another class.

    A subclass has ``UninitializedParameter`` among its parameters, makes them in
    ``initialize_parameters``, which is called with the arguments of the first call, and says by
    ``cls_to_become`` what it is from then on.
    """

    #: The class that the module has when all of its parameters are made; None keeps its own.
    cls_to_become: type | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        vars(self)["_first"] = self.register_forward_pre_hook(_infer, with_kwargs=True)
        vars(self)["_loading"] = self.register_load_state_dict_pre_hook(_make_loaded)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Make the parameters, by what the first call is given; for subclasses to define."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Tell whether a parameter or a buffer of the module waits for its shape."""
        return any([is_lazy(value) for value in vars(self).values()])

    def _finish(self) -> None:
        """Be an ordinary module from now on."""
        for name in ("_first", "_loading"):
            vars(self).pop(name).remove()
        forget_empty_hooks(self)
        if self.cls_to_become is not None:
            self.__class__ = self.cls_to_become
            # What a file, or a copy, is made of again.
            vars(self)["_constructor"] = ((), _arguments_of(self))


def _arguments_of(module: Any) -> dict[str, Any]:
    """Return what would make a module as it is: its class keeps its arguments by their names."""
    names = inspect.signature(type(module)).parameters
    found = {name: getattr(module, name) for name in names if hasattr(module, name)}
    if "bias" in found:
        found["bias"] = found["bias"] is not None
    return found


def _infer(module: Any, args: tuple, kwargs: dict[str, Any]) -> None:
    """Make a lazy module's parameters before its first call."""
    module.initialize_parameters(*args, **kwargs)
    if module.has_uninitialized_params():
        raise RuntimeError(f"module {type(module).__name__} has not been fully initialized")
    module._finish()


def _make_loaded(module: Any, state: Any, prefix: str, *_: Any) -> None:
    """Give parameters that wait for their shape that of the state which is loaded."""
    for name, tensor in list(vars(module).items()):
        given = state.get(prefix + name)
        if is_lazy(tensor) and given is not None and not is_lazy(given):
            tensor.materialize(tuple(given.shape))


class LazyLinear(LazyModuleMixin, Linear):
    """A Linear that takes ``in_features`` from its first input.

    ``weight`` and ``bias`` have no shape before; after the first call it is a ``Linear``.

    Arguments:
        out_features: how many numbers the output has.
        bias: add b; without it ``bias`` is None.
        device: where the parameters are; there is only the CPU.
        dtype: of the parameters; the default dtype for None.

    >>> import aino
    >>> layer = aino.nn.LazyLinear(2)
    >>> layer(aino.zeros(5, 3)).shape
    aino.Size([5, 2])
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    """

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(0, 0, False)
        self.weight: Any = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        self.bias: Any = UninitializedParameter(device=device, dtype=dtype) if bias else None

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, where they have a shape."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Make weight and bias for inputs such as this one."""
        if self.has_uninitialized_params():
            with no_grad():
                self.in_features = input.shape[-1]
                self.weight.materialize((self.out_features, self.in_features))
                if self.bias is not None:
                    self.bias.materialize((self.out_features,))
                self.reset_parameters()
        elif not self.in_features:  # the values were loaded
            self.in_features = self.weight.shape[-1]


class _LazyConv(LazyModuleMixin):
    """What lazy convolutions have in common."""

    _dims: int
    weight: Any
    bias: Any

    def _wait(self: Any, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_channels = out_channels
        self.bias = UninitializedParameter(device=device, dtype=dtype) if bias else None

    def reset_parameters(self: Any) -> None:
        """Draw weight and bias anew, where they have a shape."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self: Any, input: Tensor, output_size: Any = None) -> None:
        """Make weight and bias for inputs such as this one.

        Arguments:
            input: the first input.
            output_size: what a transposed convolution may be called with besides; not read.
        """
        if not self.has_uninitialized_params():
            if not self.in_channels:  # the values were loaded
                count = self.weight.shape[0 if self.transposed else 1]
                self.in_channels = count if self.transposed else count * self.groups
            return
        dims = self._dims
        if input.ndim not in (dims + 1, dims + 2):
            raise ShapeError(
                f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size {tuple(input.shape)}"
            )
        channels = input.shape[-dims - 1]
        if channels % self.groups or self.out_channels % self.groups:
            raise ShapeError(
                f"in_channels and out_channels must be divisible by groups: {channels} and "
                f"{self.out_channels} by {self.groups}"
            )
        outer, inner = self.out_channels, channels
        if self.transposed:
            outer, inner = inner, outer
        with no_grad():
            self.in_channels = channels
            self.weight.materialize((outer, inner // self.groups, *self.kernel_size))
            if self.bias is not None:
                self.bias.materialize((self.out_channels,))
            self.reset_parameters()


class _LazyStraight(_LazyConv):
    """The arguments of lazy convolutions."""

    def __init__(
        self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros",
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._wait(out_channels, bias, device, dtype)


class _LazyTransposed(_LazyConv):
    """The arguments of lazy transposed convolutions."""

    def __init__(
        self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1,
        padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation,
            padding_mode,
        )  # fmt: skip
        self._wait(out_channels, bias, device, dtype)


class LazyConv1d(_LazyStraight, Conv1d):
    """A Conv1d that takes ``in_channels`` from its first input.

    Arguments:
        out_channels: how many channels the output has.
        kernel_size, stride, padding, dilation, groups, bias, padding_mode: as there.
        device, dtype: as there.
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyStraight, Conv2d):
    """A Conv2d that takes ``in_channels`` from its first input.

    Arguments:
        out_channels: how many channels the output has.
        kernel_size, stride, padding, dilation, groups, bias, padding_mode: as there.
        device, dtype: as there.
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyStraight, Conv3d):
    """A Conv3d that takes ``in_channels`` from its first input.

    Arguments:
        out_channels: how many channels the output has.
        kernel_size, stride, padding, dilation, groups, bias, padding_mode: as there.
        device, dtype: as there.
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyTransposed, ConvTranspose1d):
    """A ConvTranspose1d that takes ``in_channels`` from its first input.

    Arguments:
        out_channels: how many channels the output has.
        kernel_size, stride, padding, output_padding, dilation: as there.
        groups, bias, padding_mode: as there.
        device, dtype: as there.
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposed, ConvTranspose2d):
    """A ConvTranspose2d that takes ``in_channels`` from its first input.

    Arguments:
        out_channels: how many channels the output has.
        kernel_size, stride, padding, output_padding, dilation: as there.
        groups, bias, padding_mode: as there.
        device, dtype: as there.
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposed, ConvTranspose3d):
    """A ConvTranspose3d that takes ``in_channels`` from its first input.

    Arguments:
        out_channels: how many channels the output has.
        kernel_size, stride, padding, output_padding, dilation: as there.
        groups, bias, padding_mode: as there.
        device, dtype: as there.
    """

    cls_to_become = ConvTranspose3d


class _LazyNorm(LazyModuleMixin):
    """What lazy normalisations have in common."""

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *,
        bias: bool = True,
    ) -> None:  # fmt: skip
        # The features come with the first input, and with them all that has their number.
        super().__init__(0, eps, momentum, False, False)
        this: Any = self
        made = {"device": device, "dtype": dtype}
        this.affine = affine
        this.track_running_stats = track_running_stats
        if affine:
            this.weight = UninitializedParameter(**made)
            this.bias = UninitializedParameter(**made) if bias else None
        if track_running_stats:
            this.running_mean = UninitializedBuffer(**made)
            this.running_var = UninitializedBuffer(**made)
            this.num_batches_tracked = make(np.zeros((), np.int64))

    def reset_parameters(self: Any) -> None:
        """Set parameters and running statistics anew, where they have a shape."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self: Any, input: Tensor) -> None:
        """Make parameters and running statistics for inputs such as this one."""
        if not self.has_uninitialized_params():
            if not self.num_features:  # the values were loaded, or there are none
                known = self.weight if self.weight is not None else self.running_mean
                self.num_features = _features(self, input) if known is None else known.shape[0]
            return
        self.num_features = _features(self, input)
        with no_grad():
            for value in list(vars(self).values()):
                if is_lazy(value):
                    value.materialize((self.num_features,))
            self.reset_parameters()


def _features(module: Any, input: Tensor) -> int:
    """Return the number of channels: the first dimension without a batch, else the second."""
    alone = getattr(module, "_sample_dims", 0)  # those of one sample without a batch
    if input.ndim == alone:
        return input.shape[0]
    if input.ndim < 2:
        raise ShapeError(f"{type(module).__name__}: there are no channels in {tuple(input.shape)}")
    return input.shape[1]


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A BatchNorm1d that takes ``num_features`` from its first input.

    Arguments:
        eps, momentum, affine, track_running_stats, bias: as there.
        device, dtype: as there.
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A BatchNorm2d that takes ``num_features`` from its first input.

    Arguments:
        eps, momentum, affine, track_running_stats, bias: as there.
        device, dtype: as there.
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A BatchNorm3d that takes ``num_features`` from its first input.

    Arguments:
        eps, momentum, affine, track_running_stats, bias: as there.
        device, dtype: as there.
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """A InstanceNorm1d that takes ``num_features`` from its first input.

    Arguments:
        eps, momentum, affine, track_running_stats, bias: as there.
        device, dtype: as there.
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """A InstanceNorm2d that takes ``num_features`` from its first input.

    Arguments:
        eps, momentum, affine, track_running_stats, bias: as there.
        device, dtype: as there.
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """A InstanceNorm3d that takes ``num_features`` from its first input.

    Arguments:
        eps, momentum, affine, track_running_stats, bias: as there.
        device, dtype: as there.
    """

    cls_to_become = InstanceNorm3d
