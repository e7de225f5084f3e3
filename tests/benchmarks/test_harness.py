"""The measuring itself: fair turns, honest ratios, and models that do the same mathematics."""

import itertools
import json
import os
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from benchmarks import peers, report
from benchmarks.by_hand import numpy_step
from benchmarks.harness import Case, Contender, Result, check_agreement, measure, quartiles
from benchmarks.neighbours import Neighbours
from benchmarks.networks import Network


def result(**seconds):
    return Result("family", "a < case", "step", "seconds", seconds, {"peer": 2.0}, ["a note"])


def test_ratios_are_taken_turn_by_turn():
    found = result(AINO=[1.0, 2.0, 4.0], peer=[3.0, 6.0, 4.0])
    assert found.ratios("peer") == (2.0, 3.0, 3.0)
    assert found.verdict("peer") == "reached, wanted 2"
    assert result(AINO=[1.0], peer=[1.9]).verdict("peer") == "MISSED, wanted 2"
    assert found.verdict("AINO") == ""
    assert quartiles([5.0]) == (5.0, 5.0, 5.0)


def test_every_contender_has_its_turn_in_every_round(monkeypatch):
    monkeypatch.setattr(Neighbours, "share", lambda self: 0.0)
    calls = []
    contenders = [
        Contender("first", lambda: calls.append("first") or 1.0),
        Contender("second", lambda: calls.append("second") or 1.0, finish=lambda r: None),
    ]
    case = Case("family", "name", lambda: contenders, calls_before_check=3, work=2)
    found = measure(case, rounds=4, seconds=1e-4)
    assert {name: len(times) for name, times in found.seconds.items()} == {"first": 4, "second": 4}
    assert found.notes == []
    assert calls[:6] == ["first"] * 3 + ["second"] * 3
    assert all(time > 0 for times in found.seconds.values() for time in times)


def test_the_quietest_rounds_are_counted(monkeypatch):
    shares = itertools.cycle([0.0, 0.9, 0.0, 0.01])  # asked before and after each round
    monkeypatch.setattr(Neighbours, "share", lambda self: next(shares))
    case = Case("family", "name", lambda: [Turn("only")], calls_before_check=0)
    found = measure(case, rounds=6, seconds=1e-4, patience=60.0)
    assert [round(time * 1e6) for time in found.seconds["only"]] == [2, 4, 6, 8, 10, 12]
    assert found.notes == []

    rising = itertools.count(1)
    monkeypatch.setattr(Neighbours, "share", lambda self: 0.2 + 0.01 * next(rising))
    found = measure(case, rounds=8, seconds=1e-4)
    assert [round(time * 1e6) for time in found.seconds["only"]] == [1, 2, 3, 4, 5]
    (note,) = found.notes
    assert note == (
        "others used the machine: up to 30% of it in the 5 quietest of 8 rounds, which are counted"
    )


class Turn(Contender):
    """A contender that takes a microsecond longer each time."""

    def __init__(self, name):
        super().__init__(name, lambda: None)
        self.turns = itertools.count()

    def warm(self):
        if not hasattr(self, "begun"):
            self.begun, self.turns = True, itertools.count()

    def timed(self, count):
        return (1 + next(self.turns)) * 1e-6 * count


def test_neighbours_are_seen(monkeypatch):
    cores = os.cpu_count() or 1
    # Seconds of the clock, of all processes, and of this one.
    readings = iter([(0.0, 100.0, 10.0), (2.0, 103.0, 12.0), (2.0, 103.0, 12.0)])
    monkeypatch.setattr(Neighbours, "_read", lambda self: next(readings))
    neighbours = Neighbours()
    assert neighbours.share() == pytest.approx((3.0 - 2.0) / (2.0 * cores))
    assert neighbours.share() == 0.0  # no time has passed
    monkeypatch.undo()
    assert Neighbours().share() >= 0.0  # what the system says, if it says anything


def test_contenders_that_differ_are_noted():
    contenders = [
        Contender("one", lambda: 1.0),
        Contender("same", lambda: np.float32(1.0001)),
        Contender("other", lambda: [2.0], show=lambda value: value[0]),
    ]
    case = Case("family", "name", lambda: contenders)
    (note,) = check_agreement(case, contenders)
    assert note == "other gives 2 after 20 calls, one 1"


def test_figures_and_chart_are_sound(tmp_path):
    results = [result(AINO=[1e-5, 2e-5], PyTorch=[3e-5, 4e-5])]
    report.write_figures(results, peers.environment(), tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["results"][0]["ratios"]["PyTorch"][1] == pytest.approx(2.5)
    assert figures["environment"]["versions"]["numpy"] == np.__version__
    svg = ElementTree.fromstring(report.chart(results, "a & b"))
    assert svg.tag.endswith("svg")
    assert "a < case" in "".join(svg.itertext())
    assert "PyTorch" in report.table(results[0])


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.5e-6, "1.5 µs"), (2.34e-3, "2.34 ms"), (12.0, "12 s")]
)
def test_durations(seconds, text):
    assert report.amount(seconds) == text


def test_sizes():
    assert report.amount(12_300_000.0, "bytes") == "12.3 MB"


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("sizes", [(2, 3, 1), (5, 8, 6, 3)])
def test_the_step_by_hand_is_right(sizes, optimizer):
    """Beside the chain rule written out once more, in float64 and without a buffer."""
    network = Network(sizes, 7, optimizer)
    step = numpy_step(network)
    weights = [[part.astype(float) for part in pair] for pair in network.weights()]
    moments = [[np.zeros((2, *part.shape)) for part in pair] for pair in weights]
    X, y = network.data()
    for t in range(1, 30):
        outputs = [X.astype(float)]
        for i, (W, b) in enumerate(weights):
            z = outputs[-1] @ W.T + b
            outputs.append(np.maximum(z, 0) if i + 1 < len(weights) else z)
        if network.classifies:
            p = np.exp(outputs[-1]) / np.exp(outputs[-1]).sum(1, keepdims=True)
            loss = -np.log(p[range(7), y]).mean()
            g = (p - np.eye(sizes[-1])[y]) / 7
        else:
            loss = ((outputs[-1] - y) ** 2).mean()
            g = 2 * (outputs[-1] - y) / 7
        assert float(step()) == pytest.approx(loss, rel=1e-4)
        for i in reversed(range(len(weights))):
            slopes = [g.T @ outputs[i], g.sum(0)]
            g = (g @ weights[i][0]) * (outputs[i] > 0)
            for part, slope, mv in zip(weights[i], slopes, moments[i]):
                if optimizer == "SGD":
                    part -= network.lr * slope
                    continue
                mv[0] = 0.9 * mv[0] + 0.1 * slope
                mv[1] = 0.999 * mv[1] + 0.001 * slope**2
                m, v = mv[0] / (1 - 0.9**t), mv[1] / (1 - 0.999**t)
                part -= network.lr * m / (np.sqrt(v) + 1e-8)
