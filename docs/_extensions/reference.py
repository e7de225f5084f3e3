"""The reference: a page for each family of public names, written anew whenever the site is built.

What is public is what ``dir`` shows of a namespace; what a name says is its docstring.
"""

import importlib
import inspect
import re
from pathlib import Path

from docstrings import escaped
from docutils import nodes
from sphinx import addnodes

import aino

FOLDER = Path(__file__).resolve().parent.parent / "reference"

#: The functions of ``aino`` itself, by the rooms that they live in.
FAMILIES = {
    "creation": ("Tensors from data, numbers and ranges", ["aino.ops.creation"]),
    "pointwise": ("Element by element", ["aino.ops.pointwise", "aino.ops.special"]),
    "reduce": ("Sums, means, extremes and scans", ["aino.ops.reduce"]),
    "shape": ("Shapes, joining and copying", ["aino.ops.shape", "aino.ops.tensor"]),
    "indexing": ("Indexing, sorting and scattering", ["aino.ops.index"]),
    "linear-algebra": ("Products and decompositions", ["aino.ops.linalg", "aino.autograd.rules"]),
    "random": ("Random numbers", ["aino.ops.random"]),
    "networks": ("Functions of networks and signals", ["aino.nn", "aino.ops.fft", "aino.ops.win"]),
    "everything-else": ("Saving, drawing, compiling, settings, dtypes", [""]),
}

#: Pages of further namespaces: title, and the namespaces on them.
PAGES = {
    "autograd": ("Derivatives", ["aino.autograd", "aino.autograd.functional",
                                 "aino.autograd.forward_ad", "aino.autograd.graph"]),
    "func": ("Transforms", ["aino.func"]),
    "nn": ("Modules", ["aino.nn"]),
    "nn-functional": ("Functions of networks", ["aino.nn.functional"]),
    "nn-init": ("Initialisation and what helps modules", ["aino.nn.init", "aino.nn.utils",
                                                          "aino.nn.parallel"]),
    "optim": ("Optimizers", ["aino.optim", "aino.optim.lr_scheduler", "aino.optim.swa_utils"]),
    "train": ("Training", ["aino.train", "aino.train.metrics"]),
    "estimators": ("Estimators", ["aino.estimators"]),
    "data": ("Data", ["aino.utils.data", "aino.utils.checkpoint", "aino.utils.tensorboard"]),
    "linalg": ("Linear algebra", ["aino.linalg"]),
    "fft-special": ("Fourier transforms, windows, special functions",
                    ["aino.fft", "aino.signal.windows", "aino.special"]),
    "distributions": ("Distributions", ["aino.distributions", "aino.distributions.constraints",
                                        "aino.distributions.utils"]),
    "compiler": ("The compiler", ["aino.compiler"]),
    "drawing": ("Drawing, explaining, measuring",
                ["aino.drawing", "aino.explaining", "aino.plot", "aino.debug", "aino.profiler"]),
    "files": ("Files and other formats", ["aino.dit", "aino.formats", "aino.formats.safetensors",
                                          "aino.onnx"]),
    "distributed": ("Several processes", ["aino.distributed", "aino.multiprocessing"]),
    "array-api": ("The array standard", ["aino.array_api", "aino.array_api.fft",
                                         "aino.array_api.linalg"]),
    "errors": ("Errors", ["aino.errors"]),
    "besides": ("What programs touch besides",
                ["aino.accelerator", "aino.amp", "aino.backends.cuda", "aino.backends.cudnn",
                 "aino.cuda", "aino.hub", "aino.jit", "aino.masked", "aino.random",
                 "aino.testing"]),
}  # fmt: skip


def public(module):
    """Return the public names of a namespace and what they are, modules aside."""
    found = {name: getattr(module, name) for name in dir(module) if name[0] != "_"}
    return {name: thing for name, thing in found.items() if own(thing)}


def own(thing):
    """Whether a thing is AINO's, or a constant, and not merely imported."""
    if inspect.ismodule(thing):
        return False
    if inspect.isroutine(thing) or isinstance(thing, type):
        return (getattr(inspect.unwrap(thing), "__module__", None) or "").startswith("aino")
    return not callable(thing) or type(thing).__module__.startswith("aino")


def kind(thing):
    if isinstance(thing, type):
        return "exception" if issubclass(thing, BaseException) else "class"
    return "function" if inspect.isroutine(thing) else "data"


def first_sentence(thing):
    """Return what the first sentence of a docstring says, escaped; of a constant, its value."""
    if kind(thing) == "data":
        value = " ".join(repr(thing).split())
        return f"``{value}``" if len(value) < 60 and "object at" not in value else ""
    text = (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")
    sentence = re.match(r"(.*?[.:])(?:\s|$)", text)
    whole = sentence is not None and sentence[1].count("``") % 2 == 0
    return escaped(sentence[1].rstrip(":") if whole else text)


def table(names, space):
    """Return a list of names with what they do, each a link."""
    rows = [".. list-table::", "   :class: summary", "   :widths: 30 70", ""]
    for name, thing in names.items():
        rows += [f"   * - :py:obj:`{name} <{space}.{name}>`", f"     - {first_sentence(thing)}"]
    return [*rows, ""]


#: Where each thing is told of in full: the first place that has it.
HOMES: dict[int, str] = {}


def entry(space, name, thing):
    """Return the directive that prints what a name says; of a second name, whose it is."""
    full = f"{space}.{name}"
    if kind(thing) == "data":
        return [f".. py:data:: {full}", "", f"   {first_sentence(thing)}", ""]
    home = HOMES.setdefault(id(thing), full)
    if home != full:
        return [f".. py:{kind(thing)}:: {full}", "", f"   Another name of :py:obj:`{home}`.", ""]
    lines = [f".. auto{kind(thing)}:: {full}"]
    if kind(thing) == "class":
        lines += ["   :members:", "   :exclude-members: forward"]
    return [*lines, ""]


def heading(text, line):
    return [text, line * (len(text) + 2), ""]


def described(module):
    text = (module.__doc__ or "").partition("\n\n")[0]
    return [*(escaped(line) for line in text.splitlines()), ""]


def namespace(space, level="-"):
    """Return the section of a namespace, or nothing where its extra is missing."""
    try:
        module = importlib.import_module(space)
        names = public(module)
    except ImportError:
        return []
    lines = [*heading(space, level), *described(module), *table(names, space)]
    return lines + [line for name, thing in names.items() for line in entry(space, name, thing)]


def family(title, names):
    lines = [*heading(title, "="), *table(names, "aino")]
    return lines + [line for name, thing in names.items() for line in entry("aino", name, thing)]


def families():
    """Return the names of ``aino`` itself, in their families."""
    rest = public(importlib.import_module("aino"))
    rest.pop("Tensor")
    for page, (title, rooms) in FAMILIES.items():
        here = {
            name: thing for name, thing in rest.items()
            if str(getattr(inspect.unwrap(thing) if callable(thing) else thing, "__module__", ""))
            .startswith(tuple(rooms))
        }  # fmt: skip
        rest = {name: thing for name, thing in rest.items() if name not in here}
        yield page, family(title, here)


def method(name, thing):
    """Return what a method of tensors says; of an operation, where it is told of in full."""
    function = name if hasattr(aino, name) else name.rstrip("_")
    if not inspect.isroutine(getattr(aino, function, None)) or isinstance(thing, type):
        return [f"   .. automethod:: aino.Tensor.{name}", ""]
    first, *rest = inspect.signature(thing).parameters.values()
    del first
    arguments = ", ".join(str(p.replace(annotation=p.empty)) for p in rest)
    said = f"{first_sentence(thing)} More at :py:obj:`aino.{function}`."
    return [f"   .. py:method:: aino.Tensor.{name}({arguments})", "", f"      {said}", ""]


def tensor():
    """Return the page of ``Tensor``: most of its methods are operations."""
    lines = [*heading("Tensor", "="), ".. autoclass:: aino.Tensor", ""]
    for name in dir(aino.Tensor):
        if name[0] == "_":
            continue
        static = inspect.getattr_static(aino.Tensor, name)
        thing = getattr(aino.Tensor, name)
        if inspect.isdatadescriptor(static) or not callable(thing):
            lines += [f"   .. autoattribute:: aino.Tensor.{name}", ""]
        else:
            lines += method(name, thing)
    return lines


INDEX = """
Reference
=========

Every public name, with what its docstring says. Names, arguments and defaults are PyTorch's; the
derivative of each operation is on the page of the :doc:`calculus`.

.. toctree::
   :maxdepth: 1

"""


def write(path, lines):
    """Write a page, if it says something new: Sphinx reads again what has changed."""
    text = "\n".join(lines).rstrip() + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def generate(app):
    FOLDER.mkdir(exist_ok=True)
    HOMES.clear()
    HOMES[id(aino.Tensor)] = "aino.Tensor"
    pages = {"tensor": tensor(), **dict(families())}
    for page, (title, spaces) in PAGES.items():
        sections = [line for space in spaces for line in namespace(space)]
        if sections:
            pages[page] = [*heading(title, "="), *sections]
    pages["index"] = [INDEX.strip(), "", *(f"   {page}" for page in pages)]
    for page, lines in pages.items():
        write(FOLDER / f"{page}.rst", lines)
    for path in FOLDER.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()


#: What stands in signatures and has a page: the others are left as text.
TYPES = {"Tensor": "aino.Tensor", "Module": "aino.nn.Module", "Generator": "aino.Generator",
         "Parameter": "aino.nn.Parameter", "Optimizer": "aino.optim.Optimizer"}  # fmt: skip


def name_types(app, doctree):
    """Links in signatures lead to AINO's own classes; a ``bool`` there is Python's."""
    for signature in doctree.findall(addnodes.desc_signature):
        for node in list(signature.findall(addnodes.pending_xref)):
            target = node["reftarget"].rpartition(".")[2]
            if target in TYPES:
                node["reftarget"] = TYPES[target]
                node.attributes.pop("refspecific", None)
            else:
                node.replace_self(nodes.Text(target))


def setup(app):
    app.connect("doctree-read", name_types)
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True}
