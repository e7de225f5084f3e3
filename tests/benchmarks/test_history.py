"""What was measured is kept in pytest-benchmark's format, and runs are compared fairly."""

import json
import subprocess
import sys

import pytest

from benchmarks import compare, history
from benchmarks.harness import Result

ENVIRONMENT = {
    "processor": "an abacus",
    "cores": 2,
    "threads": "2",
    "versions": {"python": "3.13.0", "aino": "3.0.0", "torch": "2.13.0"},
}
COMMITS = ["a" * 40, "b" * 40, "c1" + "d" * 38]


def result(ours, torch=None, name="y + w", family="eager", ours_name="AINO eager", kind="seconds"):
    seconds = {ours_name: ours}
    if torch is not None:
        seconds["PyTorch"] = torch
    return Result(family, name, "step", kind, seconds, {}, [], {ours_name: 40})


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Keep runs, one of each of the commits; return the folder and what keeps another."""
    commits = iter(COMMITS)

    def keep(*results, dirty=False, **environment):
        commit = {"id": next(commits), "time": None, "dirty": dirty, "branch": "main"}
        monkeypatch.setattr(history, "commit_info", lambda: commit)
        return history.keep(results, {**ENVIRONMENT, **environment}, {"rounds": 3}, tmp_path)

    monkeypatch.setattr(history, "git", lambda *arguments: None)
    keep.folder = tmp_path
    return keep


@pytest.mark.parametrize(
    ("data", "figures"),
    [
        ([2.0], {"median": 2, "q1": 2, "q3": 2, "iqr": 0, "stddev": 0, "mean": 2, "ops": 0.5}),
        ([4.0, 2.0], {"median": 3, "q1": 2, "q3": 4, "iqr": 2, "stddev": 2**0.5, "total": 6}),
        ([3.0, 1.0, 2.0], {"q1": 1.25, "median": 2, "q3": 2.75, "ops": 0.5, "stddev": 1}),
        ([8.0, 1.0, 3.0, 2.0, 100.0], {"q1": 1.75, "median": 3, "q3": 31, "hd15iqr": 8}),
        ([4.0, 1.0, 2.0, 3.0], {"q1": 1.5, "q3": 3.5, "iqr": 2, "min": 1, "max": 4, "rounds": 4}),
        ([1.0] * 9 + [50.0], {"iqr_outliers": 1, "stddev_outliers": 1, "outliers": "1;1"}),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], {"q1": 2.25, "median": 4, "q3": 5.75}),
        ([0.0, 0.0], {"ops": 0, "total": 0}),
    ],
)
def test_figures_by_hand(data, figures):
    found = history.stats(data)
    assert {name: found[name] for name in figures} == pytest.approx(figures)
    assert found["data"] == data


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 25])
def test_figures_are_those_of_pytest_benchmark(count):
    theirs = pytest.importorskip("pytest_benchmark.stats").Stats()
    data = [(7 * k % 11 + 1) ** 1.5 for k in range(count)]
    for value in data:
        theirs.update(value)
    found = history.stats(data)
    assert {name: found[name] for name in theirs.fields} == pytest.approx(theirs.as_dict())


def test_a_run_is_written_as_pytest_benchmark_does(kept):
    path = kept(result([2e-6, 4e-6, 3e-6], [6e-6, 4e-6, 9e-6]))
    assert path.parent == kept.folder / history.machine()
    assert path.name.startswith(f"0001_{COMMITS[0]}_")
    assert history.RUN.fullmatch(path.name)
    run = json.loads(path.read_text())
    assert set(run) == {"machine_info", "commit_info", "benchmarks", "datetime", "version"}
    assert run["machine_info"]["cpu"] == {"brand_raw": "an abacus", "count": 2}
    ours, theirs = run["benchmarks"]
    assert ours["fullname"] == "benchmarks/eager.py::y + w[AINO eager]"
    assert theirs["name"] == "y + w[PyTorch]"
    assert ours["group"] == theirs["group"] == "eager: y + w (seconds)"
    assert ours["stats"]["median"] == 3e-6
    assert ours["stats"]["iterations"] == 40
    # Turn by turn: 3, 1 and 3 times as long.
    assert ours["extra_info"]["ratios"] == {"PyTorch": pytest.approx([2, 3, 3])}
    assert "ratios" not in theirs["extra_info"]


def test_runs_are_numbered(kept):
    first, second = kept(result([1.0])), kept(result([1.0]), dirty=True)
    (second.parent / "notes.json").write_text("[]")  # of somebody else's
    assert [path.name[:6] for path in (first, second)] == ["0001_a", "0002_b"]
    assert second.name.endswith("_uncommitted-changes.json")
    (second.parent / f"9999_{COMMITS[0]}_20300101_000000.json").write_bytes(first.read_bytes())
    assert kept(result([1.0])).name.startswith("10000_c1")
    assert [history.number_of(p) for p in history.runs(first.parent)] == [1, 2, 9999, 10000]


FIVE = [1.0, 1.01, 1.02, 1.03, 1.04]


@pytest.mark.parametrize(
    ("before", "now", "by", "verdict"),
    [
        # AINO's time and PyTorch's, in units of FIVE. The machine became slower, and AINO did not.
        ((1, 2), (3, 6), "ratio", ""),
        ((1, 2), (3, 6), "time", "SLOWER"),
        ((1, 2), (1.3, 2), "ratio", "SLOWER"),
        ((1.3, 2), (1, 2), "ratio", "faster"),
        ((1, 2), (1.09, 2), "ratio", ""),
        ((1.09, 2), (1, 2), "ratio", ""),
        # The machine became faster, which hides it that AINO became slower.
        ((1, 2), (0.9, 1.2), "ratio", "SLOWER"),
        ((1, 2), (0.9, 1.2), "time", "faster"),
        # Without a peer time is all there is.
        ((1, None), (1.3, None), "ratio", "SLOWER"),
        ((1, None), (0.7, 3), "ratio", "faster"),
        ((0, None), (0, None), "ratio", ""),
        ((0, None), (1, None), "ratio", "SLOWER"),
        # Nothing is in units of a peer that takes nothing.
        ((1, 0), (1.3, 0), "ratio", "SLOWER"),
        ((0, 1), (0, 1), "ratio", ""),
    ],
)
def test_verdicts(kept, capsys, before, now, by, verdict):
    for ours, torch in (before, now):
        kept(result([t * ours for t in FIVE], None if torch is None else [t * torch for t in FIVE]))
    status = compare.main([], kept.folder, 0.1, by)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "[AINO eager]" in line]
    found = line.split()[-1]
    assert (found if found in ("SLOWER", "faster") else "") == verdict
    assert status == (verdict == "SLOWER")


def test_what_overlaps_is_unclear(kept, capsys):
    kept(result([1.0, 2.0, 3.0, 4.0]), result(FIVE, name="y * w"))
    kept(result([1.5, 2.9, 3.0, 4.0]), result(FIVE, name="y * w"))
    assert compare.main([], kept.folder, 0.1, "ratio") == 0
    assert "0 slower, 0 faster, 1 perhaps (their quartiles overlap); 1 as before" in (
        capsys.readouterr().out
    )


def test_every_contender_of_ours_is_compared_beside_the_first_peer_of_both(kept):
    def run(ours, jax, **peers):
        seconds = {"AINO compiled": ours, "AINO eager": [2 * t for t in ours], "JAX jit": jax}
        return Result("training", "4-16-3", "step", "seconds", {**seconds, **peers}, {}, [])

    before = kept(run(FIVE, FIVE, **{"PyTorch, fused": FIVE}))
    now = kept(run([3 * t for t in FIVE], FIVE, NumPy=FIVE))
    changes, missing, added = compare.compare(*map(compare.load, (before, now)), 0.1)
    assert [(c.name, c.peer, c.verdict) for c in changes] == [
        ("training: 4-16-3[AINO compiled]", "JAX jit", "SLOWER"),
        ("training: 4-16-3[AINO eager]", "JAX jit", "SLOWER"),
    ]
    assert [c.beside for c in changes] == pytest.approx([2, 2])
    assert missing == added == []


def test_times_of_other_machines_are_no_verdict(kept, capsys):
    kept(result(FIVE, FIVE), result(FIVE, name="alone"))
    slow = [9 * t for t in FIVE]
    versions = {**ENVIRONMENT["versions"], "torch": "2.14.0"}
    kept(
        result(slow, slow), result(slow, name="alone"), processor="a slide rule", versions=versions
    )
    assert compare.main([], kept.folder, 0.1, "ratio") == 0
    assert compare.main([], kept.folder, 0.1, "time") == 0
    said = capsys.readouterr().out
    assert "another processor: an abacus before, a slide rule now; only ratios" in said
    assert "torch 2.13.0 before, 2.14.0 now" in said


def test_sizes_are_compared_as_sizes(kept, capsys):
    kept(result([1e6], kind="bytes"))
    kept(result([3e6], kind="bytes"))
    assert compare.main([], kept.folder, 0.1, "ratio") == 1
    assert "1 MB      3 MB  +200.0%" in capsys.readouterr().out


def test_what_only_one_run_has_is_said(kept, capsys):
    kept(result(FIVE), result(FIVE, name="gone"))
    kept(result(FIVE), result(FIVE, name="new"))
    assert compare.main([], kept.folder, 0.1, "ratio") == 0
    said = capsys.readouterr().out
    assert "only in the run before: 1: eager: gone[AINO eager]" in said
    assert "only in the run now: 1: eager: new[AINO eager]" in said


def test_runs_are_found_by_number_commit_and_file(kept, monkeypatch):
    paths = [kept(result(FIVE)) for _ in COMMITS]
    find = lambda name: paths.index(compare.find(name, kept.folder))  # noqa: E731
    assert [find(name) for name in ("1", "0002", "3", "aaaaaaa", "c1d")] == [0, 1, 2, 0, 2]
    assert find(f"{history.machine()}/2") == 1
    assert find(str(paths[1])) == 1
    monkeypatch.setattr(history, "git", lambda *words: COMMITS["v3.0.0^{commit}" in words])
    assert find("v3.0.0") == 1
    assert compare.chosen([], kept.folder) == (paths[1], paths[2])
    assert compare.chosen(["1"], kept.folder) == (paths[0], paths[2])
    assert compare.chosen(["3", "1"], kept.folder) == (paths[2], paths[0])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["7"], "no run '7' is in"),
        (["main", "1"], "no run 'main' is in"),
        (["2"], "would be compared with itself"),
        (["1", "2", "1"], "two runs are compared, and 3 were named: 1, 2, 1"),
        (["1", __file__], "no run in pytest-benchmark's format"),
        ([], "have no benchmark in common"),
    ],
)
def test_what_cannot_be_compared(kept, capsys, names, said):
    kept(result(FIVE))
    kept(result(FIVE, name="another"))
    assert compare.main(names, kept.folder, 0.1, "ratio") == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("count", "said"), [(0, "holds no runs,"), (1, "holds 1 run,")])
def test_too_few_runs(kept, capsys, count, said):
    for _ in range(count):
        kept(result(FIVE))
    assert compare.main([], kept.folder, 0.1, "ratio") == 2
    assert said in capsys.readouterr().err


def test_the_history_is_listed(kept, capsys):
    compare.show(kept.folder)
    assert "no run is in" in capsys.readouterr().out
    kept(result(FIVE, FIVE), result(FIVE, family="gpt"), dirty=True)
    compare.show(kept.folder)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("0001  aaaaaaaaa  2")
    assert line.endswith(", with uncommitted changes: 3 benchmarks of 2 families")


def test_this_checkout_is_known():
    found = history.commit_info()
    assert found["id"] == (history.git("rev-parse", "HEAD") or "unversioned")
    assert isinstance(found["dirty"], bool)


def test_the_command_line(kept):
    kept(result(FIVE, FIVE))
    kept(result([1.2 * t for t in FIVE], FIVE))
    command = [sys.executable, "-m", "benchmarks", "compare", "--history", kept.folder, "1", "2"]
    for threshold, status in (("10%", 1), ("30", 0)):
        done = subprocess.run(
            [*command, "--threshold", threshold],
            cwd=history.ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, done.stderr
        assert "beside PyTorch +20.0%" in done.stdout


def test_pytest_benchmark_reads_the_history(kept):
    pytest.importorskip("pytest_benchmark")
    kept(result(FIVE, FIVE))
    kept(result([2 * t for t in FIVE], FIVE))
    command = [sys.executable, "-m", "pytest_benchmark", f"--storage=file://{kept.folder}"]
    shown = ["--group-by=fullname", "--columns=median,rounds,iterations", "--time-unit=s"]
    done = subprocess.run(
        [*command, "compare", *shown], cwd=kept.folder, capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("y + w[AINO")]
    assert lines == [
        ["y", "+", "w[AINO", "eager]", "(0001_aaaaaaa)", "1.0200", "(1.0)", "5", "40"],
        ["y", "+", "w[AINO", "eager]", "(0002_bbbbbbb)", "2.0400", "(2.00)", "5", "40"],
    ]
