"""The errors that AINO raises; each is also the built-in that a caller would catch."""


class AinoError(Exception):
    """Base of every error that AINO raises on purpose."""


class ShapeError(AinoError, ValueError, RuntimeError):
    """Shapes that do not fit together; also a RuntimeError, as PyTorch's users expect."""


class DtypeError(AinoError, TypeError, RuntimeError):
    """A dtype that the operation cannot take; also a RuntimeError, as PyTorch's users expect."""


class ArgumentError(AinoError, ValueError, RuntimeError):
    """A value that an argument can't have; also a RuntimeError, as PyTorch's users expect."""


class BoundsError(AinoError, IndexError, RuntimeError):
    """An index or a dimension that is not there; also a RuntimeError, as PyTorch often raises."""


class DivisionError(AinoError, ZeroDivisionError, RuntimeError):
    """An integer divided by zero; also a RuntimeError, as PyTorch's users expect."""


class DeviceError(AinoError, RuntimeError, AssertionError):
    """A device that is not here; also an AssertionError, which PyTorch raises for CUDA."""


class GradientError(AinoError, RuntimeError):
    """A gradient that was asked for and does not exist."""


class InplaceError(GradientError):
    """A write in place that would have made a gradient wrong."""


class AnomalyError(GradientError):
    """A backward pass made the first NaN; the message names the operation and the user's line."""


class TransformError(AinoError, RuntimeError):
    """What a transform such as ``vmap`` can't do with a function, or a tensor that left one."""


class LevelError(TransformError):
    """One value was asked for inside a transform, where there are many."""


class StateDictError(AinoError, ValueError, RuntimeError):
    """A state that does not fit its model; also a RuntimeError, as PyTorch's users expect."""


class FormatError(AinoError, ValueError):
    """A file that is not sound, or holds what AINO does not read; or what no file can hold."""


class DitError(FormatError):
    """A file that is not a sound ``.dit``, or an object that cannot become one."""


class OnnxError(FormatError):
    """A model in ONNX that is damaged, or asks for what AINO does not have."""


class CompileError(AinoError, RuntimeError):
    """A function that cannot be compiled into a straight-line program."""


class CompileWarning(RuntimeWarning):
    """A program could not be written, and its function goes on as it is."""


class RenderError(AinoError, RuntimeError):
    """Graphviz could not make a picture of a drawing."""


class MissingExtraError(AinoError, ImportError):
    """An optional dependency that is not installed; the message names the extra."""


class DistError(AinoError, RuntimeError):
    """What several processes do together does not fit: they call different things, or one ended."""


class DistBackendError(DistError):
    """Not all processes came within the time that was set."""
