"""Names that programs written for PyTorch touch: there, or refused in words when called."""

import importlib
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aino
from aino import nn

ROOT = Path(__file__).resolve().parent.parent

#: What can be named, and says what to use when it is called.
REFUSED = {
    "jit.script": r"aino\.compile",
    "jit.trace": r"aino\.compile",
    "jit.trace_module": r"aino\.compile",
    "jit.ScriptModule": r"aino\.compile",
    "jit.load": r"aino\.save",
    "jit.save": r"aino\.save",
    "hub.load": "copy its file",
    "hub.load_state_dict_from_url": "load_state_dict",
    "hub.download_url_to_file": "download the file yourself",
    "utils.model_zoo.load_url": "load_state_dict",
    "utils.data.IterDataPipe": "IterableDataset",
    "utils.data.MapDataPipe": "Dataset",
    "utils.data.functional_datapipe": "DataLoader",
}


def named(path):
    """Return what stands under a dotted path, as ``import`` and attributes find it."""
    found = aino
    for part in path.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_not_there_can_be_named_and_says_what_to_use(path):
    with pytest.raises(NotImplementedError, match=rf"aino\.{path} is not there: .*{REFUSED[path]}"):
        named(path)(1, x=2)


ANSWERS = {
    "jit.is_scripting()": False,
    "jit.is_tracing()": False,
    "jit.annotate(int, 3)": 3,
    "jit.export(len) is jit.unused(len) is jit.ignore(len) is len": True,
    "jit.ignore(drop=True)(len) is len": True,
    "jit.script_if_tracing(len) is len": True,
    "isinstance(nn.Linear(1, 1), jit.ScriptModule)": False,
    "onnx.is_in_onnx_export()": False,
    "distributed.is_initialized()": False,
    "distributed.ReduceOp.SUM.name": "SUM",
    "amp.is_autocast_available('cpu')": False,
    "is_autocast_enabled()": False,
    "amp.custom_fwd(len) is cuda.amp.custom_bwd(len) is len": True,
    "amp.custom_fwd(device_type='cuda')(len) is len": True,
    "GradScaler is amp.GradScaler": True,
    "cuda.OutOfMemoryError is OutOfMemoryError is MemoryError": True,
    "backends.opt_einsum.is_available()": True,
    "backends.nnpack.is_available()": False,
    "backends.mkldnn.enabled": True,
    "backends.cuda.flash_sdp_enabled()": True,
    "optim.lr_scheduler._LRScheduler is optim.lr_scheduler.LRScheduler": True,
    "nn.parameter.Parameter is nn.Parameter": True,
    "nn.modules.module.Module is nn.modules.Module is nn.Module": True,
    "nn.modules.utils._pair(3)": (3, 3),
    "nn.modules.utils._triple([1, 2, 3])": (1, 2, 3),
    "nn.modules.utils._reverse_repeat_tuple((1, 2), 2)": (2, 2, 1, 1),
    "utils.hooks.RemovableHandle.__name__": "HookHandle",
    "utils.dlpack.from_dlpack(utils.dlpack.to_dlpack(tensor([1.0]))).tolist()": [1.0],
    "version.git_version": None,
    "bfloat16": aino.bfloat16,
    "repr(bfloat16)": "aino.bfloat16",
    "tensor(1.0).dtype in (bfloat16, float16)": False,
    "multiprocessing.get_sharing_strategy()": "file_descriptor",
    "multiprocessing.cpu_count() > 0": True,
    "hub.__name__": "aino.hub",
}


@pytest.mark.parametrize("expression", ANSWERS)
def test_what_is_asked_is_answered(expression):
    assert (
        eval(expression, {name: getattr(aino, name) for name in dir(aino)}) == ANSWERS[expression]
    )


@pytest.mark.parametrize(
    "line",
    [
        "from aino import Tensor, nn, optim",
        "from aino.__future__ import set_swap_module_params_on_conversion",
        "from aino.utils.data.datapipes import IterDataPipe",
        "from aino.autograd import Variable, Function",
        "from aino.nn.parameter import Parameter",
        "from aino.nn.modules import Module, Linear, Sequential",
        "from aino.nn.modules.utils import _pair",
        "from aino.nn.parallel import DataParallel, DistributedDataParallel",
        "from aino.optim.lr_scheduler import _LRScheduler, StepLR",
        "from aino.optim.swa_utils import AveragedModel, SWALR",
        "from aino.utils.data import DataLoader, Dataset, random_split",
        "from aino.utils.data.dataset import Dataset, TensorDataset",
        "from aino.utils.data.sampler import SubsetRandomSampler",
        "from aino.utils.data.dataloader import default_collate, DataLoader",
        "from aino.utils.data.distributed import DistributedSampler",
        "from aino.cuda.amp import autocast, GradScaler",
        "from aino.amp import autocast, GradScaler, custom_fwd",
        "import aino.nn.functional as F, aino.multiprocessing as mp, aino.distributed as dist",
        "import aino.backends.cudnn as cudnn, aino.utils.model_zoo, aino.hub, aino.jit, aino.onnx",
        "from aino.profiler import profile, record_function, ProfilerActivity",
        "from aino.utils.checkpoint import checkpoint",
        "from aino.distributions import Categorical, Normal",
    ],
)
def test_lines_that_programs_begin_with(line):
    exec(line, {})


def test_marking_a_block_for_a_profiler_runs_it():
    @aino.profiler.record_function("step")
    def step():
        with aino.profiler.record_function("inner"):
            return 3

    assert step() == 3


def test_bfloat16_is_refused_where_it_would_be_used():
    for use in (aino.ones(2).to, lambda dtype: aino.zeros(2, dtype=dtype), nn.Linear(1, 1).to):
        with pytest.raises(TypeError, match=r"aino\.bfloat16 can be named"):
            use(aino.bfloat16)


def test_a_variable_is_a_tensor():
    from aino.autograd import Variable

    x = aino.ones(2, requires_grad=True)
    for wrapped, needs in ((Variable(x), False), (Variable(x * 2, requires_grad=True), True)):
        assert isinstance(wrapped, Variable)
        assert (wrapped.requires_grad, wrapped.is_leaf) == (needs, True)
    assert not isinstance(1.0, Variable)
    assert np.shares_memory(Variable(x).array, x.array)
    with pytest.raises(TypeError, match="not list"):
        Variable([1.0])


def test_data_parallel_runs_the_module():
    module = nn.Linear(3, 2)
    model = nn.DataParallel(module)
    x = aino.ones(4, 3)
    assert aino.equal(model(x), module(x))
    assert aino.equal(nn.parallel.data_parallel(module, x), module(x))
    assert model.module is module
    assert list(model.state_dict()) == ["module.weight", "module.bias"]
    for call in (lambda: nn.DataParallel(module, [0]), lambda: nn.DataParallel(module, None, 0)):
        with pytest.raises(aino.errors.DeviceError):
            call()


def test_attention_switches_hold_for_a_block():
    flags = aino.backends.cuda
    with flags.sdp_kernel(enable_flash=False):
        assert (flags.flash_sdp_enabled(), flags.math_sdp_enabled()) == (False, True)
    assert flags.flash_sdp_enabled()
    flags.enable_math_sdp(False)
    assert not flags.math_sdp_enabled()
    flags.enable_math_sdp(True)


def works(number, shared):
    shared[number] = number + 10


def raises(number):
    if number == 1:
        raise ValueError("no good")


def exits(number):
    os._exit(3 if number else 0)


def test_spawn_runs_a_function_in_processes():
    shared = multiprocessing.get_context("fork").Array("i", 3)
    aino.multiprocessing.spawn(works, (shared,), nprocs=3, start_method="fork")
    assert list(shared) == [10, 11, 12]
    with pytest.raises(
        aino.multiprocessing.ProcessRaisedException, match=r"(?s)Process 1.*no good"
    ):
        aino.multiprocessing.spawn(raises, nprocs=2, start_method="fork")
    with pytest.raises(aino.multiprocessing.ProcessExitedException, match="exit code 3"):
        aino.multiprocessing.spawn(exits, nprocs=2, start_method="fork")
    context = aino.multiprocessing.spawn(works, (shared,), 1, join=False, start_method="fork")
    assert len(context.pids()) == 1
    while not context.join():
        pass


def test_without_tensorboard_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r"pip install 'aino\[tensorboard\]'"):
        aino.utils.tensorboard.SummaryWriter("unused")
    assert not Path("unused").exists()


def test_figures_for_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    accumulator = importlib.import_module(
        "tensorboard.backend.event_processing.event_accumulator"
    )  # fmt: skip
    with aino.utils.tensorboard.SummaryWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_scalar("loss", aino.tensor(0.5 * step, requires_grad=True), step)
        writer.add_scalars("both", {"a": 1, "b": 2}, 0)
        writer.add_histogram("normal", aino.linspace(-1, 1, 11), 0, max_bins=4, bins=10)
        writer.add_image("one", aino.rand(3, 4, 5))
        writer.add_images("ten", np.zeros((10, 1, 4, 5), np.uint8))
        writer.add_text("note", "hello")
        writer.add_hparams({"lr": 0.1, "name": "x", "on": True, "n": 3}, {"accuracy": 0.5})
        with pytest.raises(NotImplementedError, match=r"aino\.draw"):
            writer.add_graph(nn.Linear(1, 1))
        with pytest.raises(ValueError, match="finite"):
            writer.add_histogram("bad", [np.nan])
        with pytest.raises(ValueError, match="this one has 2"):
            writer.add_image("bad", np.zeros((2, 4, 5)))
        with pytest.raises(ValueError, match=r"shape \(2,\)"):
            writer.add_scalar("bad", [1, 2])
    read = accumulator.EventAccumulator(str(tmp_path))
    read.Reload()
    assert [(event.step, event.value) for event in read.Scalars("loss")] == [
        (0, 0.0), (1, 0.5), (2, 1.0)]  # fmt: skip
    histogram = read.Histograms("normal")[0].histogram_value
    assert (histogram.num, sum(histogram.bucket)) == (11, 11)
    assert (histogram.min, histogram.max) == (-1, 1)
    assert [(image.width, image.height) for image in read.Images("ten")] == [(40, 8)]
    assert read.Images("one")[0].encoded_image_string.startswith(b"\x89PNG")
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 3


def test_importing_aino_loads_none_of_this():
    rooms = "jit onnx hub distributed multiprocessing profiler utils nn.parallel refusals"
    program = "import sys, aino; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True).split()
    assert {"multiprocessing", *(f"aino.{room}" for room in rooms.split())}.isdisjoint(loaded)


FORMER = {
    "uniform": (2.0, 3.0), "normal": (1.0, 0.5), "constant": (3.0,), "eye": (), "dirac": (),
    "xavier_uniform": (2.0,), "xavier_normal": (2.0,), "kaiming_uniform": (0.1,),
    "kaiming_normal": (0.1, "fan_out"), "orthogonal": (2.0,), "sparse": (0.5,),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMER)
def test_initial_values_under_their_former_names(name):
    """They do what the present ones do, and warn in PyTorch's words."""
    shape = (2, 3, 3) if name == "dirac" else (4, 3)
    words = f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`."
    x = aino.zeros(shape)
    aino.manual_seed(1)
    with pytest.warns(FutureWarning, match=words) as heard:
        assert getattr(nn.init, name)(x, *FORMER[name]) is x
    assert heard[0].filename == __file__
    aino.manual_seed(1)
    assert x.tolist() == getattr(nn.init, f"{name}_")(aino.zeros(shape), *FORMER[name]).tolist()


def test_every_initial_value_has_its_former_name():
    ending = {name[:-1] for name in nn.init.__all__ if name[-1] == "_"}
    # PyTorch has had these without.
    assert ending - set(FORMER) == {"trunc_normal", "ones", "zeros"}


def test_gradients_are_limited_under_the_former_name():
    x = aino.tensor([3.0, 4.0], requires_grad=True)
    (x * x).sum().backward()
    with pytest.warns(FutureWarning, match=r"in favor of `nn\.utils\.clip_grad_norm_`"):
        assert nn.utils.clip_grad_norm(x, 1.0).item() == 10.0
    assert abs(x.grad.norm().item() - 1.0) < 1e-5


def test_parameters_stay_the_objects_that_they_are():
    future = aino.__future__
    assert not future.get_swap_module_params_on_conversion()
    future.set_swap_module_params_on_conversion(True)
    assert future.get_swap_module_params_on_conversion()
    future.set_swap_module_params_on_conversion(False)
    future.set_overwrite_module_params_on_conversion(False)
    assert not future.get_overwrite_module_params_on_conversion()
    with pytest.raises(NotImplementedError, match="stay the objects that they are"):
        aino.__future__.set_overwrite_module_params_on_conversion(True)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: aino.LongTensor(np.array([1, 2], np.int32)), ("int64", [1, 2])),
        (lambda: aino.FloatTensor(np.array([[1.0], [2.0]])), ("float32", [[1.0], [2.0]])),
        (lambda: aino.LongTensor(np.array([1.5])), ("int64", [1])),
        (lambda: aino.FloatTensor(np.array(3.0)), ("float32", 3.0)),
        (lambda: aino.FloatTensor(np.zeros((1, 0))), ("float32", [[]])),
        (lambda: aino.ones(1).new(np.array([1, 2])), ("float32", [1.0, 2.0])),
        (lambda: aino.ByteTensor([1, 2]), ("uint8", [1, 2])),
    ],
)
def test_older_types_take_the_numbers_of_an_array(made, expected):
    x = made()
    assert (str(x.dtype), x.tolist()) == expected


def test_older_types_take_lengths():
    assert aino.FloatTensor(2, 3).shape == (2, 3)
    assert aino.LongTensor(np.int64(3)).shape == (3,)
