"""One pass over data: rows of tensors in memory, and images from the disk by two workers."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.harness import Case, Contender

ROWS, IMAGES, BATCH = 8192, 1024, 64
_folder = tempfile.TemporaryDirectory(prefix="aino-images-")


def cases() -> list[Case]:
    return [
        Case(
            "data",
            f"{ROWS} rows of 64 numbers from memory, shuffled, batch {BATCH}",
            functools.partial(contenders, rows),
            {"PyTorch": 3.0},
            calls_before_check=1,
            work=ROWS,
            unit="sample",
        ),
        Case(
            "data",
            f"{IMAGES} images of 64x64x3 from the disk, 2 workers, batch {BATCH}",
            functools.partial(contenders, images),
            {"PyTorch": 1.0},
            calls_before_check=1,
            work=IMAGES,
            unit="sample",
        ),
        Case(
            "data",
            f"{IMAGES} images of 64x64x3 from the disk, 2 workers that are started, batch {BATCH}",
            functools.partial(contenders, functools.partial(images, persistent=False)),
            {"PyTorch": 1.0},
            calls_before_check=1,
            work=IMAGES,
            unit="sample",
        ),
    ]


def contenders(pass_over: Callable[[Any], Callable[[], float]]) -> list[Contender]:
    import aino

    libraries = {"AINO": aino, "PyTorch": peers.torch()}
    return [
        Contender(name, pass_over(library))
        for name, library in libraries.items()
        if library is not None
    ]


def rows(library: Any) -> Callable[[], float]:
    """Return a pass over a table in memory, in the words that both libraries share."""
    data = library.utils.data
    values = np.random.default_rng(0).standard_normal((ROWS, 64)).astype(np.float32)
    labels = np.arange(ROWS) % 10
    dataset = data.TensorDataset(library.from_numpy(values), library.from_numpy(labels))
    loader = data.DataLoader(dataset, batch_size=BATCH, shuffle=True)

    def run() -> float:
        count = 0
        for x, y in loader:
            count += len(x) * x.shape[1] + len(y)
        return count

    return run


class Images:
    """Images in files: a sample is read, scaled, and its channels are put first."""

    def __init__(self, library: Any, folder: Path) -> None:
        self.library = library
        self.paths = sorted(folder.glob("*.npy"))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image = np.load(self.paths[index]).astype(np.float32).transpose(2, 0, 1) / 255
        return self.library.from_numpy(image), index


def images(library: Any, persistent: bool = True) -> Callable[[], float]:
    """Return a pass over images on the disk, read by two workers."""
    folder = Path(_folder.name)
    if not any(folder.iterdir()):
        draw = np.random.default_rng(0)
        for number in range(IMAGES):
            np.save(folder / f"{number:04}.npy", draw.integers(0, 256, (64, 64, 3), np.uint8))
    loader = library.utils.data.DataLoader(
        Images(library, folder),
        batch_size=BATCH,
        shuffle=True,
        num_workers=2,
        persistent_workers=persistent,
    )

    def run() -> float:
        total = 0.0
        for x, y in loader:
            total += float(x[0, 0, 0, 0]) * 0 + float(y.sum())
        return total

    return run
