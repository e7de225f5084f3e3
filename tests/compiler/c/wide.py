"""All models as C, by every compiler that is here: run as ``python -m tests.compiler.c.wide``.

gcc and clang build them for this machine, gcc once more under AddressSanitizer and UBSan; what is
built for Arm runs under qemu; for AVR it is compiled alone. A compiler that is missing is left
out, and said to be.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aino.compiler.backends.c.file import STACK

from .models import ROWS
from .predictors import FLAGS, Predictor, asked, built, compare

#: Name: (compiler, flags, what runs the program).
COMPILERS = {
    "gcc": ("gcc", ["-O2", "-fstack-usage"], []),
    "gcc, sanitized": ("gcc", ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover"], []),
    "clang": ("clang", ["-O1"], []),
    "Arm": ("arm-linux-gnueabihf-gcc", ["-O1", "-static"], ["qemu-arm"]),
}
AVR = ["avr-gcc", *FLAGS, "-mmcu=atmega2560", "-Os", "-c"]


def main() -> int:
    """Build and ask; return 0 where all is right."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.monotonic()
        made = [Predictor(row.name, *row.built(), folder) for row in ROWS]
        extra = [row for row in ROWS if row.name in ("lenet", "GRU_1", "encoder", "convnet")]
        small = [Predictor(f"{row.name}_int8", *row.built(), folder, quantize="int8", weights=True)
                 for row in extra]  # fmt: skip
        print(f"{len(made) + len(small)} models written in {time.monotonic() - start:.0f} s")
        with ThreadPoolExecutor(2) as pool:
            told = [pool.submit(_run, label, made, small, folder) for label in COMPILERS]
            told.append(pool.submit(_compile_for_avr, made, folder))
            for one in told:
                print(one.result(), flush=True)
    return 0


def _run(label: str, made: list[Predictor], small: list[Predictor], folder: Path) -> str:
    """Build all predictors with one compiler, and ask them; return what is to be said of it."""
    compiler, flags, runner = COMPILERS[label]
    missing = [tool for tool in (compiler, *runner) if shutil.which(tool) is None]
    if missing:
        return f"{label}: {missing[0]} is not here, left out"
    start = time.monotonic()
    program = built([*made, *small], folder, compiler, flags, re.sub(r"\W+", "_", label))
    numbers = [*range(len(made)), *reversed(range(len(made)))]  # what is left in memory is no help
    numbers += range(len(made), len(made) + len(small))
    every = [*made, *small]
    chosen = [every[number] for number in numbers]
    questions = [one.question(number) for number, one in zip(numbers, chosen)]
    for one, (status, outputs) in zip(chosen, asked(program, questions, chosen, runner)):
        if one in small:
            assert status == 0, one.name
            away = max(float(abs(a - b).max()) for a, b in zip(outputs, one.expected))
            assert abs(away - one.saved.loss.largest) < 1e-5, one.name
        else:
            compare(one, status, outputs)
    told = ""
    if "-fstack-usage" in flags:
        told = f", {_stack(folder, every)} bytes of stack at most"
    took = time.monotonic() - start
    return f"{label}: {len(every)} models predict what they predict in AINO{told} ({took:.0f} s)"


def _stack(folder: Path, every: list[Predictor]) -> int:
    """Return what a call takes of the stack: the deepest three functions, one in another."""
    most = 0
    for one in every:
        files = list(folder.glob(f"*-{one.name}.su"))
        assert files, one.name
        sizes = [int(line.split("\t")[1]) for line in files[0].read_text().splitlines()]
        most = max(most, sum(sorted(sizes)[-4:]))
    assert most <= STACK, most
    return most


def _compile_for_avr(made: list[Predictor], folder: Path) -> str:
    """Compile what fits: avr-libc has no expm1, log1p, erf and rint, and its int has 16 bits."""
    if shutil.which("avr-gcc") is None:
        return "AVR: avr-gcc is not here, left out"
    start = time.monotonic()
    files = [one.path for one, row in zip(made, ROWS) if row.avr and "INT_MAX" not in one.text]
    subprocess.run([*AVR, *files], check=True, cwd=folder)
    return f"AVR: {len(files)} models compile ({time.monotonic() - start:.0f} s)"


if __name__ == "__main__":
    sys.exit(main())
