"""Files of PyTorch, safetensors and Hugging Face: what their own readers give, AINO's give."""

import argparse
import io
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import FormatError
from aino.formats import safetensors

torch = pytest.importorskip("torch")


def net():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU(), torch.nn.Flatten(),
        torch.nn.Linear(8, 3),
    )  # fmt: skip


def stepped(make, model, **options):
    """The state of an optimizer that has made two steps."""
    optimizer = make(model.parameters(), **options)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(4, 1, 4, 4)).pow(2).sum().backward()
        optimizer.step()
    return optimizer.state_dict()


BASE = torch.arange(12.0)
DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
    torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool,
    torch.complex64, torch.complex128,
]  # fmt: skip
OBJECTS = {
    **{str(dtype): torch.arange(6).to(dtype).reshape(2, 3) for dtype in DTYPES},
    "0-d": torch.tensor(2.5),
    "empty": torch.empty(0, 3),
    "transposed": BASE.reshape(3, 4).T,
    "a view": BASE[3:7],
    "a column": BASE.reshape(3, 4)[:, 1],
    "steps": BASE[::3],
    "expanded": torch.ones(1, 3).expand(4, 3),
    "channels last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "conjugated": torch.ones(2, dtype=torch.complex64).mul(1j).conj(),
    "its imaginary part": torch.ones(2, dtype=torch.complex64).mul(1j).conj().imag,
    "wants a gradient": torch.ones(2, requires_grad=True),
    "a parameter": torch.nn.Parameter(torch.ones(2)),
    "a frozen parameter": torch.nn.Parameter(torch.ones(2), requires_grad=False),
    "sharing": {"a": BASE, "b": BASE[2:], "c": BASE.reshape(3, 4), "d": BASE},
    "a state": net().state_dict(),
    "Adam": stepped(torch.optim.Adam, net()),
    "SGD": stepped(torch.optim.SGD, net(), lr=0.1, momentum=0.9),
    "a checkpoint": {
        "model": net().state_dict(),
        "optimizer": stepped(torch.optim.AdamW, net(), amsgrad=True),
        "epoch": 7, "best": 0.5, "name": "run", "done": False, "rng": torch.get_rng_state(),
        "history": [(1, 0.5), (2, 0.25)], "classes": {"cat", "dog"}, "sizes": torch.Size([1, 2]),
        "device": torch.device("cuda:0"), "dtype": torch.float16, "counts": Counter("aab"),
        "ordered": OrderedDict(b=1), "raw": b"\0\xff", "array": bytearray(b"x"), "z": 1 + 2j,
        "large": 1 << 90, "none": None,
    },
}  # fmt: skip


def same(ours, theirs):
    """Whether AINO's value is PyTorch's."""
    if isinstance(theirs, torch.Tensor):
        expected = theirs.detach().resolve_conj().resolve_neg()
        wide = expected.float() if theirs.dtype == torch.bfloat16 else expected
        array = wide.numpy()
        parameter = isinstance(theirs, torch.nn.Parameter)
        return (
            isinstance(ours, nn.Parameter) == parameter
            and ours.requires_grad == theirs.requires_grad
            and ours.dtype == array.dtype
            and ours.shape == array.shape
            and np.array_equal(ours.numpy(force=True), array)
        )
    if isinstance(theirs, torch.dtype | torch.device):
        return str(ours).removeprefix("aino.") == str(theirs).removeprefix("torch.")
    if isinstance(theirs, torch.Size):
        return type(ours) is aino.Size and tuple(ours) == tuple(theirs)
    if type(ours) is not type(theirs):
        return False
    if isinstance(theirs, dict):
        return [*ours] == [*theirs] and all(map(same, ours.values(), theirs.values()))
    if isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return ours == theirs


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])
@pytest.mark.parametrize("what", OBJECTS)
def test_what_torch_load_gives(tmp_path, what, zipped):
    path = tmp_path / "x.pt"
    torch.save(OBJECTS[what], path, _use_new_zipfile_serialization=zipped)
    if what in ("torch.uint16", "torch.uint32", "torch.uint64") and not zipped:
        theirs = OBJECTS[what]  # which torch.load fails to read (no attribute 'dtype')
    else:
        theirs = torch.load(path, weights_only=True)
    assert same(aino.load(path), theirs)
    with path.open("rb") as file:
        assert same(aino.load(file), theirs)
    if zipped:
        assert same(aino.load(path, mmap=True), theirs)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_protocols_of_pickles(tmp_path, protocol):
    path = tmp_path / "x.pt"
    checkpoint = OBJECTS["a checkpoint"]
    torch.save(checkpoint, path, pickle_protocol=protocol)
    assert same(aino.load(path), torch.load(path, weights_only=False))


def test_without_checksums(tmp_path):
    from torch.utils.serialization import config

    path = tmp_path / "x.pt"
    before, config.save.compute_crc32 = config.save.compute_crc32, False
    try:
        torch.save(OBJECTS["a state"], path)
    finally:
        config.save.compute_crc32 = before
    assert same(aino.load(path), OBJECTS["a state"])


def test_what_shares_memory_shares_it_here(tmp_path):
    torch.save(OBJECTS["sharing"], tmp_path / "x.pt")
    found = aino.load(tmp_path / "x.pt")
    found["a"][2] = 50
    assert found["b"][0] == found["c"][0, 2] == found["d"][2] == 50


def test_scalars_and_arrays_of_numpy(tmp_path):
    """Which PyTorch reads only when it is told to trust the file."""
    value = {"loss": np.float64(0.5), "n": np.int64(3), "a": np.arange(6).reshape(2, 3).T,
             "d": defaultdict(list, a=[1])}  # fmt: skip
    torch.save(value, tmp_path / "x.pt")
    found = aino.load(tmp_path / "x.pt")
    assert [type(part) for part in found.values()] == [type(part) for part in value.values()]
    assert found["loss"] == 0.5
    assert found["d"] == value["d"]
    assert np.array_equal(found["a"], value["a"])


def quantized():
    return torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)


REFUSED = {
    "a module": (net, r"whole module \(torch\.nn\.modules\.container\.Sequential\)"),
    "sparse": (lambda: torch.eye(3).to_sparse(), "a sparse tensor; save its to_dense"),
    "rows": (lambda: torch.eye(3).to_sparse_csr(), "a sparse tensor"),
    "quantized": (quantized, "quantized|QInt8Storage"),
    "float8": (lambda: torch.ones(2).to(torch.float8_e4m3fn), "float8_e4m3fn, which NumPy"),
    "meta": (lambda: torch.ones(2, device="meta"), "without numbers|meta"),
    "options": (lambda: argparse.Namespace(lr=0.1), r"holds what 'argparse\.Namespace'"),
    "a function": (lambda: torch.nn.functional.relu, "holds what 'torch.nn.functional.relu'"),
    "a storage": (lambda: BASE.untyped_storage(), "a storage by itself"),
    "attributes": (lambda: noted(), "attributes of its own"),
}


def noted():
    tensor = torch.ones(2)
    tensor.note = "x"
    return tensor


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", REFUSED)
def test_what_aino_has_not_is_refused_by_name(tmp_path, what):
    make, match = REFUSED[what]
    torch.save({"x": [make()]}, tmp_path / "x.pt")
    with pytest.raises(FormatError, match=match):
        aino.load(tmp_path / "x.pt")


@pytest.mark.filterwarnings("ignore")
def test_programs_of_torchscript_are_refused(tmp_path):
    path = tmp_path / "x.pt"
    torch.jit.script(torch.nn.Linear(2, 2)).save(path)
    with pytest.raises(FormatError, match="TorchScript"):
        aino.load(path)


OPTIMIZERS = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "Adam": {"lr": 0.01, "amsgrad": True},
    "AdamW": {"lr": 0.01},
    "RMSprop": {"lr": 0.01, "momentum": 0.5, "centered": True},
    "Adagrad": {"lr": 0.1},
    "Adadelta": {},
    "NAdam": {},
    "RAdam": {},
    "Adamax": {},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_where_pytorch_stopped(tmp_path, name):
    options, path = OPTIMIZERS[name], tmp_path / "checkpoint.pt"
    torch.manual_seed(1)
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    theirs = theirs.double()
    their_optimizer = getattr(torch.optim, name)(theirs.parameters(), **options)
    x, y = torch.randn(8, 3).double(), torch.randn(8, 1).double()

    def train(library, model, optimizer, x, y, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            library.nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()

    train(torch, theirs, their_optimizer, x, y, 5)
    torch.save(
        {"model": theirs.state_dict(), "optimizer": their_optimizer.state_dict(), "epoch": 5}, path
    )
    train(torch, theirs, their_optimizer, x, y, 20)

    checkpoint = aino.load(path)
    ours = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    ours.load_state_dict(checkpoint["model"])
    optimizer = getattr(aino.optim, name)(ours.parameters(), lr=77.0)
    optimizer.load_state_dict(checkpoint["optimizer"])
    train(aino, ours, optimizer, aino.from_numpy(x.numpy()), aino.from_numpy(y.numpy()), 20)
    for key, value in theirs.state_dict().items():
        assert np.allclose(ours.state_dict()[key].numpy(), value.numpy(), rtol=1e-9, atol=1e-12)


# safetensors


@pytest.mark.parametrize("what", ["a state", *map(str, DTYPES)])
def test_what_safetensors_torch_writes_and_reads(tmp_path, what):
    package = pytest.importorskip("safetensors.torch")
    value = OBJECTS[what]
    state = value if isinstance(value, dict) else {"x": value}
    if what == "torch.complex128":
        pytest.skip("safetensors has no complex128")
    path, again = tmp_path / "x.safetensors", tmp_path / "y.safetensors"
    package.save_file(dict(state), path)
    found = aino.load(path)
    assert same(found, {name: state[name] for name in found})
    aino.save(found, again)
    theirs = package.load_file(again)
    assert {*theirs} == {*state}
    assert all(
        torch.equal(theirs[name], tensor.to(theirs[name].dtype)) for name, tensor in state.items()
    )


def test_models_with_tied_weights_go_there_and_back(tmp_path):
    package = pytest.importorskip("safetensors.torch")

    def tied(library):
        model = library.nn.Sequential(
            library.nn.Embedding(5, 3), library.nn.Linear(3, 5, bias=False)
        )
        model[1].weight = model[0].weight
        return model

    theirs, ours = tied(torch), tied(aino)
    package.save_model(theirs, tmp_path / "x.safetensors")
    assert safetensors.load_model(ours, tmp_path / "x.safetensors") == ([], [])
    assert np.array_equal(ours[0].weight.numpy(force=True), theirs[0].weight.detach().numpy())
    ours[0].weight.data.fill_(2)
    aino.save(ours, tmp_path / "y.safetensors")
    headers = [(tmp_path / name).read_bytes()[:-60] for name in ("x.safetensors", "y.safetensors")]
    assert headers[0] == headers[1]
    missing, unexpected = package.load_model(theirs, tmp_path / "y.safetensors")
    assert not missing
    assert not unexpected
    assert torch.equal(theirs[0].weight, torch.full((5, 3), 2.0))


@pytest.mark.filterwarnings("ignore")
def test_transformers_reads_what_is_saved_in_parts(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(vocab_size=11, n_positions=8, n_embd=8, n_layer=2, n_head=2)
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(config).eval()
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    model.save_pretrained(theirs, max_shard_size="4KB")
    state = aino.load(theirs)
    expected = {key: value for key, value in model.state_dict().items() if key in state}
    assert {*expected, "lm_head.weight"} == {*model.state_dict()}
    assert same(state, {key: expected[key] for key in state})
    changed = {key: value * 0.5 for key, value in state.items()}
    names = safetensors.save_sharded(changed, ours, "4KB", metadata={"format": "pt"})
    assert len(names) > 2
    config.save_pretrained(ours)
    back = transformers.GPT2LMHeadModel.from_pretrained(ours).eval()
    for key, value in changed.items():
        assert np.array_equal(back.state_dict()[key].numpy(), value.numpy())
    file = io.BytesIO(safetensors.save(changed, {"format": "pt"}))
    assert same(aino.load(file), {key: back.state_dict()[key] for key in sorted(state)})
