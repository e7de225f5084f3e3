"""Large graphs stay readable: repetitions and what is far away are drawn as one vertex."""

import aino
from aino import nn
from tests.drawing.reading import read
from tests.drawing.transformer import Transformer


def leaf(*values):
    return aino.tensor(list(values), requires_grad=True)


def test_a_run_of_one_operation():
    x = z = leaf(1.0)
    for _ in range(7):
        z = aino.sin(z)
    y = z * x
    last, z = z.item(), None
    found = read(aino.draw(y))
    assert found.titles() == ["x", "sin × 7  sin x", "mul  y = v₇ · x"]
    assert found.pairs() == [("sin × 7  sin x", "mul  y = v₇ · x"), ("x", "mul  y = v₇ · x"),
                             ("x", "sin × 7  sin x")]  # fmt: skip
    assert found.vertex("sin × 7  sin x")[-1] == f"[{last:.4g}]"


def test_four_are_not_yet_too_many():
    x = leaf(1.0)
    y = x.sin().sin().sin().sin().exp()
    assert sines(aino.draw(y)) == 4
    assert "sin × 4  sin x" in read(aino.draw(y, repeat=3)).titles()
    long = y.sin().sin().sin().sin().sin().exp()
    assert sines(aino.draw(long, repeat=None)) == 9


def sines(drawing):
    return len([title for title in read(drawing).titles() if title.startswith("sin  ")])


def test_a_loop_of_several_operations():
    x = z = leaf(1.0, 2.0)
    for _ in range(20):
        z = aino.sin(z) * 1.5 + x
    y = z.sum()
    del z
    found = read(aino.draw(y))
    (rest,) = [lines for lines in found.labels.values() if "×" in lines[0]]
    assert rest[0] == "(sin → mul → add) × 19"
    assert len([title for title in found.titles() if title.startswith("sin  ")]) == 1
    assert len(found.labels) == 6


def test_what_is_used_from_elsewhere_ends_a_run():
    z = leaf(1.0)
    kept = []
    for _ in range(12):
        z = aino.sin(z)
        kept.append(z)
    y = z * kept[5]
    del kept, z
    found = read(aino.draw(y))
    assert [title for title in found.titles() if "×" in title] == [
        "sin × 6  sin x", "sin × 6  sin x"
    ]  # fmt: skip


def test_what_the_caller_has_a_name_for_is_shown():
    z = leaf(1.0)
    for _ in range(5):
        z = aino.sin(z)
    middle = z
    for _ in range(5):
        z = aino.sin(z)
    found = read(aino.draw(z.exp(), names={"middle": middle}))
    assert any("middle" in lines[0] for lines in found.labels.values())


def test_repeated_boxes():
    model, tokens = Transformer(layers=12), aino.arange(6).reshape(1, 6)
    found = read(aino.draw(model, tokens, depth=1))
    (folded,) = [lines for lines in found.labels.values() if "blocks" in lines[0]]
    assert folded[:2] == ["Block × 12  blocks.0 … blocks.11", "39,360 parameters"]
    assert folded[2].startswith("(1, 6, 16) float32, norm ")
    found = read(aino.draw(model, tokens, depth=9))
    rest = "Block × 11  blocks.1 … blocks.11"
    assert found.vertex(rest)[1:3] == ["each like blocks.0", "36,080 parameters"]
    assert "blocks.0.attention.query.weight" in found.titles()
    assert not any(title.startswith("blocks.2") for title in found.titles())
    assert (rest, "layer_norm") in found.pairs()
    assert [tail[:3] for tail, head in found.pairs() if head == rest] == ["add"]
    assert len(read(aino.draw(model, tokens, repeat=None, depth=1)).labels) == 19


def test_blocks_that_differ_are_not_repeated():
    model = nn.Sequential(*(nn.Sequential(nn.Linear(i, i + 1), nn.Tanh()) for i in range(1, 9)))
    found = read(aino.draw(model, aino.ones(1, 1), depth=1))
    assert [str(i) for i in range(8)] == [title[0] for title in found.titles()[1:]]


def test_only_so_many_operations():
    z = leaf(1.0)
    for i in range(100):
        z = z * float(i + 1) if i % 7 else aino.sin(z)
    found = read(aino.draw(z, limit=10))
    assert found.vertex("… 90 earlier operations")
    assert len(found.labels) == 11


def test_a_million_operations_later():
    z = leaf(1.0)
    for _ in range(12_000):
        z = aino.sin(z)
    found = read(aino.draw(z.exp(), names={}))
    assert found.titles()[0] == "… earlier operations"
    assert len(found.labels) < 5
    cut = read(aino.draw(z.exp(), limit=3, repeat=None))
    assert cut.titles()[0] == "… more than 9,997 earlier operations"


def test_long_texts_are_shortened():
    x = leaf(1.0)
    source = aino.draw(x * 2.0, names={"a" * 500: x}).source
    assert "a" * 43 + "…" in source
    assert "a" * 45 not in source


def test_many_inputs():
    leaves = [leaf(float(i)) for i in range(1000)]
    found = read(aino.draw(aino.cat(leaves), limit=20))
    assert "… 980 more inputs" in found.titles()
    assert len(found.labels) == 22


def test_like_operations_side_by_side_are_no_repetition():
    x = leaf(1.0, 2.0)
    parts = [x * float(i + 2) for i in range(3000)]
    y = aino.stack(parts).sum()
    del parts
    found = read(aino.draw(y, limit=10))
    assert "×" not in "".join(found.titles())
    assert found.vertex("… 2,992 earlier operations")
