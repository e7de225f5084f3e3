"""Code that names its device runs on the CPU, and what needs another is refused in words."""

import contextlib
import copy
import importlib
import inspect
import pickle
import threading

import numpy as np
import pytest

import aino
from aino import nn
from aino.devices import TYPES, Device
from aino.errors import DeviceError
from aino.threads import worker

# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TYPES)
def test_every_device_can_be_named_and_only_the_cpu_be_used(name):
    for device in (aino.device(name), aino.device(f"{name}:1"), aino.device(name, 1)):
        assert device.type == name
        for again in (pickle.loads(pickle.dumps(device)), copy.deepcopy(device), Device(device)):
            assert again == device
            assert hash(again) == hash(device)
            assert str(again) == str(device)
        if name == "cpu":
            assert aino.ones(2, device=device).device == aino.device("cpu")
        else:
            with pytest.raises(DeviceError, match=f"no device '{device}' here: AINO computes on"):
                aino.ones(2, device=device)


NOT_DEVICES = {
    "tpu": RuntimeError, "": RuntimeError, "cpu:": RuntimeError, "cpu:x": RuntimeError,
    "cuda:-1": RuntimeError, "CPU": RuntimeError, "cuda:1:2": RuntimeError, 0: RuntimeError,
    None: TypeError, 1.5: TypeError, True: TypeError,
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_DEVICES, ids=repr)
def test_what_names_no_device_is_refused(name):
    with pytest.raises(NOT_DEVICES[name], match=r"device|named"):
        aino.device(name)


def test_devices_are_equal_as_in_pytorch():
    assert aino.device("cpu") == aino.ones(1).device
    assert aino.device("cpu:0") != aino.device("cpu")
    assert aino.device("cpu") != "cpu"
    assert repr(aino.device("cuda:1")) == "device(type='cuda', index=1)"
    assert repr(aino.device("cpu")) == "device(type='cpu')"


def test_an_error_is_what_pytorch_users_catch():
    for kind in (RuntimeError, AssertionError, aino.errors.AinoError):
        with pytest.raises(kind):
            aino.ones(1).cuda()


def test_a_device_is_a_context_and_a_decorator():
    with aino.device("cpu") as device:
        assert aino.ones(2).device == device

    @aino.device("cpu")
    def make():
        return aino.ones(2)

    assert make().device == device
    with pytest.raises(DeviceError, match="no device 'cuda' here"), aino.device("cuda"):
        pytest.fail("the block must not run")


def test_the_default_device():
    aino.set_default_device("cpu")
    aino.set_default_device(None)
    assert aino.get_default_device() == aino.device("cpu")
    with pytest.raises(DeviceError):
        aino.set_default_device("cuda")


# --- everything that takes a device -----------------------------------------------------------


def functions_with_a_device():
    """Every public function, class and method with a ``device`` parameter, and how to call it."""
    arguments = {
        "size": (2,), "fill_value": 1.0, "n": 3, "end": 3, "start": 0, "steps": 3, "row": 2,
        "col": 2, "data": [1.0], "obj": [1.0], "s": 1.0, "input": aino.ones(2), "high": 3,
        "low": 0, "mean": 0.0, "in_features": 2, "out_features": 2, "in1_features": 2,
        "in2_features": 2, "normalized_shape": 2, "num_embeddings": 3, "embedding_dim": 2,
        "num_features": 2, "num_channels": 2, "in_channels": 2, "out_channels": 2, "kernel_size": 1,
        "input_size": 2, "hidden_size": 2, "num_groups": 1, "embed_dim": 2, "num_heads": 1,
        "d_model": 2, "nhead": 1, "std": 1.0, "ext_tensor": np.ones(2), "window_length": 3,
        "stride": (1,), "physical_layout": (0,), "M": 3, "sym": True,
        "n_classes": 3, "cutoffs": [1], "num_classes": 3, "mode": "GRU", "bias": True,
        "num_chunks": 3,
        "filename": __file__,
    }  # fmt: skip
    places = {"aino": aino, "nn": nn, "Tensor": aino.Tensor}
    for where, place in places.items():
        for name in dir(place):
            thing = getattr(place, name)
            about_devices = name in ("device", "Device", "get_device_module", "GradScaler")
            if name.startswith("_") or not callable(thing) or about_devices:
                continue
            try:
                signature = inspect.signature(thing)
            except (TypeError, ValueError):
                continue
            if "device" not in signature.parameters or inspect.ismodule(thing):
                continue
            given = {}
            for key, parameter in signature.parameters.items():
                needed = parameter.default is parameter.empty and parameter.kind in (
                    parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY,
                )  # fmt: skip
                if key == "self":
                    given[key] = aino.ones(2)
                elif needed and key != "device":
                    given[key] = arguments[key]
            yield pytest.param(thing, given, id=f"{where}.{name}")


CASES = list(functions_with_a_device())
#: What cannot be called by the names of its required arguments alone.
CALLS = {
    "arange": {"end": 3},
    "range": {"end": 3},
    "normal": {"mean": 0.0, "std": 1.0, "size": (2,)},
    "randint": {"low": 0, "high": 3, "size": (2,)},
    "randint_like": {"input": aino.ones(2), "low": 0, "high": 3},
    "bernoulli": {"input": aino.ones(2)},
}


def call(function, given, device):
    given = CALLS.get(function.__name__, given)
    spread = []
    if "self" in given:
        spread.append(given["self"])
    parameters = inspect.signature(function).parameters
    kinds = {parameter.kind for parameter in parameters.values()}
    if parameters["device"].kind is inspect.Parameter.POSITIONAL_ONLY:
        return function(*spread, device)
    if inspect.Parameter.VAR_POSITIONAL in kinds and function.__name__ != "to":
        spread.append(2)
    rest = {key: value for key, value in given.items() if key != "self"}
    return function(*spread, **rest, device=device)


def test_there_are_many_such_functions():
    assert len(CASES) > 40


@pytest.mark.parametrize(("function", "given"), CASES)
def test_a_device_that_is_not_here_is_refused_everywhere(function, given):
    if function.__name__ == "is_pinned":
        assert call(function, given, "cuda") is False
        return
    for device in ("cuda", aino.device("cuda:0"), "mps"):
        with pytest.raises(DeviceError):
            call(function, given, device)


@pytest.mark.parametrize(("function", "given"), CASES)
def test_the_cpu_is_taken_everywhere(function, given):
    if function.__name__ in ("cuda", "xpu", "ipu", "hpu", "mtia", "pin_memory"):
        return
    for device in ("cpu", aino.device("cpu"), aino.device("cpu:0"), None):
        call(function, given, device)


@pytest.mark.parametrize(
    "move",
    [
        lambda m: m.cuda(), lambda m: m.cuda(0), lambda m: m.to("cuda"), lambda m: m.xpu(),
        lambda m: m.to(aino.device("cuda:1")), lambda m: m.to(device="mps"),
        lambda m: m.to("cuda", aino.float64), lambda m: m.to("cuda", non_blocking=True),
    ],
)  # fmt: skip
def test_nothing_moves_and_nothing_changes(move):
    for thing in (nn.Linear(2, 2), aino.ones(2)):
        before = repr(thing)
        with pytest.raises(DeviceError, match=r"AINO computes on the CPU"):
            move(thing)
        assert repr(thing) == before
        dtype = thing.weight.dtype if isinstance(thing, nn.Module) else thing.dtype
        assert dtype == aino.float32


def test_what_a_tensor_says_of_its_place():
    t = aino.ones(2)
    assert t.is_cpu
    false = "is_cuda is_xpu is_mps is_meta is_sparse is_quantized is_ipu is_mkldnn is_nested"
    for name in false.split():
        assert getattr(t, name) is False
    assert t.get_device() == -1
    assert t.is_pinned() is False
    assert t.to("cpu", non_blocking=True) is t
    assert nn.Linear(2, 2).to_empty(device="cpu").weight.device.type == "cpu"


# --- the modules, against PyTorch on a machine without an accelerator ---------------------------

ASKED = """
    cuda.is_available() cuda.device_count() cuda.is_initialized() cuda.empty_cache()
    cuda.manual_seed(1) cuda.manual_seed_all(1) cuda.seed() cuda.seed_all()
    cuda.memory_allocated() cuda.max_memory_allocated() cuda.memory_reserved()
    cuda.max_memory_reserved() cuda.get_rng_state_all() cuda.set_rng_state_all([])
    cuda.get_arch_list() cuda.is_bf16_supported() cuda.is_tf32_supported()
    backends.cudnn.enabled backends.cudnn.benchmark backends.cudnn.deterministic
    backends.cudnn.allow_tf32 backends.cudnn.is_available() backends.cudnn.version()
    backends.mps.is_available() backends.mps.is_built() backends.cuda.is_built()
    backends.cuda.matmul.allow_tf32 accelerator.is_available() accelerator.device_count()
    accelerator.current_accelerator() accelerator.current_accelerator(check_available=True)
    mps.is_available() mps.device_count() mps.manual_seed(1) xpu.is_available()
    xpu.device_count() xpu.empty_cache() xpu.manual_seed(1) xpu.manual_seed_all(1)
    cpu.is_available() cpu.device_count() cpu.current_device() cpu.synchronize()
    version.cuda version.hip get_float32_matmul_precision()
    are_deterministic_algorithms_enabled()
""".split()  # noqa: SIM905
REFUSED = """
    cuda.current_device() cuda.synchronize() cuda.initial_seed() cuda.get_device_name()
    cuda.get_device_name(0) cuda.get_device_properties(0) cuda.get_device_capability()
    cuda.mem_get_info() cuda.get_rng_state() cuda.init() cuda.set_device(0)
    cuda.reset_peak_memory_stats() cuda.memory_summary() cuda.current_stream()
    cuda.default_stream() cuda.Stream() cuda.Event() cuda.ipc_collect()
    accelerator.current_device_index() accelerator.synchronize() accelerator.set_device_index(0)
    accelerator.current_stream() mps.synchronize() mps.empty_cache()
    mps.current_allocated_memory() mps.seed() xpu.synchronize() xpu.current_device()
    xpu.get_device_name()
""".split()  # noqa: SIM905


def value_of(package, text):
    return eval(f"package.{text}", {"package": package})


@pytest.mark.parametrize("text", ASKED)
def test_what_asks_is_answered_as_by_pytorch_without_an_accelerator(text):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() or torch.backends.mps.is_available() or torch.version.cuda:
        pytest.skip("this PyTorch has an accelerator")
    found, expected = value_of(aino, text), value_of(torch, text)
    assert type(found) is type(expected)
    assert found == expected


@pytest.mark.parametrize("text", REFUSED)
def test_what_needs_an_accelerator_is_refused(text):
    name = text.partition("(")[0]
    with pytest.raises(DeviceError, match=rf"aino\.{name} needs an accelerator: AINO computes"):
        value_of(aino, text)


@pytest.mark.parametrize("text", REFUSED)
def test_pytorch_refuses_the_same(text):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() or torch.backends.mps.is_available() or torch.version.cuda:
        pytest.skip("this PyTorch has an accelerator")
    with pytest.raises(Exception, match=r"."):
        value_of(torch, text)


def test_switches_can_be_set_and_set_back():
    from aino.backends import cudnn

    with cudnn.flags(enabled=False, benchmark=True):
        assert (aino.backends.cudnn.enabled, aino.backends.cudnn.benchmark) == (False, True)
    assert (aino.backends.cudnn.enabled, aino.backends.cudnn.benchmark) == (True, False)
    with pytest.raises(TypeError, match="'speed' is no switch"), cudnn.flags(speed=1):
        pass
    aino.backends.cudnn.benchmark = True
    try:
        assert cudnn.benchmark is True
    finally:
        cudnn.benchmark = False
    aino.backends.cuda.matmul.allow_tf32 = False
    for precision in ("high", "medium", "highest"):
        aino.set_float32_matmul_precision(precision)
        assert aino.get_float32_matmul_precision() == precision
    with pytest.raises(ValueError, match="precision is one of"):
        aino.set_float32_matmul_precision("low")
    aino.use_deterministic_algorithms(True, warn_only=True)
    assert aino.are_deterministic_algorithms_enabled()
    assert aino.is_deterministic_algorithms_warn_only_enabled()
    for number, name in enumerate(("default", "warn", "error")):
        for chosen in (number, name):
            aino.set_deterministic_debug_mode(chosen)
            assert aino.get_deterministic_debug_mode() == number
            assert aino.are_deterministic_algorithms_enabled() == (number > 0)
            assert aino.is_deterministic_algorithms_warn_only_enabled() == (number == 1)
    for wrong in (3, "loud", -1, None):
        with pytest.raises(ValueError, match="debug_mode is one of"):
            aino.set_deterministic_debug_mode(wrong)
    aino.use_deterministic_algorithms(False)
    assert aino.get_deterministic_debug_mode() == 0
    assert not aino.set_flush_denormal(True)
    for chosen in (True, False):
        aino.set_warn_always(chosen)
        assert aino.is_warn_always_enabled() is chosen
        aino.set_anomaly_enabled(chosen, check_nan=not chosen)
        assert aino.is_anomaly_enabled() is aino.autograd.is_anomaly_enabled() is chosen
        assert aino.is_anomaly_check_nan_enabled() is not chosen


@pytest.mark.parametrize(
    "name", ["cuda", "mps", "xpu", "cpu", "accelerator", "amp", "backends.cudnn", "version"]
)
def test_modules_are_imported_by_name(name):
    assert importlib.import_module(f"aino.{name}")


# --- what scripts do ----------------------------------------------------------------------------

PICKS = {
    "cuda": 'aino.device("cuda" if aino.cuda.is_available() else "cpu")',
    "text": '"cuda:0" if aino.cuda.is_available() else "cpu"',
    "accelerator": "aino.accelerator.current_accelerator() or aino.device('cpu')",
    "quickstart": """(
        aino.accelerator.current_accelerator().type if aino.accelerator.is_available() else "cpu"
    )""",
    "chain": """(
        "cuda" if aino.cuda.is_available() else "mps" if aino.backends.mps.is_available()
        else "xpu" if aino.xpu.is_available() else "cpu"
    )""",
}
SCRIPT = """
aino.manual_seed(0)
aino.cuda.manual_seed_all(0)
aino.backends.cudnn.deterministic = True
aino.backends.cudnn.benchmark = False
device = {pick}
model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).to(device)
if aino.cuda.device_count() > 1:
    model = nn.DataParallel(model)
optimizer = aino.optim.SGD(model.parameters(), lr=0.1)
X, y = aino.randn(8, 2, device=device), aino.randn(8, 1).to(device, non_blocking=True)
scaler = aino.amp.GradScaler("cuda", enabled=aino.cuda.is_available())
for step in range(3):
    optimizer.zero_grad()
    with aino.autocast(device_type="cuda", enabled=aino.cuda.is_available()):
        loss = nn.functional.mse_loss(model(X), y)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    losses.append(loss.item())
if aino.cuda.is_available():
    aino.cuda.synchronize()
aino.cuda.empty_cache()
assert next(model.parameters()).is_cuda is False
assert X.device.type == "cpu"
"""


@pytest.mark.parametrize("pick", PICKS)
def test_a_script_that_picks_its_device_trains(pick):
    losses = []
    exec(SCRIPT.format(pick=PICKS[pick]), {"aino": aino, "nn": nn, "losses": losses})
    aino.backends.cudnn.deterministic = False
    assert losses[0] > losses[-1]


def test_mixed_precision_says_that_it_does_nothing():
    for make in (
        lambda: aino.autocast("cuda"),
        lambda: aino.amp.autocast("mps", dtype=aino.float16),
        lambda: aino.amp.GradScaler("cuda"),
        lambda: aino.cuda.amp.GradScaler(),
    ):
        with pytest.warns(UserWarning, match="not here"):
            make()
    with pytest.warns(UserWarning, match="keep their dtypes: .* bfloat16"), aino.autocast("cpu"):
        assert (aino.ones(2) @ aino.ones(2)).dtype == aino.float32
    with aino.autocast("cpu", enabled=False):
        assert (aino.ones(2) * 2).dtype == aino.float32


# --- threads ------------------------------------------------------------------------------------


@contextlib.contextmanager
def threads(count):
    before = aino.get_num_threads()
    aino.set_num_threads(count)
    try:
        yield
    finally:
        aino.set_num_threads(before)


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (2, 2)])
def test_the_number_of_threads_is_that_of_the_threads_used(count, expected):
    used = set()
    meet = threading.Barrier(expected, timeout=30)

    def work(part):
        used.add(threading.get_ident())
        meet.wait()  # parts in one thread come one after the other, and only those

    with threads(count):
        assert aino.get_num_threads() == count
        worker.share(work, [0, 1])
    assert len(used) == expected


def test_the_blas_is_told():
    from aino import num_threads

    asked = num_threads._blas("get")
    if asked is None:
        pytest.skip("NumPy's BLAS is not OpenBLAS")
    before = asked()
    with threads(1):
        assert asked() == 1
    assert asked() == before


def test_a_blas_that_cannot_be_told_is_named(monkeypatch):
    from aino import num_threads

    monkeypatch.setattr(num_threads, "_set_blas", lambda count: False)
    with pytest.warns(RuntimeWarning, match="BLAS cannot be reached"):
        aino.set_num_threads(aino.get_num_threads())


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2", None])
def test_what_is_no_number_of_threads_is_refused(count):
    before = aino.get_num_threads()
    for function in (aino.set_num_threads, aino.set_num_interop_threads):
        with pytest.raises(RuntimeError, match="expects"):
            function(count)
    assert aino.get_num_threads() == before


def test_operations_run_one_after_the_other():
    aino.set_num_interop_threads(2)
    assert aino.get_num_interop_threads() == 1


def test_a_step_is_the_same_on_one_thread_and_on_two():
    def run():
        p = aino.arange(600_000, dtype=aino.float32).requires_grad_()
        optimizer = aino.optim.Adam([p], lr=0.1)
        for _ in range(3):
            p.grad = aino.ones(600_000)
            optimizer.step()
        return p.detach().numpy()

    with threads(1):
        one = run()
    with threads(2):
        two = run()
    assert np.array_equal(one, two)


def test_the_module_of_a_device():
    for name in ("cpu", "cuda", "mps", "xpu"):
        assert aino.get_device_module(name) is getattr(aino, name)
        assert aino.get_device_module(aino.device(name)) is getattr(aino, name)
    assert aino.get_device_module() is aino.cpu
    with pytest.raises(aino.errors.DeviceError, match="no module for the device 'hip'"):
        aino.get_device_module("hip")


def test_without_the_package_eager_calls_are_made_in_python(monkeypatch):
    from aino import native as room
    from aino.backends import native

    monkeypatch.setattr(room, "native_package", lambda: None)
    assert not native.is_available()
    assert native.set_flags(enabled=True) is False
    with native.flags(enabled=False):
        assert (aino.ones(2) * 2.0).tolist() == [2.0, 2.0]
