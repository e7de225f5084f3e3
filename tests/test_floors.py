"""The map of the package: who may import whom.

Every file stands on a floor, and imports only from its own floor and those below, never in a
circle, and never inside a function (optional dependencies excepted). The tests read the source
and import nothing, so that they also hold for a file that cannot be imported.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The longest matching prefix decides.
FLOORS = {
    "aino.__future__": 0,
    "aino.errors": 0,
    "aino.devices": 0,
    "aino.accelerator": 0,
    "aino.allocator": 0,
    "aino.amp": 0,
    "aino.backends": 0,
    "aino.cpu": 0,
    "aino.cuda": 0,
    "aino.hub": 0,
    "aino.jit": 0,
    "aino.mps": 0,
    "aino.multiprocessing": 0,
    "aino.refusals": 0,
    "aino.native": 0,
    "aino.num_threads": 0,
    "aino.coverage": 0,
    "aino.settings": 0,
    "aino.version": 0,
    "aino.when_imported": 0,
    "aino.xpu": 0,
    "aino.dtypes": 0,
    "aino.layouts": 0,
    "aino.structure_version": 0,
    "aino.pytree": 0,
    "aino.threads": 0,
    "aino.tracing": 0,
    "aino.types": 0,
    "aino.user_warnings": 0,
    "aino.autograd.mode": 0,
    "aino.autograd.levels": 0,
    "aino.autograd.duck": 1,
    "aino.autograd.tensor": 1,
    "aino.autograd.node": 1,
    "aino.autograd.memory": 1,
    "aino.autograd.hooks": 1,
    "aino.autograd.packing": 1,
    "aino.autograd.passes": 1,
    "aino.autograd.labels": 1,
    "aino.autograd.gradient_dtype": 1,
    "aino.autograd.walk": 1,
    "aino.autograd.engine": 1,
    "aino.autograd.batched": 2,
    "aino.autograd.dual": 2,
    "aino.autograd.operands": 2,
    "aino.autograd.callpath": 2,
    "aino.autograd.sums": 2,
    "aino.autograd.declared": 2,
    "aino.autograd.calling": 2,
    "aino.autograd.native": 2,
    "aino.autograd.primitive": 2,
    "aino.autograd.rules": 3,
    "aino.autograd.inplace": 3,
    "aino.ops": 4,
    "aino.autograd": 5,
    "aino.distributed": 5,
    "aino.linalg": 5,
    "aino.fft": 5,
    "aino.array_api": 6,
    "aino.legacy": 5,
    "aino.masked": 5,
    "aino.random": 5,
    "aino.testing": 5,
    "aino.type_info": 5,
    "aino.signal": 5,
    "aino.special": 5,
    "aino.distributions": 6,
    "aino.optim": 6,
    "aino.dit": 6,
    "aino.formats": 6,
    "aino.func": 5,
    "aino.func.modules": 6,
    "aino.nn": 6,
    "aino.compiler": 7,
    "aino.debug": 8,
    "aino.profiler": 8,
    "aino.profiler.marks": 0,
    "aino.drawing": 7,
    "aino.explaining": 7,
    "aino.utils": 7,
    "aino.onnx": 8,
    "aino.plot": 9,
    "aino.plot.curves": 7,
    "aino.plot.style": 7,
    "aino.train": 8,
    "aino.estimators": 9,
    "aino.command_line": 10,
    "aino.playground": 9,
    "aino": 10,
}

# Floor 6 has an order of its own: a format and an optimizer know nothing of modules, and AINO's
# format knows nothing of the others.
# (Averages of weights are a module over a module: they are in `optim` because PyTorch's are.)
FORBIDDEN = [
    ("aino.optim", "aino.nn"), ("aino.dit", "aino.nn"), ("aino.optim", "aino.dit"),
    ("aino.dit", "aino.formats"), ("aino.formats", "aino.nn"), ("aino.formats", "aino.optim"),
]  # fmt: skip

# Handed out when they are asked for, and known to checkers of types before that.
LAZY = [("aino.nn", "aino.estimators"), ("aino.estimators", "aino.estimators.scikit_learn")]

REQUIRED = {"numpy", "graphviz", "tqdm"}
OPTIONAL = {
    "IPython", "aino_native", "einops", "cupy", "matplotlib", "mpi4py", "onnx", "onnxruntime",
    "pygraphviz", "safetensors", "scipy", "sklearn", "tensorboard", "threadpoolctl", "torch",
}  # fmt: skip

# Rooms whose classes inherit from those of an optional dependency, which they import at the top.
FACES = {"aino.estimators.scikit_learn": "sklearn"}


@dataclass(frozen=True)
class Import:
    """One import: the module that asks, the module that is asked for, and where it stands."""

    importer: str
    imported: str
    line: int
    inside_function: bool

    def __str__(self):
        return f"{self.importer}, line {self.line}: imports {self.imported}"


def module_name(path, root):
    """Return the dotted name of the file `path` in the tree `root`."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_modules(root):
    """Return {module name: path} for the package `aino` under `root`."""
    return {module_name(path, root): path for path in sorted((root / "aino").rglob("*.py"))}


def read_imports(name, path, modules):
    """List the imports of one file, wherever they stand in it."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = []

    def resolve(node):
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        base = node.module or ""
        if node.level:
            parent = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*parent, base] if base else parent)
        # `from package import module` asks for the module, `from module import name` for the
        # module that defines the name.
        names = [f"{base}.{alias.name}" for alias in node.names]
        return sorted({full if full in modules else base for full in names})

    def visit(node, inside_function):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.extend(
                Import(name, target, node.lineno, inside_function) for target in resolve(node)
            )
        inside_function = inside_function or isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        )
        for child in ast.iter_child_nodes(node):
            visit(child, inside_function)

    visit(ast.parse(path.read_text(encoding="utf-8"), str(path)), False)
    return found


def read_tree(root):
    """Return the modules of a tree, and every import in them."""
    modules = read_modules(root)
    imports = [found for name in modules for found in read_imports(name, modules[name], modules)]
    return modules, imports


def is_inside(module, package):
    return module == package or module.startswith(package + ".")


def floor_of(module, modules):
    """Return the floor of a module; a package's `__init__` stands as high as what it gathers."""
    prefix = max((prefix for prefix in FLOORS if is_inside(module, prefix)), key=len)
    floor = FLOORS[prefix]
    if modules[module].name == "__init__.py" and module != "aino":
        inner = [floor_of(other, modules) for other in modules if other.startswith(module + ".")]
        floor = max([floor, *inner])
    return floor


def unplaced(modules):
    return [
        name
        for name in modules
        if name not in ("aino", "aino.__main__")
        and not any(is_inside(name, prefix) for prefix in FLOORS if prefix != "aino")
    ]


def upward(modules, imports):
    return [
        f"{found} (floor {floor_of(found.importer, modules)} from"
        f" floor {floor_of(found.imported, modules)})"
        for found in imports
        if found.imported in modules
        and (found.importer, found.imported) not in LAZY
        and floor_of(found.imported, modules) > floor_of(found.importer, modules)
    ]


def forbidden(modules, imports):
    return [
        str(found)
        for found in imports
        for importer, imported in FORBIDDEN
        if is_inside(found.importer, importer) and is_inside(found.imported, imported)
        if found.importer != "aino.optim.swa_utils"
    ]


def inside_functions(modules, imports):
    return [
        str(found)
        for found in imports
        if found.inside_function and found.imported.partition(".")[0] not in OPTIONAL
    ]


def circles(modules, imports):
    """Return each circle of modules that import one another, as a readable line."""
    edges = {name: [] for name in modules}
    for found in imports:
        if found.imported in modules and found.imported != found.importer:
            edges[found.importer].append(found.imported)
    seen, found_circles = set(), []

    def walk(name, path):
        if name in path:
            found_circles.append(" -> ".join([*path[path.index(name) :], name]))
        elif name not in seen:
            for target in edges[name]:
                walk(target, [*path, name])
            seen.add(name)

    for name in modules:
        walk(name, [])
    return found_circles


def undeclared(modules, imports):
    return [
        str(found)
        for found in imports
        if (top := found.imported.partition(".")[0]) not in sys.stdlib_module_names
        and top != "aino"
        and not (top in REQUIRED or (top in OPTIONAL and found.inside_function))
        and not (top in FACES.values() and top == FACES.get(face_of(found.importer)))
    ]


def face_of(module):
    """Return the room for an optional dependency that a module belongs to, or None."""
    return next((face for face in FACES if is_inside(module, face)), None)


def strangers(modules, imports):
    """Return who imports a room that needs an optional dependency, and does not need it itself."""
    return [
        str(found)
        for found in imports
        if (face := face_of(found.imported)) not in (None, face_of(found.importer))
        and (found.importer, face) not in LAZY
    ]


CHECKS = [upward, forbidden, inside_functions, circles, undeclared, strangers]


@pytest.fixture(scope="module")
def tree():
    return read_tree(ROOT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_imports_keep_to_their_floor(tree, check):
    assert check(*tree) == []


def test_every_file_has_a_floor(tree):
    assert unplaced(tree[0]) == []


@pytest.mark.parametrize(
    ("check", "path", "source"),
    [
        (upward, "aino/autograd/tensor.py", "from aino.ops import arithmetic"),
        (upward, "aino/autograd/tensor.py", "from ..ops.arithmetic import add"),
        (upward, "aino/nn/modules/linear.py", "import aino.estimators"),
        (upward, "aino/autograd/tensor.py", "if TYPE_CHECKING:\n    from aino import nn"),
        (forbidden, "aino/optim/sgd.py", "from aino.nn.modules.linear import Linear"),
        (inside_functions, "aino/ops/arithmetic.py", "def f():\n    import json"),
        (inside_functions, "aino/ops/arithmetic.py", "def f():\n    from . import other"),
        (circles, "aino/ops/arithmetic.py", "from . import other"),
        (undeclared, "aino/ops/arithmetic.py", "import scipy.special"),
        (undeclared, "aino/ops/arithmetic.py", "import torch"),
        (undeclared, "aino/ops/arithmetic.py", "from sklearn.base import BaseEstimator"),
        (undeclared, "aino/estimators/scikit_learn/base.py", "import torch"),
        (strangers, "aino/ops/arithmetic.py", "from aino.estimators.scikit_learn import base"),
    ],
)
def test_a_planted_error_is_found(tmp_path, check, path, source):
    files = {
        "aino/__init__.py": "from aino.estimators import NeuralNetwork",
        "aino/autograd/tensor.py": "",
        "aino/nn/modules/linear.py": "",
        "aino/estimators.py": "from aino.nn.modules.linear import Linear",
        "aino/optim/sgd.py": "",
        "aino/ops/arithmetic.py": "def f():\n    import pygraphviz",
        "aino/ops/other.py": "from aino.ops import arithmetic",
    }
    packages = {str(Path(name).parent / "__init__.py"): "" for name in files}

    def findings(tree):
        for name, text in tree.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return check(*read_tree(tmp_path))

    assert findings(packages | files) == []
    assert len(findings({path: source})) == 1
