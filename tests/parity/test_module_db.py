"""PyTorch's own table of modules: from the same weights AINO gives what PyTorch gives."""

import pytest

torch = pytest.importorskip("torch")

from aino import nn  # noqa: E402
from tests.parity import module_db  # noqa: E402

#: (module, dtype) -> why AINO gives something else than PyTorch, on purpose.
OTHERWISE: dict[tuple[str, str], str] = {
    ("CTCLoss", "float64"): "PyTorch's gradient is right of what log_softmax gave alone",
}
DTYPES = ("float64", "complex128")


def rows():
    for name, info in module_db.entries().items():
        for dtype in DTYPES:
            if getattr(torch, dtype) in info.dtypes and hasattr(nn, name):
                for mode in ("train", "eval") if info.train_and_eval_differ else ("train",):
                    yield pytest.param(name, dtype, mode == "train", id=f"{name}-{dtype}-{mode}")


@pytest.mark.parametrize(("name", "dtype", "training"), list(rows()))
def test_what_pytorch_gives(name, dtype, training):
    found = module_db.compare_entry(name, dtype, training)
    if (name, dtype) in OTHERWISE:
        assert found, f"no longer otherwise: {OTHERWISE[name, dtype]}"
    else:
        assert found is None


@pytest.mark.parametrize("name", [name for name in module_db.entries() if hasattr(nn, name)])
def test_what_pytorch_refuses(name):
    for sample in module_db.errors_of(module_db.entries()[name]):
        assert module_db.refused(name, sample) is None
