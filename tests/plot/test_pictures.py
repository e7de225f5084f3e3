"""What holds of every picture: where it is drawn, in which style, and what it leaves alone."""

import copy
import random
import sys

import numpy as np
import pytest

import aino
from aino.errors import MissingExtraError

mpl = pytest.importorskip("matplotlib")
from matplotlib import pyplot  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

plot = aino.plot

#: name -> (how many panels, what draws it, the model that it asks).
PICTURES = {
    "classes": (1, lambda m, **w: plot.decision_boundary(m.module, m.X, m.t, resolution=9, **w)),
    "numbers": (1, lambda m, **w: plot.decision_boundary(
        m.numbers, m.X, m.wave, resolution=9, **w)),
    "loss": (1, lambda m, **w: plot.loss_surface(
        m.module, "cross_entropy", (m.X, m.t), resolution=3, **w)),
    "way": (1, lambda m, **w: plot.loss_surface(
        m.small, "mse", (m.X, m.wave), trajectory=m.way, resolution=3, **w)),
    "weights": (2, lambda m, **w: plot.weights(m.module, ["first.*"], **w)),
    "matrices": (1, lambda m, **w: plot.weights(m.module, "last.weight", view="matrices", **w)),
    "activations": (2, lambda m, **w: plot.activations(m.module, m.X, ["first", "norm"], **w)),
    "gradients": (1, lambda m, **w: plot.gradients(m.seen, "0.weight", **w)),
    "gradients now": (1, lambda m, **w: plot.gradients(m.module, "first.weight", **w)),
    "confusion": (1, lambda m, **w: plot.confusion_matrix(m.module, m.X, m.t, **w)),
    "attention": (2, lambda m, **w: plot.attention(m.heads, m.words, **w)),
    "history": (1, lambda m, **w: m.history.plot(**w)),
}  # fmt: skip
IN_SPACE = {
    "numbers": lambda m, **w: plot.decision_boundary(
        m.numbers, m.X, m.wave, resolution=5, surface=True, **w),
    "loss": lambda m, **w: plot.loss_surface(
        m.small, "mse", (m.X, m.wave), resolution=3, surface=True, **w),
}  # fmt: skip


def state_of(*models):
    """Everything that a picture must leave alone."""
    return [
        [(m.training, m._hooks) for model in models for m in model.modules()],
        [t.array.tobytes() for model in models for t in [*model.parameters(), *model.buffers()]],
        [None if p.grad is None else p.grad.array.tobytes()
         for model in models for p in model.parameters()],
        [id(b) for model in models for b in model.buffers()],
        aino.get_rng_state().numpy().tobytes(), repr(np.random.get_state()), random.getstate(),
    ]  # fmt: skip


def models_of(made):
    return made.module, made.numbers, made.small, made.heads


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_goes_where_it_is_told_and_leaves_everything_as_it_was(made, name):
    count, draw = PICTURES[name]
    own = Figure()
    axes = own.subplots(1, count, squeeze=False)[0]
    before, settings = state_of(*models_of(made)), copy.deepcopy(dict(mpl.rcParams))
    assert draw(made, ax=axes[0] if count == 1 else axes) is own
    assert state_of(*models_of(made)) == before
    assert dict(mpl.rcParams) == settings
    assert pyplot.get_fignums() == []
    assert all(a.has_data() for a in axes)
    with pytest.raises(ValueError, match=f"has {count} panel"):
        draw(made, ax=[axes[0]] * (count + 1))
    with pytest.raises(TypeError, match="ax is axes"):
        draw(made, ax="here")


@pytest.mark.parametrize("name", ["classes", "weights", "attention"])
def test_a_picture_makes_a_figure_of_its_own(made, name):
    count, draw = PICTURES[name]
    settings = copy.deepcopy(dict(mpl.rcParams))
    figure = draw(made)
    assert isinstance(figure, Figure)
    assert dict(mpl.rcParams) == settings
    assert pyplot.get_fignums() == []
    assert sum(not hasattr(a, "_colorbar") for a in figure.axes) == count


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_wrong_is_said_before_anything_is_drawn(made, name, tmp_path):
    _, draw = PICTURES[name]
    with pytest.raises(ValueError, match=r"written as \.svg, \.pdf or \.png, not as '\.bmp'"):
        draw(made, path=tmp_path / "a.bmp")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        draw(made, path=tmp_path / "none" / "a.svg")
    with pytest.raises(ValueError, match="style is 'light', 'dark' or None, not 'blue'"):
        draw(made, style="blue")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", IN_SPACE)
def test_surfaces_in_space(made, name):
    figure = IN_SPACE[name](made)
    assert hasattr(figure.axes[0], "zaxis")
    with pytest.raises(ValueError, match="axes of three dimensions"):
        IN_SPACE[name](made, ax=Figure().subplots())
    with pytest.raises(ValueError, match="axes of two dimensions"):
        PICTURES[name][1](made, ax=Figure().add_subplot(projection="3d"))


def paper_of(figure):
    return [mpl.colors.to_hex(part.get_facecolor()) for part in (figure, figure.axes[0])]


def test_styles(made):
    draw = PICTURES["history"][1]
    assert paper_of(draw(made, style="light")) == ["#ffffff"] * 2
    assert paper_of(draw(made, style="dark")) == ["#16181b"] * 2
    assert paper_of(draw(made)) == ["#ffffff"] * 2
    light, dark = (draw(made, style=s).axes[0].lines[0].get_color() for s in ("light", "dark"))
    assert light != dark
    with mpl.rc_context({"axes.facecolor": "black", "figure.facecolor": "navy",
                         "axes.labelcolor": "red"}):  # fmt: skip
        figure = draw(made)
    assert paper_of(figure) == ["#000080", "#000000"]
    assert figure.axes[0]._left_title.get_color() == "red"
    assert figure.axes[0].lines[0].get_color() == dark
    axes = Figure().subplots()
    axes.set_facecolor("#222222")
    draw(made, ax=axes)
    assert axes.lines[0].get_color() == dark
    assert mpl.colors.to_hex(axes.get_facecolor()) == "#222222"


@pytest.mark.parametrize("suffix", ["svg", "pdf"])
def test_files_are_the_same_whenever_they_are_written(made, suffix, tmp_path):
    axes = [Figure((2, 2)).subplots() for _ in "ab"]
    for own, name in zip(axes, "ab"):
        PICTURES["classes"][1](made, ax=own, path=tmp_path / f"{name}.{suffix}")
    first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
    assert first == second
    assert first.startswith({"svg": b"<?xml", "pdf": b"%PDF"}[suffix])


def test_a_notebook_shows_it(made):
    figure = PICTURES["weights"][1](made, ax=Figure((2, 2)).subplots(1, 2))
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_without_matplotlib_the_extra_is_named(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for _, draw in PICTURES.values():
        with pytest.raises(MissingExtraError, match=r"pip install 'aino\[plot\]'"):
            draw(made)
