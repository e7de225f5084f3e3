"""The benchmark of accuracies: who is behind, and that every contender learns and answers."""

import json

import numpy as np
import pytest

from benchmarks import accuracy, peers
from benchmarks.accuracy import Problem, Row


def row(**scores):
    return Row("a case", "accuracy", scores)


@pytest.mark.parametrize(
    ("ours", "theirs", "behind"),
    [
        ([0.90, 0.92], [0.90, 0.92], []),
        ([0.90, 0.92], [0.91, 0.93], []),  # 0.010 apart, deviations of 0.014
        ([0.90, 0.92], [0.95, 0.97], ["skorch"]),
        ([0.95, 0.97], [0.90, 0.92], []),
        ([0.90, 0.90], [0.91, 0.91], ["skorch"]),
        ([0.90, 0.92], [0.93, 0.95], ["skorch"]),
        ([0.80, 1.00], [0.95, 0.95], []),  # 0.05 apart, deviations of 0.14 and 0
    ],
)
def test_behind_is_by_more_than_a_standard_deviation(ours, theirs, behind):
    found = row(NeuralNetwork=ours, skorch=theirs)
    assert found.behind("NeuralNetwork") == behind
    assert ("is behind skorch" in accuracy.line(found)) is bool(behind)


def test_one_of_ours_is_not_behind_the_other():
    assert row(NeuralNetwork=[0.5, 0.5], **{"Aino estimator": [1.0, 1.0]}).behind(
        "NeuralNetwork"
    ) == []  # fmt: skip


@pytest.fixture
def small(monkeypatch):
    """Two problems of few samples, which are learned in no time."""
    pytest.importorskip("sklearn")

    def classes():
        random = np.random.default_rng(0)
        y = np.arange(60) % 2
        return random.normal(size=(60, 3)) + 3 * y[:, None], y

    def numbers():
        X, _ = classes()
        return X, X @ [1.0, 2.0, 3.0]

    problems = (Problem("one", classes), Problem("other", numbers, "numbers", "R²"))
    monkeypatch.setattr(accuracy, "PROBLEMS", problems)
    return problems


def test_all_contenders_learn_and_the_figures_are_written(small, tmp_path, capsys):
    accuracy.main(["one", "raw"], [0, 1], tmp_path)
    (result,) = json.loads((tmp_path / "accuracy.json").read_text())["results"]
    assert result["name"] == "one, raw"
    assert set(result["scores"]) == set(accuracy.contenders())
    assert {"NeuralNetwork", "Aino estimator", "scikit-learn"} <= set(result["scores"])
    assert all(len(scores) == 2 for scores in result["scores"].values())
    assert result["means"]["NeuralNetwork"] > 0.9
    shown = capsys.readouterr().out
    assert "one, raw" in shown
    assert "other" not in shown


def test_what_skorch_does_is_done_by_hand_where_it_is_missing(small):
    if peers.torch() is None:
        pytest.skip("PyTorch is not installed")
    for problem in small:
        ((_, learned, asked),) = problem.splits(True, [0])
        said = accuracy.by_hand(problem.kind, 0, *learned)(asked[0])
        assert said.shape == asked[1].shape
        assert np.isfinite(problem.judge(said, asked[1]))


def test_the_data_sets_are_what_they_say():
    pytest.importorskip("sklearn")
    sizes = {problem.name: problem.load()[0].shape for problem in accuracy.PROBLEMS}
    assert sizes["iris"] == (150, 4)
    assert sizes["diabetes"] == (442, 10)
    y = next(p for p in accuracy.PROBLEMS if p.name == "97 to 3").load()[1]
    assert 0.95 < (y == 0).mean() < 0.98
    assert len(accuracy.PROBLEMS) == 7
