"""Every Python of the machine is found, once, and gets what can be had for it."""

import os
import re
import sys
import tomllib

import pytest

from tests import pythons
from tests.compiler.test_bytecode import VERSIONS
from tests.pythons import ROOT, Python, candidates, chosen, requirements

PROJECT = {
    "name": "aino",
    "dependencies": ["numpy>=2.0"],
    "optional-dependencies": {
        "all": ["aino[draw,mpi]"],
        "draw": ["pygraphviz>=2.0"],
        "mpi": ["mpi4py>=4.1", "mpich>=4.3; sys_platform != 'win32'"],
        "dev": ["aino[all]", "pytest>=8.0", "hypothesis>=6.100", "pandas>=2.0"],
    },
}


def python(*version, free_threaded=False, complete=True, implementation="cpython"):
    path = f"/{'.'.join(map(str, version))}"
    return Python(version, free_threaded, complete, path, implementation)


def test_this_python_is_known():
    (found,) = pythons.ask([sys.executable])
    assert found.version == sys.version_info[:3]
    assert found.name.rstrip("t") == "{}.{}".format(*sys.version_info[:2])
    assert os.path.samefile(found.path, getattr(sys, "_base_executable", sys.executable))


def test_the_newest_of_each_minor_version_is_chosen():
    old, new, free = python(3, 13, 0), python(3, 13, 10), python(3, 13, 1, free_threaded=True)
    found = chosen([
        new, old, free, python(3, 9, 18), python(3, 11, 7), python(3, 12, 1, complete=False),
        python(3, 14, 0, implementation="pypy"),
    ])  # fmt: skip
    assert [(p.name, p.version) for p in found] == [
        ("3.11", (3, 11, 7)),
        ("3.13", (3, 13, 10)),
        ("3.13t", (3, 13, 1)),
    ]


@pytest.mark.skipif(os.name == "nt", reason="programs are made of shell scripts")
def test_programs_that_are_no_python_are_passed_over(tmp_path):
    scripts = {
        "python3.12": "exit 127",  # a shim of a version that is not chosen
        "python3.13": "echo hello",
        "python3-config": "echo wrong",
        "python3.14": f'exec {sys.executable} "$@"',
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "python3.15").write_text("no program")
    (tmp_path / "python").symlink_to(tmp_path / "python3.14")
    found = candidates([tmp_path, tmp_path / "nothing", tmp_path])
    assert [path.name for path in found] == ["python3.14", "python3.12", "python3.13"]
    assert [p.version for p in pythons.ask(found)] == [sys.version_info[:3]]


def test_needs_are_told_apart_by_extra():
    assert requirements(PROJECT) == {
        "": ["numpy>=2.0", "pytest>=8.0", "hypothesis>=6.100"],
        "draw": ["pygraphviz>=2.0"],
        "mpi": ["mpi4py>=4.1", "mpich>=4.3; sys_platform != 'win32'"],
        "pandas": ["pandas>=2.0"],
    }


def test_all_that_tests_need_is_among_them():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = requirements(project)
    for package in ("numpy", *pythons.CORE):
        assert any(pythons.REQUIREMENT.match(r)[1] == package for r in groups[""])
    for extra in ("plot", "sklearn", "scipy", "onnx", "mpi"):
        assert groups[extra] == project["optional-dependencies"][extra]
    assert not any(r.startswith("aino") for group in groups.values() for r in group)


@pytest.mark.parametrize(
    ("lacking", "without"),
    [((), {}), (("mpich",), {"mpi": "no mpich"}), (("pygraphviz", "pandas"), {"draw", "pandas"})],
)
def test_what_has_no_wheel_is_left_out_alone(monkeypatch, tmp_path, lacking, without):
    installed = set()

    def pip(folder, *arguments):
        for word in lacking:
            if any(argument.startswith(word) for argument in arguments):
                raise RuntimeError(f"no {word}")
        installed.update(arguments[1:])

    monkeypatch.setattr(pythons, "pip", pip)
    found = pythons.install(tmp_path, requirements(PROJECT))
    assert found == without if isinstance(without, dict) else found.keys() == without
    needed = {item for name, group in requirements(PROJECT).items() for item in group}
    left_out = {item for name in found for item in requirements(PROJECT)[name]}
    assert installed == needed - left_out


def test_what_there_must_be_is_not_left_out(monkeypatch, tmp_path):
    def pip(folder, *arguments):
        if "numpy>=2.0" in arguments:
            raise RuntimeError("no numpy")

    monkeypatch.setattr(pythons, "pip", pip)
    with pytest.raises(RuntimeError, match="no numpy"):
        pythons.install(tmp_path, requirements(PROJECT))


class Runs:
    """What is run in name alone, and what is said to come of it."""

    def __init__(self):
        self.ran, self.last, self.codes = [], ["9 passed"] * 2, [0, 0]

    def __call__(self, command):
        self.ran.append([str(word) for word in command[1:]])
        return f"== {self.last[len(self.ran) - 1]} ==", self.codes[len(self.ran) - 1]


@pytest.fixture
def two(monkeypatch, tmp_path):
    """Return the runs on two Pythons."""
    there = [python(3, 12, 1), python(3, 13, 0)]
    runs = Runs()
    monkeypatch.setattr(pythons, "ask", lambda programs: there)
    monkeypatch.setattr(pythons, "prepare", lambda p: (tmp_path / p.name, {}))
    monkeypatch.setattr(pythons, "run", runs)
    return runs


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ([], ["-n", "auto"]),
        (["tests/nn", "-x"], ["-n", "auto", "tests/nn", "-x"]),
        (["tests/nn", "-n", "0"], ["tests/nn", "-n", "0"]),
        (["-n0", "-k", "a or b"], ["-n0", "-k", "a or b"]),
    ],
)
def test_arguments_are_pytests(two, capsys, given, passed_on):
    assert pythons.main(given) == 0
    assert two.ran == [["-m", "pytest", *passed_on]] * 2
    said = capsys.readouterr().out
    assert "3.12   passed: 9 passed (0 s)" in said
    assert "3.13   passed: 9 passed (0 s)" in said


def test_each_failure_counts_and_none_stops_the_others(two, capsys):
    two.last, two.codes = ["1 failed", "no tests ran"], [1, 5]
    assert pythons.main([]) == 2
    said = capsys.readouterr().out
    assert "3.12   FAILED: 1 failed" in said
    assert "3.13   RAN NO TEST: no tests ran" in said


def test_only_some(two, capsys):
    assert pythons.main(["--only", "3.13", "tests/nn"]) == 0
    assert len(two.ran) == 1
    assert pythons.main(["--list"]) == 0
    assert len(two.ran) == 1
    capsys.readouterr()
    assert pythons.main(["--only", "3.13,3.14t"]) == 1
    assert "no Python 3.14t is here; there are: 3.12, 3.13" in capsys.readouterr().err


def test_an_environment_that_cannot_be_made(two, monkeypatch, capsys):
    def prepare(python):
        raise RuntimeError("ERROR: no network")

    monkeypatch.setattr(pythons, "prepare", prepare)
    assert pythons.main(["--only", "3.12"]) == 1
    assert "3.12   NO ENVIRONMENT: ERROR: no network" in capsys.readouterr().out


def test_what_a_command_says_last():
    with pytest.raises(RuntimeError, match=r"^ERROR: no wheel$"):
        pythons.quietly([sys.executable, "-c", "print('ERROR: no wheel\\nhint'); exit(1)"])
    command = [sys.executable, "-c", "print('one\\n== 2 passed ==\\n'); raise SystemExit(3)"]
    assert pythons.run(command) == ("== 2 passed ==", 3)


WORKFLOW = ROOT / ".github/workflows/ci.yml"


@pytest.mark.skipif(not WORKFLOW.exists(), reason="the source distribution has no workflows")
def test_ci_runs_on_what_the_package_says_it_runs_on():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = [
        words.rpartition(" ")[2]
        for words in project["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", words)
    ]
    assert promised[0] == project["requires-python"].removeprefix(">=")
    assert promised[0] == ".".join(map(str, pythons.OLDEST))
    text = WORKFLOW.read_text(encoding="utf-8")
    assert f'python: ["{promised[0]}", "{promised[-1]}"]' in text  # all of .ci/run
    tried = {tuple(map(int, found.split("."))) for found in re.findall(r'"(3\.\d+)"', text)}
    wanted = {tuple(map(int, version.split("."))) for version in promised}
    assert wanted <= tried
    assert all(version > max(wanted) for version in tried - wanted)  # one that is to come
    # The compiler reads their bytecode, and no other.
    assert promised == [version.removeprefix("python") for version in VERSIONS]
