"""``aino.profiler``: what is recorded, how it is summed, and that nothing is left behind."""

import functools
import gzip
import json
import re
import sys
import threading

import numpy as np
import pytest

import aino
from aino import nn
from aino.profiler import ProfilerAction, ProfilerActivity, profile, record_function, schedule


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.body(x)).tanh()  # forward line


def training():
    aino.manual_seed(0)
    net = Net()
    optimizer = aino.optim.Adam(net.parameters())
    x, y = aino.randn(16, 4), aino.randn(16, 1)

    def step():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)  # loss line
        loss.backward()
        optimizer.step()
        return loss

    return net, step


@pytest.fixture(scope="module")
def recorded():
    """A profile of three steps of a training."""
    _, step = training()
    step()
    with profile(record_shapes=True, with_stack=True) as prof:
        for _ in range(3):
            step()
    return prof


def sums(prof, **options):
    return {row.key: row for row in prof.key_averages(**options)}


def test_every_operation_is_counted(recorded):
    counts = {key: row.count for key, row in sums(recorded).items()}
    expected = {
        "linear": 6, "relu": 3, "tanh": 3, "mse_loss": 3, "LinearBackward0": 6, "ReluBackward0": 3,
        "TanhBackward0": 3, "MseLossBackward0": 3, "backward": 3, "Optimizer.step#Adam.step": 3,
        "Optimizer.zero_grad#Adam.zero_grad": 3, "Net": 3, "body (Sequential)": 3,
        "body.0 (Linear)": 3, "body.1 (ReLU)": 3, "head (Linear)": 3,
    }  # fmt: skip
    assert expected.items() <= counts.items()


def test_times_add_up(recorded):
    events = recorded.events()
    roots = [event for event in events if event.cpu_parent is None]
    total = sum(event.cpu_time_total for event in roots)
    assert events.self_cpu_time_total == pytest.approx(total, rel=1e-9, abs=1)
    assert recorded.key_averages().self_cpu_time_total == pytest.approx(total, rel=1e-9, abs=1)
    for event in events:
        assert event.start <= event.stop
        for child in event.cpu_children:
            assert child.cpu_parent is event
            assert event.start <= child.start <= child.stop <= event.stop


def test_a_step_backward_belongs_to_the_line_and_module_of_its_operation(recorded):
    backward = [event for event in recorded.events() if event.kind == "backward"]
    found = {(event.name, event.module) for event in backward}
    for expected in (("LinearBackward0", "body.0 (Linear)"), ("LinearBackward0", "head (Linear)"),
                     ("ReluBackward0", "body.1 (ReLU)"), ("TanhBackward0", "Net")):  # fmt: skip
        assert expected in found
    for event in backward:
        if event.name == "LinearBackward0":
            assert event.site.text.endswith("# forward line")
            assert event.forward.name == "linear"
        if event.name == "backward":
            assert event.site.text == "loss.backward()"


def test_sums_by_module_hold_both_directions(recorded):
    rows = sums(recorded, group_by="module")
    inner, outer = rows["body.0 (Linear)"], rows["Net"]
    parts = [e for e in recorded.events() if e.module == "body.0 (Linear)" and e.kind == "backward"]
    assert inner.count == outer.count == 3
    assert len(parts) == 3
    assert inner.cpu_time_total > sum(e.cpu_time_total for e in parts)
    assert outer.cpu_time_total >= inner.cpu_time_total + rows["head (Linear)"].cpu_time_total


def test_sums_by_line(recorded):
    rows = recorded.key_averages(group_by="line")
    texts = {row.key.partition("  ")[2] for row in rows}
    assert {"loss.backward()", "optimizer.step()"} <= texts
    assert any(text.endswith("# loss line") for text in texts)
    assert rows.self_cpu_time_total == pytest.approx(recorded.events().self_cpu_time_total)


def test_sums_by_shape_and_by_lines_around(recorded):
    rows = recorded.key_averages(group_by_input_shape=True)
    shapes = [row.input_shapes for row in rows if row.key == "linear"]
    assert sorted(shapes) == [[[16, 4], [8, 4], [8]], [[16, 8], [1, 8], [1]]]
    assert len(recorded.key_averages(group_by_stack_n=3)) >= len(recorded.key_averages())


def test_the_table(recorded):
    text = recorded.key_averages().table(sort_by="self_cpu_time_total", row_limit=5)
    lines = text.splitlines()
    assert lines[1].split()[:3] == ["Name", "Self", "CPU"]
    assert len(lines) == 3 + 5 + 2
    assert lines[-1].startswith("Self CPU time total: ")
    ordered = recorded.key_averages()
    ordered.sort(key=lambda row: -row.self_cpu_time_total)
    assert [line.split("  ")[0].strip() for line in lines[3:8]] == [row.key for row in ordered[:5]]
    whole = recorded.key_averages().table(row_limit=-1, time_unit="ms", header="all of it")
    assert whole.startswith("all of it\n")
    assert "us" not in whole.splitlines()[-1]
    assert "<table>" in recorded.key_averages()._repr_html_()
    for wrong in ({"sort_by": "cuda_time"}, {"time_unit": "h"}):
        with pytest.raises(ValueError, match="table: "):
            recorded.key_averages().table(**wrong)
    with pytest.raises(ValueError, match="'name', 'module' or 'line'"):
        recorded.key_averages(group_by="color")


# Nothing is left behind


def functions():
    found = [nn.Module.__call__, aino.autograd.walk.walk, aino.exp, aino.Tensor.exp, aino.cat]
    found += [aino.optim.Adam.step, aino.optim.Adam.zero_grad]
    return [*found, aino.autograd.primitive.REGISTRY["linear"].node_class.pullback]


def test_afterwards_all_functions_are_the_very_ones():
    aino.exp(aino.ones(1)), aino.ones(1).exp()
    _, step = training()
    step()
    before = [(f.__code__, f.__kwdefaults__, f.__defaults__) for f in functions()]
    with profile(profile_memory=True):
        assert nn.Module.__call__.__code__ is not before[0][0]
        step()
    with pytest.raises(ZeroDivisionError), profile() as prof:
        1 / 0
    prof.stop()
    assert [(f.__code__, f.__kwdefaults__, f.__defaults__) for f in functions()] == before
    from aino.autograd.calling import on_ready
    from aino.autograd.passes import followers
    from aino.profiler.marks import active

    assert followers == on_ready == active == []
    assert sys.gettrace() is None or "cov" in repr(sys.gettrace())


def test_the_numbers_are_those_without():
    results = []
    for watched in (False, True):
        net, step = training()
        with profile() if watched else record_function("plain"):
            losses = [step().item() for _ in range(3)]
        results.append([losses, *[p.detach().numpy() for p in net.parameters()]])
    for plain, watched in zip(*results, strict=True):
        np.testing.assert_array_equal(plain, watched)


def test_an_operation_that_raises_is_ended():
    with profile() as prof:
        with pytest.raises(aino.errors.ShapeError):
            aino.ones(2) + aino.ones(3)
        aino.ones(2).exp()
    assert [(e.name, e.cpu_parent) for e in prof.events()] == [("add", None), ("exp", None)]


def test_second_derivatives_and_transforms():
    x = aino.tensor(2.0, requires_grad=True)
    with profile() as prof:
        (g,) = aino.autograd.grad(x.exp() * x, x, create_graph=True)
        g.backward()
        aino.vmap(aino.func.grad(lambda v: v.sin().sum()))(aino.ones(3, 2))
    assert x.grad.item() == pytest.approx(np.exp(2.0) * 4)
    assert {"exp", "mul", "sin", "ExpBackward0", "SinBackward0"} <= set(sums(prof))


# Marks and schedules


def test_marked_blocks_and_functions():
    @record_function("function")
    def run():
        with record_function("block", "text"):
            return aino.ones(2).exp()

    run()
    with profile() as prof:
        run()
        run()
    events = prof.events()
    assert [e.name for e in events] == ["function", "block", "exp"] * 2
    assert events[1].note == "text"
    assert events[2].cpu_parent is events[1]
    assert events[1].cpu_parent is events[0]


def test_other_threads_have_their_own_order():
    with profile() as prof, record_function("outer"):
        thread = threading.Thread(target=lambda: aino.ones(2).exp())
        thread.start()
        thread.join()
    outer, inner = prof.events()
    assert inner.name == "exp"
    assert inner.cpu_parent is None
    assert inner.thread != outer.thread


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"wait": 1, "warmup": 1, "active": 2}, "NWRSNWRSNWRS"),
        ({"wait": 1, "warmup": 1, "active": 2, "repeat": 1}, "NWRSNNNN"),
        ({"wait": 0, "warmup": 0, "active": 1}, "SSSS"),
        ({"wait": 0, "warmup": 1, "active": 1, "skip_first": 2}, "NNWSWS"),
        ({"wait": 2, "warmup": 0, "active": 1, "skip_first_wait": 1}, "SNNSNNS"),
    ],
)
def test_schedules(arguments, expected):
    letters = {"NONE": "N", "WARMUP": "W", "RECORD": "R", "RECORD_AND_SAVE": "S"}
    plan = schedule(**arguments)
    assert "".join(letters[plan(step).name] for step in range(len(expected))) == expected
    torch = pytest.importorskip("torch")
    theirs = torch.profiler.schedule(**arguments)
    assert [theirs(step).name for step in range(12)] == [plan(step).name for step in range(12)]


def test_a_schedule_records_some_of_the_steps():
    seen = []
    plan = schedule(wait=1, warmup=1, active=2, repeat=2)
    with profile(schedule=plan, on_trace_ready=lambda prof: seen.append(prof.events())) as prof:
        for step in range(10):
            aino.ones(step + 1).exp()
            prof.step()
    steps = [[e.name for e in events if e.kind == "user_annotation"] for events in seen]
    assert steps == [["ProfilerStep#2", "ProfilerStep#3"], ["ProfilerStep#6", "ProfilerStep#7"]]
    assert [sum(e.name == "exp" for e in events) for events in seen] == [2, 2]
    assert prof.current_action is ProfilerAction.NONE


@pytest.mark.parametrize(
    ("run", "kind", "words"),
    [
        (lambda: schedule(wait=-1, warmup=0, active=1), ValueError, "wait"),
        (lambda: schedule(wait=0, warmup=0, active=0), ValueError, "active"),
        (lambda: profile(with_flops=True), ValueError, "with_flops"),
        (lambda: profile(activities=[]), ValueError, "empty"),
        (lambda: profile(activities=["cpu"]), TypeError, "'cpu'"),
        (lambda: record_function(print), TypeError, "a string"),
        (lambda: profile().export_stacks("x"), ValueError, "with_stack=True"),
    ],
)
def test_what_makes_no_sense_is_refused(run, kind, words):
    with pytest.raises(kind, match=words):
        run()


def test_other_activities_are_said_not_to_be_there():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        prof = profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA])
    with prof:
        with pytest.raises(RuntimeError, match="still recording"):
            prof.events()
        with pytest.raises(RuntimeError, match="begun already"):
            prof.start()


class Cube(aino.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return aino.from_numpy(x.detach().numpy() ** 3)

    @staticmethod
    def backward(ctx, g):
        return 3 * ctx.saved_tensors[0] ** 2 * g


def test_functions_of_ones_own_are_operations():
    x = aino.ones(5, requires_grad=True)
    with profile(record_shapes=True) as prof:
        Cube.apply(x).sum().backward()  # cube line
    rows = sums(prof)
    assert rows["Cube"].count == rows["CubeBackward"].count == 1
    assert rows["Cube"].input_shapes == [[5]]
    (back,) = [event for event in prof.events() if event.name == "CubeBackward"]
    assert back.forward.name == "Cube"
    assert "# cube line" in back.line
    assert {child.name for child in back.cpu_children} >= {"mul"}
    assert x.grad.tolist() == [3.0] * 5


def test_operations_in_place_are_operations():
    x = aino.ones(3)
    with profile() as prof:
        x.add_(1)
        x += 1
        x.mul_(2)
        x.relu_()
        x.copy_(aino.zeros(3))
        x[0] = 1
    names = [event.name for event in prof.events() if event.cpu_parent is None]
    assert names == ["add_", "add_", "mul_", "relu", "copy_", "set_item"]


# Memory


def test_memory_is_that_of_the_results():
    aino.ones(3).exp(), aino.ones(3).sin()  # what is prepared for them takes memory, once
    with profile(profile_memory=True) as prof:
        kept = [aino.ones(100_000).exp() for _ in range(2)]
        with record_function("dropped"):
            aino.ones(100_000).sin()
    rows = sums(prof)
    assert len(kept) == 2
    assert rows["exp"].self_cpu_memory_usage == pytest.approx(800_000, rel=0.01)
    assert rows["sin"].self_cpu_memory_usage == pytest.approx(400_000, rel=0.01)
    assert abs(rows["dropped"].cpu_memory_usage) < 10_000
    text = prof.key_averages().table(sort_by="self_cpu_memory_usage")
    assert "Self CPU Mem" in text
    assert re.search(r"78\d\.\d\d KB", text)


# Compiled steps


def test_lines_of_compiled_steps():
    _, step = training()
    compiled = aino.compile(step)
    for _ in range(3):
        compiled()
    with profile() as prof:
        for _ in range(4):
            compiled()
    rows = sums(prof)
    assert rows["compiled step"].count == 4
    code = compiled.code
    lines = {e.name for e in prof.events() if e.kind == "line"}
    assert len(lines) > 3
    assert all(line in code for line in lines)
    assert all(e.cpu_parent.name == "compiled step" for e in prof.events() if e.kind == "line")
    assert any(rows[line].count == 4 for line in lines)
    assert sys.gettrace() is None or "cov" in repr(sys.gettrace())


def test_a_compiled_step_goes_on_as_it_was():
    _, step = training()
    compiled = aino.compile(step)
    for _ in range(3):
        compiled()
    with profile():
        compiled()
    with aino.debug.find_nan():
        compiled()
    before = repr(compiled)
    compiled()
    assert repr(compiled) == before
    assert "1 of 1" in before


# Files


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def test_chrome_trace(recorded, tmp_path):
    """The Trace Event Format: phases X, M, s and f, with the keys that each has to have."""
    recorded.add_metadata("run", "first")
    recorded.add_metadata_json("numbers", "[1, 2]")
    recorded.export_chrome_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))
    assert (trace["run"], trace["numbers"]) == ("first", [1, 2])
    assert trace["displayTimeUnit"] in ("ms", "ns")
    events = trace["traceEvents"]
    for event in events:
        assert event["ph"] in "XMsf"
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        assert isinstance(event["name"], str)
        if event["ph"] == "X":
            assert is_number(event["ts"])
            assert is_number(event["dur"])
            assert event["dur"] >= 0
            assert isinstance(event["args"], dict)
        if event["ph"] in "sf":
            assert is_number(event["ts"])
            assert "id" in event
            assert event["cat"]
    whole = [event for event in events if event["ph"] == "X"]
    assert len(whole) == len(recorded.events())
    starts = {e["id"]: e["ts"] for e in events if e["ph"] == "s"}
    ends = {e["id"]: e["ts"] for e in events if e["ph"] == "f"}
    assert starts.keys() == ends.keys()
    assert len(starts) >= 15
    assert all(starts[key] < ends[key] for key in starts)
    linear = next(event for event in whole if event["name"] == "linear")
    assert linear["args"]["module"] == "body.0 (Linear)"
    assert "forward line" in linear["args"]["line"]
    recorded.export_chrome_trace(tmp_path / "trace.json.gz")
    with gzip.open(tmp_path / "trace.json.gz", "rt", encoding="utf-8") as file:
        assert json.load(file) == trace
    recorded.events().export_chrome_trace(tmp_path / "other.json")


def test_speedscope(recorded, tmp_path):
    """speedscope's schema: frames with names, events that open and close as brackets do."""
    recorded.export_speedscope(tmp_path / "a.speedscope.json")
    file = json.loads((tmp_path / "a.speedscope.json").read_text(encoding="utf-8"))
    assert file["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = file["shared"]["frames"]
    assert all(isinstance(frame["name"], str) for frame in frames)
    for found in file["profiles"]:
        assert found["type"] == "evented"
        assert found["unit"] == "microseconds"
        opened, last = [], found["startValue"]
        for event in found["events"]:
            assert event["at"] >= last
            last = event["at"]
            assert 0 <= event["frame"] < len(frames)
            if event["type"] == "O":
                opened.append(event["frame"])
            else:
                assert event["type"] == "C"
                assert opened.pop() == event["frame"]
        assert not opened
        assert last <= found["endValue"]
    count = sum(len(found["events"]) for found in file["profiles"])
    assert count == 2 * len(recorded.events())


def test_stacks(recorded, tmp_path):
    recorded.export_stacks(tmp_path / "stacks.txt")
    lines = (tmp_path / "stacks.txt").read_text(encoding="utf-8").splitlines()
    assert all(line.rpartition(" ")[2].isdigit() for line in lines)
    (line,) = [line for line in lines if line.rpartition(";")[2].startswith("mse_loss ")]
    assert "test_profile.py" in line
    assert ": step;mse_loss" in line
    with pytest.raises(ValueError, match="self_cpu_time_total"):
        recorded.export_stacks(tmp_path / "x", "self_cuda_time_total")


def test_handler_for_tensorboard(tmp_path):
    handler = aino.profiler.tensorboard_trace_handler(str(tmp_path / "log"), "me", use_gzip=True)
    with profile(on_trace_ready=handler):
        aino.ones(2).exp()
    (path,) = (tmp_path / "log").iterdir()
    assert path.name.startswith("me.")
    assert path.name.endswith(".pt.trace.json.gz")


def test_names_and_arguments_are_those_of_pytorch():
    import inspect

    torch = pytest.importorskip("torch")
    theirs = functools.partial(getattr, torch.profiler)
    for name in ("profile", "schedule", "record_function", "tensorboard_trace_handler"):
        own = inspect.signature(getattr(aino.profiler, name)).parameters
        assert set(inspect.signature(theirs(name)).parameters) <= set(own)
    for name in ("ProfilerAction", "ProfilerActivity"):
        kinds = getattr(aino.profiler, name).__members__
        assert {"CPU", "CUDA", "NONE", "WARMUP", "RECORD", "RECORD_AND_SAVE"} & set(kinds)
    table = torch.autograd.profiler_util.EventList.table
    own = inspect.signature(aino.profiler.EventList.table).parameters
    assert set(inspect.signature(table).parameters) <= set(own)


def test_a_profile_inside_of_what_is_compiled_is_refused():
    found = []

    @aino.compile
    def run(x):
        with profile() as prof:
            y = x.exp()
        found.append([event.name for event in prof.events()])
        return y

    with pytest.warns(aino.errors.CompileWarning, match="profile"):
        run(aino.ones(2))
    run(aino.ones(2))
    assert found == [["exp"], ["exp"]]


def test_numbers_of_a_notebooks_table_stand_to_the_right(recorded):
    text = recorded.key_averages()._repr_html_()
    row = next(row for row in text.split("<tr>") if ">linear<" in row)
    sides = re.findall(r'<td style="text-align: (\w+)[^>]*>([^<]*)', row)
    assert [(side, value) for side, value in sides if side == "left"] == [
        ("left", value) for _, value in (sides[0], *sides[-2:])
    ]
    assert len(sides) >= 8
