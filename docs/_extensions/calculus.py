"""The page of the calculus: every primitive with its formula and its derivatives, as they run.

Nothing on it is written by hand. Formulas and rules are read from the table that the engine
differentiates by, and the curves beside them are computed by it.
"""

import ast
import importlib
import inspect
import pkgutil
import re
from functools import cache
from pathlib import Path

import numpy as np
from reference import FOLDER, write

import aino
import aino.autograd.rules as rules
from aino.autograd.primitive import REGISTRY

#: What parameters are in the pictures.
VALUES = {
    "factor": 2.0, "exponent": 3.0, "slope": 0.1, "alpha": 1.0, "low": -1.0, "high": 1.0,
    "bound": 1.0, "value": 0.0, "beta": 1.0, "threshold": 20.0, "eps": None, "decimals": 0, "n": 1,
}  # fmt: skip
#: Elementwise, and no curves of one variable: what they do is not seen in a picture.
NOT_DRAWN = {"cast", "alias", "nan_to_num", "angle", "conj", "real", "imag"}
#: The rooms of the rules, in the order in which they read well; what is not named comes after.
ORDER = ["elementwise", "exponents", "trigonometry", "activation", "rounding", "compare", "reduce",
         "scan", "matrices", "shape", "join", "index", "fused", "normalization", "pooling",
         "convolution", "attention"]  # fmt: skip
#: What the engine needs for itself.
INNER = {"levels", "duals"}

START = """# The calculus

Everything that AINO differentiates is made of these {count} primitives. Each has a formula and,
for each input, one rule: given `g`, the gradient of the output, the rule returns the gradient of
the input. A rule may read the output, `y`, the inputs by their names, or no more of an input than
its shape; only what it reads is kept in memory until the backward pass. This page is printed from
the table that the engine runs, and the slopes in its pictures are computed by it.

Two examples show how to read it. The gradient of `a` in `mul` is `g * b`: the slope of a · b along
a is b, times what arrives. That of `x` in `exp` is `g * y`: the slope of eˣ is eˣ, its output.
Where a rule is longer than a line, its function stands below.
Sums over what was broadcast, promotion
of dtypes and the conjugates of complex numbers are the engine's work, so they stand in no rule; and
since the rules are ordinary array programs, they are differentiated in their turn for derivatives
of higher order.

In the pictures the function is <span class="function-line">blue</span>, its slope
<span class="slope-line">orange and dashed</span>.
"""


def modules():
    """Return the modules that declare primitives, in their order on the page."""
    names = [found.name for found in pkgutil.iter_modules(rules.__path__)]
    rank = {name: place for place, name in enumerate(ORDER)}
    names.sort(key=lambda name: (rank.get(name, len(rank)), name))
    return [importlib.import_module(f"{rules.__name__}.{name}") for name in names]


@cache
def functions_of(file):
    """Return the source of a file and its functions, by the line where each begins."""
    source = Path(file).read_text(encoding="utf-8")
    found: dict[int, list] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Lambda | ast.FunctionDef):
            line = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            found.setdefault(line, []).append(node)
    return source, found


def text_of(rule):
    """Return how a rule is written: of a lambda what it returns, of a function all of it."""
    code = rule.__code__
    source, found = functions_of(code.co_filename)
    names = code.co_varnames[: code.co_argcount]
    for node in found.get(code.co_firstlineno, []):
        arguments = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
        if tuple(arguments) == tuple(names):
            if isinstance(node, ast.Lambda):
                if node.body.end_lineno == node.body.lineno:
                    return ast.get_source_segment(source, node.body), None
                return ast.unparse(node.body), None
            return f"{node.name}({', '.join(names)})", ast.get_source_segment(source, node)
    raise LookupError(f"the source of {rule} is not where it says")


def derivatives(primitive):
    """Return the lines of a block with one derivative each, and the functions that they name."""
    lines, functions = [], {}
    if primitive.together is not None:
        name, source = text_of(primitive.together)
        return [f"all inputs together: {name}"], {name: source}
    width = max([len(name) for name in primitive.rules], default=0)
    for name, rule in primitive.rules.items():
        text, source = text_of(rule)
        lines.append(f"gradient of {name:<{width}} = {text}")
        if source is not None:
            functions[text] = source
    return lines, functions


def curve(primitive):
    """Return a function of one real variable and its slope at many points, or None."""
    wanted = (
        primitive.jacobian == "diagonal"
        and len(primitive.inputs) == 1
        and not primitive.outputs
        and primitive.name not in NOT_DRAWN
        and all(name in VALUES for name in primitive.parameters)
        and primitive.rules
    )
    if not wanted:
        return None
    # The points lie beside whole numbers, where functions jump.
    x = aino.from_numpy(np.linspace(-4.0, 4.0, 400)).requires_grad_()
    with np.errstate(all="ignore"):
        y = primitive.function(x, *(VALUES[name] for name in primitive.parameters))
        y.backward(aino.ones_like(y))
    return x.numpy(force=True), y.numpy(force=True), x.grad.numpy()


def broken(x, y):
    """Return a curve with gaps where it leaves the picture or jumps."""
    y = np.where(np.isfinite(y) & (np.abs(y) < 30.0), y, np.nan)
    jumps = np.flatnonzero(np.abs(np.diff(y)) > 0.5)
    y = y.copy()
    y[jumps] = np.nan
    return y


def draw(pictures, folder):
    """Draw each function with its slope; one figure serves all of them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    grey = "#8a8a8a"
    settings = {"svg.hashsalt": "aino", "svg.fonttype": "none", "font.size": 8}
    with matplotlib.rc_context(settings):
        figure = plt.figure(figsize=(2.6, 1.9))
        axes = figure.add_axes((0.02, 0.04, 0.96, 0.92))
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set(position="zero", color=grey)
        axes.tick_params(colors=grey, length=2)
        axes.set(xlim=(-4, 4), xticks=[-4, -2, 2, 4])
        (function,) = axes.plot([], [], color="#3584e4", linewidth=1.8)
        (slope,) = axes.plot([], [], color="#e66100", linewidth=1.4, dashes=(4, 2))
        for name, (x, y, dy) in pictures.items():
            y, dy = broken(x, y), broken(x, dy)
            seen = np.concatenate([y, dy])
            seen = seen[np.isfinite(seen)]
            low, high = np.percentile(seen, [3, 97])
            low, high = max(min(low, 0.0), -5.0), min(max(high, 0.0), 5.0)
            margin = 0.08 * (high - low) + 0.1
            axes.set_ylim(low - margin, high + margin)
            function.set_data(x, y)
            slope.set_data(x, dy)
            figure.savefig(
                folder / f"{name}.svg", transparent=True, metadata={"Date": None, "Creator": None}
            )
        plt.close(figure)


def first_line(module):
    return (module.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ").rstrip(".")


def entry(primitive, drawn):
    """Return what the page says of one primitive."""
    name = primitive.name
    lines = [f"### {name}", ""]
    if drawn:
        lines += [f"```{{image}} slopes/{name}.svg", f":alt: {name} and its slope",
                  ":class: slope", "```", ""]  # fmt: skip
    said, functions = derivatives(primitive)
    lines += ["```text", primitive.formula, *said, "```", ""]
    for source in filter(None, functions.values()):
        lines += ["```python", source, "```", ""]
    kept = ", ".join(f"`{n}`" for n in primitive.saved_names) or "nothing"
    last = f"Keeps {kept} for the backward pass." if said else "It has no gradient."
    if inspect.isroutine(getattr(aino, name, None)):
        last += f" In use: {{py:obj}}`aino.{name}`."
    lines += [last, ""]
    return lines


def generate(app):
    folder = FOLDER / "slopes"
    folder.mkdir(parents=True, exist_ok=True)
    sections, pictures, count = [], {}, 0
    for module in modules():
        here = [p for p in REGISTRY.values() if declared_in().get(p.name) == module.__name__]
        if not here or module.__name__.rpartition(".")[2] in INNER:
            continue
        count += len(here)
        sections += [f"## {first_line(module)}", ""]
        for primitive in here:
            found = curve(primitive)
            if found is not None:
                pictures[primitive.name] = found
            sections += entry(primitive, found is not None)
    draw(pictures, folder)
    write(FOLDER / "calculus.md", [START.format(count=count), *sections])


@cache
def declared_in():
    """Return the module of each primitive: the one whose text names it where it is declared."""
    found = {}
    for module in modules():
        source = inspect.getsource(module)
        names = re.findall(r'\bprimitive\(\s*"(\w+)"', source)
        bound = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)
                 and isinstance(node.ctx, ast.Store)}  # fmt: skip
        things = [vars(module).get(name) for name in bound]
        names += [t.primitive.name for t in things if hasattr(t, "primitive")]
        found |= dict.fromkeys(names, module.__name__)
    return found


def setup(app):
    app.connect("builder-inited", generate, priority=600)
    return {"parallel_read_safe": True}
