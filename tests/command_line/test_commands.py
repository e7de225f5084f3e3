"""Each command of ``python -m aino``: what it prints and writes, and what it says when it can't."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

import aino
from aino import nn
from aino.command_line import COMMANDS, info, main, parser

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a file of each kind."""
    folder = tmp_path_factory.mktemp("files")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_files()
    return folder


@pytest.fixture(autouse=True)
def folder(files, tmp_path, monkeypatch):
    """A copy of it, to be worked in."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_files():
    aino.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    aino.save(model, "model.dit")
    aino.save(nn.Sequential(nn.Conv2d(1, 2, 3)), "convolution.dit")
    aino.save(nn.Sequential(nn.Embedding(5, 2), nn.Linear(2, 1)), "words.dit")
    aino.save({"model": nn.Linear(2, 1).state_dict(), "epoch": 3}, "checkpoint.dit")
    aino.save({"a": nn.Linear(1, 1), "b": nn.Linear(1, 1)}, "two.dit")
    aino.save({"net": model, "epoch": 3}, "one.dit")
    aino.save(nn.Linear(2, 1).state_dict(), "weights.dit")
    Path("text.dit").write_text("a text, no model")
    Path("broken.dit").write_bytes(Path("model.dit").read_bytes()[:-9])
    Path("empty.dit").touch()


def run(line, capsys):
    """Run a line; return its exit status, what it printed, and what it complained of."""
    try:
        status = main(shlex.split(line))
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr()
    return status, said.out, said.err


#: a line, and what it prints.
PRINTS = {
    "--version": f"aino {aino.__version__}",
    "": "usage: python -m aino",
    "--help": "python -m aino info model.dit",
    "info": r"numpy +\d",
    "info model.dit": r"0\.weight +float32 +\(8, 4\)",
    "verify model.dit": r"model\.dit: sound, a model in \.dit version 3 .*; 4 tensors of 268 bytes",
    "summary model.dit": r"Linear",
    "summary model.dit --input 7,4 --depth 1": "7",
    "summary convolution.dit": "Conv2d",
    "draw model.dit d.svg": r"^d\.svg$",
    "draw model.dit e.html": r"^e\.html$",
    "draw convolution.dit f.html --input 1,1,8,8": r"^f\.html$",
    "source model.dit": r"relu = clip\(.*max\(0, x\)",
    "source one.dit": r"def predict\(x\)",
    "source model.dit --code": r"def predict",
    "source convolution.dit --input 1,1,8,8": "convolution",
    "source convolution.dit --input 1x1x8x8": "convolution",
    "source words.dit --input 1,3": "predict",
    "draw model.dit a.dot": r"^a\.dot$",
    "draw model.dit b.dot --input 2,4 --depth 1": r"^b\.dot$",
    "draw words.dit c.dot --input 2,4": r"^c\.dot$",
    "convert weights.dit copy.dit": r"^copy\.dit: [\d,]+ bytes$",
    "convert weights.dit weights.dit.dit": "bytes",
    "demo": "derivative",
    "demo derivative": r"-1\.884520868",
    "demo xor --source": r"^\"\"\"Three neurons",
    "coverage": "torch.nn",
}


@pytest.mark.parametrize("line", PRINTS)
def test_what_is_printed(line, capsys):
    status, out, err = run(line, capsys)
    assert (status, err) == (0, "")
    assert re.search(PRINTS[line], out, re.MULTILINE)


#: a line, its exit status, and what it complains of.
FAILS = {
    "inof": (2, "did you mean 'info'"),
    "frobnicate": (2, "there are info, verify"),
    "model.dit": (2, r"python -m aino info model\.dit"),
    "verify": (2, "required: FILE"),
    "info absent.dit": (1, r"^aino: absent\.dit: no such file$"),
    "verify absent.dit": (1, "no such file"),
    "draw absent.dit a.svg": (1, "no such file"),
    "info text.dit": (1, r"^aino: text\.dit: looks like text"),
    "info empty.dit": (1, r"^aino: empty\.dit: "),
    "info .": (1, "aino: "),
    "verify broken.dit": (1, "truncated"),
    "source broken.dit": (1, "truncated"),
    "source weights.dit": (1, "holds 2 tensors, no model"),
    "source two.dit": (1, r"several models \(a, b\)"),
    "summary weights.dit": (1, "no model"),
    "summary model.dit --input 1,5": (1, "aino: "),
    "source convolution.dit": (1, "--input 1,3,32,32"),
    "source model.dit --input 1,5": (1, r"shape \(1, 5\)"),
    "source model.dit --input 0,5": (2, "'0,5' is no shape"),
    "source model.dit --input wide": (2, "'wide' is no shape"),
    "draw model.dit a.bmp": (1, r"\.svg"),
    "draw model.dit nowhere/a.svg": (1, "nowhere: no such folder"),
    "draw model.dit a.dot --depth x": (2, "'x' is no number of levels"),
    "draw model.dit a.dot --depth -1": (2, "'-1' is no number of levels"),
    "summary model.dit --depth -1": (2, "'-1' is no number of levels"),
    "summary model.dit --input 4000000000,4": (1, "^aino: .*allocate"),
    "convert model.dit a.pt": (1, "read, not written"),
    "convert model.dit a.h5": (1, r"ends in \.dit, \.safetensors, \.onnx"),
    "convert model.dit model.dit": (1, "over itself"),
    "convert model.dit model.dit --force": (1, "over itself"),
    "convert model.dit weights.dit": (1, "--force replaces it"),
    "convert absent.pt a.dit": (1, "no such file"),
    "convert checkpoint.dit a.safetensors": (1, "--key: it has model, epoch"),
    "convert checkpoint.dit a.dit --key nodel": (1,
                                                 "nothing is called 'nodel'; it has model, epoch"),
    "convert model.dit a.dit --key x": (1, "has no parts"),
    "convert weights.dit a.onnx": (1, "no model"),
    "demo absent": (2, "there are derivative, xor"),
}  # fmt: skip


@pytest.mark.parametrize("line", FAILS)
def test_what_it_complains_of(line, capsys, folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    status, out, err = run(line, capsys)
    assert (status, out) == (FAILS[line][0], "")
    assert re.search(FAILS[line][1], err, re.MULTILINE)
    assert "Traceback" not in err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_warning_is_said_as_an_error_is(capsys, folder):
    status, _, err = run("draw model.dit failed.dot --input 1,5", capsys)
    assert status == 0
    assert re.fullmatch(r"aino: Sequential raised ShapeError: .* before that is drawn\n", err)
    (folder / "failed.dot").unlink()


def test_a_file_that_is_there_is_replaced_by_force(capsys):
    Path("old.dit").write_text("old")
    assert run("convert weights.dit old.dit --force", capsys)[0] == 0
    assert list(aino.load("old.dit")) == ["weight", "bias"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_each_command_explains_itself(command, capsys):
    name = command.__name__.rpartition(".")[2]
    status, out, _ = run(f"{name} --help", capsys)
    assert status == 0
    assert "python -m aino " + name in out
    assert max(map(len, out.splitlines())) <= 80
    for line in re.findall(r"^  python -m aino (.*?)(?:  .*| \|.*)?$", command.EXAMPLES, re.M):
        parser().parse_args(shlex.split(line))


def test_info_without_a_file_is_what_a_report_needs(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    said = info.versions().splitlines()
    named = {line.split()[0]: line for line in said}
    for name in ("aino", "python", "numpy", "BLAS", "threads", "native", "platform", "torch"):
        assert name in named
    assert named["OMP_NUM_THREADS"].endswith("7")


def test_ctrl_c_ends_it_quietly(monkeypatch, capsys):
    def interrupted(chosen):
        raise KeyboardInterrupt

    monkeypatch.setattr(info, "run", interrupted)
    assert run("info", capsys) == (130, "", "")


@pytest.mark.parametrize("name", ["xor", "circles", "compile", "draw"])
def test_demos_run(name, capsys):
    status, out, _ = run(f"demo {name}", capsys)
    assert status == 0
    if name == "draw":
        assert Path(out.split()[-1]).is_file()


def test_conversions_give_the_same_back(capsys):
    pytest.importorskip("safetensors")
    assert run("convert weights.dit a.safetensors", capsys)[0] == 0
    assert run("convert a.safetensors b.dit", capsys)[0] == 0
    first, last = aino.load("weights.dit"), aino.load("b.dit")
    assert sorted(first) == sorted(last)
    assert all(aino.equal(first[name], last[name]) for name in first)


def test_every_line_of_the_document_runs(capsys):
    for name in ("onnx", "safetensors"):
        pytest.importorskip(name)
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.partition(" | ")[0] for block in blocks for line in block.splitlines()]
    assert len(lines) > 10
    for line in lines:
        status, _, err = run(line.removeprefix("python -m aino"), capsys)
        assert (status, err) == (0, ""), line
    model = aino.load("again.dit")
    x = aino.ones(2, 4)
    aino.testing.assert_close(model(x), aino.load("model.dit")(x))
