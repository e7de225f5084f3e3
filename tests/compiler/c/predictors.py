"""Predictors written as C, built together as one program, and asked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

import aino

FLAGS = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]

#: Asks the predictor whose number is given: inputs come in, outputs go out, both as bytes.
_MAIN = """\
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
{prototypes}

static union {{ double align; char bytes[{room}]; }} in, out;
static union {{ double align; char bytes[{weights}]; }} weights;

static size_t take(char *to, size_t room)
{{
    int64_t size = 0;
    if (fread(&size, 8, 1, stdin) != 1 || size > (int64_t)room)
        exit(9);
    return fread(to, 1, (size_t)size, stdin);
}}

int main(void)
{{
    int64_t which;
    while (fread(&which, 8, 1, stdin) == 1) {{
        int64_t failed = -1, size = 0;
        take(in.bytes, sizeof in);
        take(weights.bytes, sizeof weights);
        switch (which) {{
{cases}
        }}
        fwrite(&failed, 8, 1, stdout);
        fwrite(out.bytes, 1, (size_t)size, stdout);
    }}
    return 0;
}}
"""


class Predictor:
    """One model as C: where its file is, and how it is called."""

    def __init__(self, name: str, model: Any, inputs: list, folder: Path, weights=False, **options):
        self.name = f"p_{name}"
        self.inputs = [t.numpy() for t in inputs]
        compiled = aino.compile(model)
        with aino.no_grad():
            compiled(*inputs)
            self.expected = _flat(model(*inputs))
        self.path = folder / f"{self.name}.c"
        self.binary = folder / f"{self.name}.bin" if weights else None
        self.saved = compiled.save_source(self.path, self.binary, **options)
        self.text = self.path.read_text(encoding="utf-8")

    def case(self, number: int) -> str:
        """Return the call of it in C, with each array at a multiple of 8 bytes."""
        arguments, place = [], 0
        for array in self.inputs:
            arguments.append(f"(const void *)(in.bytes + {place})")
            place += _room(array)
        place = 0
        for array in self.expected:
            arguments.append(f"(void *)(out.bytes + {place})")
            place += _room(array)
        if self.binary is not None:
            arguments.append("weights.bytes")
        call = f"failed = {self.name}({', '.join(arguments)}); size = {place};"
        return f"        case {number}: {call} break;"

    def prototype(self) -> str:
        """Return how it is declared in its file."""
        return re.search(rf"^int {self.name}\(.*?;", self.text, re.MULTILINE | re.DOTALL)[0]

    def question(self, number: int, inputs=None, weights=None) -> bytes:
        body = b"".join(_padded(array) for array in inputs or self.inputs)
        data = weights if weights is not None else (
            self.binary.read_bytes() if self.binary is not None else b"")  # fmt: skip
        parts = (np.int64(number), np.int64(len(body)), body, np.int64(len(data)), data)
        return b"".join(part if isinstance(part, bytes) else part.tobytes() for part in parts)


def _flat(result: Any) -> list[np.ndarray]:
    if isinstance(result, aino.Tensor):
        return [result.detach().numpy()]
    parts = result.values() if isinstance(result, dict) else result
    return [array for part in parts for array in _flat(part)]


def _room(array: np.ndarray) -> int:
    return max(-(-array.nbytes // 8) * 8, 8)


def _padded(array: np.ndarray) -> bytes:
    data = np.ascontiguousarray(array).tobytes()
    return data + bytes(_room(array) - len(data))


def built(predictors: list[Predictor], folder: Path, compiler="gcc", flags=(), name="all") -> Path:
    """Compile all predictors and a main program; return the program."""
    main = folder / f"{name}.c"
    room = max([8] + [sum(map(_room, arrays)) for p in predictors
                      for arrays in (p.inputs, p.expected)])  # fmt: skip
    weights = max([8] + [p.binary.stat().st_size for p in predictors if p.binary is not None])
    main.write_text(_MAIN.format(
        prototypes="\n".join(p.prototype() for p in predictors), room=room, weights=weights,
        cases="\n".join(p.case(i) for i, p in enumerate(predictors)),
    ))  # fmt: skip
    program = folder / name
    subprocess.run(
        [compiler, *FLAGS, *flags, *[p.path for p in predictors], main, "-o", program, "-lm"],
        check=True,
    )
    return program


def asked(program: Path, questions: list[bytes], predictors: list[Predictor], runner=()) -> list:
    """Return (status, outputs) of each question."""
    done = subprocess.run(
        [*runner, program], input=b"".join(questions), stdout=subprocess.PIPE, check=True
    )
    found, place = [], 0
    for predictor in predictors:
        status = int.from_bytes(done.stdout[place : place + 8], "little", signed=True)
        place += 8
        outputs = []
        for array in predictor.expected:
            data = done.stdout[place : place + array.nbytes]
            outputs.append(np.frombuffer(data, array.dtype).reshape(array.shape))
            place += _room(array)
        found.append((status, outputs))
    return found


def compare(predictor: Predictor, status: int, outputs: list[np.ndarray], scale=1.0) -> None:
    """Raise unless a predictor gives what its model gives."""
    assert status == 0, predictor.name
    for got, wanted in zip(outputs, predictor.expected):
        if wanted.dtype.kind != "f":
            np.testing.assert_array_equal(got, wanted, err_msg=predictor.name)
            continue
        tolerance = (1e-5 if wanted.dtype == np.float32 else 1e-12) * scale
        finite = np.abs(wanted[np.isfinite(wanted)])
        size = float(finite.max(initial=0))
        np.testing.assert_allclose(
            got, wanted, rtol=tolerance, atol=tolerance * size, err_msg=predictor.name
        )
