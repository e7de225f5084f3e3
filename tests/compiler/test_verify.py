"""A program that can't run as it stands is found out, and every program can be printed."""

import numpy as np
import pytest

import aino
from aino.compiler import pipeline
from aino.compiler.ir.operations import Operation
from aino.compiler.ir.program import Call, Program, Returned
from aino.compiler.ir.regions import Region, Storage, Subscript, new_temporary, region_at, reshaped
from aino.compiler.ir.verify import InvalidProgramError, verify
from aino.compiler.passes.constants import constant

FLOAT = np.dtype(np.float64)


def argument(shape, label="x"):
    storage = Storage("argument", np.zeros(shape), label)
    return region_at(storage, storage.root.shape, FLOAT, storage.root.strides, 0)


def made(shape, dtype=FLOAT):
    whole = new_temporary(shape, dtype)
    whole.storage.written = False
    return whole


def sound():
    """Return x (2, 3) and a program over it: y = exp(x); s = sum(y, 1); z = y.copy(); z[0] = s."""
    x, y, s, z = argument((2, 3)), made((2, 3)), made((2,)), made((2, 3))
    row = region_at(z.storage, (3,), FLOAT, (8,), 0, z, Subscript((0,)))
    z.storage.written = True
    calls = [
        Call(Operation.UFUNC, np.exp, (x,), {}, [y]),
        Call(Operation.REDUCE, np.add, (y,), {"axis": 1}, [s]),
        Call(Operation.METHOD, "copy", (y,), {}, [z]),
        Call(Operation.COPY, None, (constant(np.zeros(3)),), {}, [], out=row),
    ]
    return Program(calls, [x.storage], (Returned(z), Returned(s)), [], [])


def test_a_sound_program_passes():
    verify(sound())


def reads_too_soon(program):
    program.calls[0], program.calls[1] = program.calls[1], program.calls[0]


def maker_is_gone(program):
    del program.calls[1]


def outside(program):
    program.calls[3].out.offset = 8 * 4


def other_memory(program):
    program.calls[3].out.parent = program.calls[1].results[0]


def uncut(program):
    program.calls[3].out.cut = None


def written_constant(program):
    program.calls[3].out = program.calls[3].arguments[0]


def unmarked(program):
    program.calls[3].out.storage.written = False


def made_twice(program):
    program.calls.append(program.calls[0])


def no_output(program):
    program.result = (Returned(made((2,))),)


def strange_argument(program):
    program.arguments.clear()


def wrong_shape(program):
    program.calls[0].results = [made((3, 2))]


def wrong_dtype(program):
    program.calls[0].results = [made((2, 3), np.dtype(np.float32))]


def wrong_sum(program):
    program.calls[1].keywords = {"axis": 0}


def operands_that_do_not_spread(program):
    y = program.calls[0].results[0]
    program.calls[2] = Call(Operation.UFUNC, np.add, (y, made((2,))), {}, [made((2, 3))])
    program.calls.insert(
        0, Call(Operation.UFUNC, np.exp, (argument((2,)),), {}, [program.calls[2].arguments[1]])
    )


def copy_that_does_not_fit(program):
    program.calls[3].arguments = (constant(np.zeros(2)),)


def wrong_product(program):
    y = program.calls[0].results[0]
    program.calls.append(Call(Operation.FUNCTION, np.dot, (y, y), {}, [made((2, 2))]))


def no_operation(program):
    program.calls[0].operation = "__call__"


def function_of_another_operation(program):
    program.calls[2].function = np.copy


def part_as_result(program):
    program.calls[0].results = [reshaped(program.calls[0].results[0], (6,))]


def unknown_memory(program):
    program.calls[0].results[0].storage.kind = "scratch"


PLANTED = [
    reads_too_soon, maker_is_gone, outside, other_memory, uncut, written_constant, unmarked,
    made_twice, no_output, strange_argument, wrong_shape, wrong_dtype, wrong_sum,
    operands_that_do_not_spread, copy_that_does_not_fit, wrong_product, no_operation,
    function_of_another_operation, part_as_result, unknown_memory,
]  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED)
def test_planted_errors_are_found(plant):
    program = sound()
    plant(program)
    with pytest.raises(InvalidProgramError):
        verify(program)


def test_an_error_shows_the_call_and_the_pass_that_left_it(monkeypatch):
    def lose(program):
        del program.calls[0]
        return 1

    monkeypatch.setitem(pipeline.PASSES, "dead_code", lose)
    with pytest.raises(
        InvalidProgramError, match=r"read before anything fills it, in call 0: .*add.reduce"
    ) as found:
        pipeline.optimise(sound(), ["dead_code"])
    assert found.value.__notes__ == ["after lose"]


def test_a_step_of_a_loop_is_looked_at():
    x = argument((1 << 18,))
    y, z = made((1 << 18,)), made((1 << 18,))
    calls = [
        Call(Operation.UFUNC, np.exp, (x,), {}, [y]),
        Call(Operation.UFUNC, np.add, (y, x), {}, [z]),
    ]
    program = Program(calls, [x.storage], Returned(z), [], [])
    assert pipeline.PASSES["fusion"](program) == 2
    verify(program)
    program.calls[0].steps.reverse()
    with pytest.raises(InvalidProgramError, match="in a step of a loop"):
        verify(program)


def test_a_program_prints_one_line_a_call():
    assert str(sound()).splitlines() == [
        "program:",
        "  %0:x: float64[2, 3] argument",
        "  %1: float64[3] constant",
        "# forward",
        "  %2: float64[2, 3] = exp(%0:x)",
        "  %3: float64[2] = add.reduce(%2, axis=1)",
        "  %4: float64[2, 3] = .copy(%2)",
        "  %4[0][...]: float64[3] = copy(%1)",
        "return (%4, %3)",
    ]


def test_the_program_of_a_step_prints():
    model = aino.nn.Linear(3, 2)
    optimizer = aino.optim.SGD(model.parameters(), lr=0.1)

    @aino.compile
    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(3):
        step(aino.ones(4, 3))
    text = str(step._latest.program)
    for part in ("# forward", "# backward", "# update", "weight", "leaf.grad = ", "return ("):
        assert part in text


def test_regions_know_their_extent():
    whole = Region(Storage("temporary"), (4, 3), FLOAT, (24, 8), 0)
    assert whole.extent == (0, 96)
    assert Region(whole.storage, (2, 3), FLOAT, (-24, 8), 72).extent == (48, 96)
    assert Region(whole.storage, (0, 3), FLOAT, (24, 8), 24).extent == (24, 24)
