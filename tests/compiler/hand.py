"""Programs written by hand, call by call, for tests of single passes."""

import numpy as np

from aino.compiler.backends.numpy.emit import Emitter
from aino.compiler.ir.operations import UFUNC_METHODS, Operation
from aino.compiler.ir.program import Call, Program, Returned
from aino.compiler.ir.regions import Storage, region
from aino.compiler.ir.verify import verify
from aino.compiler.passes.memory_plan import plan_memory
from aino.compiler.specialization import build


class Hand:
    """Writes a program call by call, as a trace would."""

    def __init__(self):
        self.calls = []
        self.arguments = []

    def argument(self, shape, dtype=np.float64):
        storage = Storage("argument", np.zeros(shape, dtype), f"x{len(self.arguments)}")
        self.arguments.append(storage)
        return region(storage, self.at_home(storage, storage.root))

    def at_home(self, storage, array):
        """Let a storage begin where an array of its form lies."""
        storage.address = array.__array_interface__["data"][0]
        return array

    def call(self, function, *values, method="__call__", out=None, **keywords):
        """Append a call; its result has the form that NumPy gives it."""
        arrays = [np.ones(v.shape, v.dtype) if hasattr(v, "storage") else v for v in values]
        if function is np.concatenate:
            values = arrays = (list(values),)
            arrays = ([np.ones(v.shape, v.dtype) for v in values[0]],)
        run = getattr(np.ndarray, function) if isinstance(function, str) else (
            getattr(function, method) if isinstance(function, np.ufunc) else function)  # fmt: skip
        made = np.asarray(run(*arrays, **keywords)).copy()
        operation = Operation.METHOD if isinstance(function, str) else Operation.FUNCTION
        if isinstance(function, np.ufunc):
            operation = UFUNC_METHODS[method]
        if out is not None:
            out.storage.written = True
            self.calls.append(Call(operation, function, tuple(values), keywords, [], out=out))
            return out
        storage = Storage("temporary")
        value = region(storage, self.at_home(storage, made))
        self.calls.append(Call(operation, function, tuple(values), keywords, [value]))
        return value

    def program(self, *results):
        returned = tuple(Returned(value) for value in results)
        return Program(self.calls, self.arguments, returned, [], [])


def run(program, *arrays):
    """Write a program out and run it."""
    verify(program)
    source = Emitter(program, plan_memory(program), "step", {}, {}).emit({})
    step, _ = build(source)
    result = step(*arrays)
    return result if isinstance(result, tuple) else (result,)


def names(program):
    return [getattr(call.function, "__name__", call.function) for call in program.calls]
