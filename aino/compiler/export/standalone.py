"""What a saved program needs besides NumPy: statements of AINO's own source, cut out of its files.

A program calls functions that NumPy does not have: random draws, loops in blocks, kernels that
NumPy's dispatch can't see into. Their source is written into the saved file, with the statements
that they need, and those that these need, and nothing else.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import symtable
import sys
from types import ModuleType
from typing import Any

import numpy as np

from aino.compiler.tracing import trace
from aino.errors import CompileError
from aino.ops.random import generator as draws
from aino.ops.random.generator import seeded


def generator_at(state):
    """Return NumPy's generator in a given state."""
    bits = np.random.PCG64()
    bits.state = state
    return np.random.Generator(bits)


def manual_seed(generator, seed):
    """Start NumPy's generator anew."""
    generator.bit_generator.state = seeded(seed).bit_generator.state


def array_of(name, given, dtype, shape, batch, told, copied):
    """Return an argument as an array; raises ``ValueError`` for another dtype or shape.

    -1 in ``shape`` stands for ``batch``; ``told`` is the shape in words.
    """
    array = given
    if not isinstance(array, np.ndarray):
        array = np.asarray(given, dtype)
    expected = tuple(batch if length == -1 else length for length in shape)
    if array.dtype != dtype or array.shape != expected:
        raise ValueError(
            f"{name}: expected {dtype} of shape {told}, got {array.dtype} of shape {array.shape}"
        )
    if array.flags.c_contiguous:
        return array
    if not copied:
        raise ValueError(f"{name} is written in place, and has to lie row by row (C order)")
    return np.asarray(array, order="C")


#: What calls with AINO's generators become where there are only NumPy's.
_STAND_INS = {draws.draw: draws.drawn, trace.manual_seed: manual_seed}

#: Where the engine begins: what needs these needs AINO.
_ENGINE = tuple(
    f"aino.autograd.{name}" for name in (
        "tensor", "node", "walk", "engine", "declared", "calling", "primitive", "callpath",
    )
)  # fmt: skip


class Statement:
    """A statement at the top of a module: its source, and the global names that it uses."""

    def __init__(self, node: ast.stmt, source: str) -> None:
        self.node = node
        self._source = source
        plain = ast.parse(ast.unparse(_without_annotations(node)))
        table = symtable.symtable(ast.unparse(plain), "<statement>", "exec")
        self.bound = {s.get_name() for s in table.get_symbols() if s.is_assigned()}
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self.bound = {(item.asname or item.name.split(".")[0]) for item in node.names}
        self.used = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
        inner = list(table.get_children())
        while inner:
            scope = inner.pop()
            self.used |= {s.get_name() for s in scope.get_symbols() if s.is_global()}
            inner += scope.get_children()

    def text(self, aliases: set[str]) -> str:
        """Return the source; names of modules that are no longer there are left out."""
        lines = self._source.splitlines()
        first, last = self.node.lineno, self.node.end_lineno
        kept = {
            (n.lineno, n.col_offset, (n.value.end_col_offset or 0) + 1)
            for n in ast.walk(self.node)
            if isinstance(n, ast.Attribute)
            and isinstance(n.value, ast.Name)
            and n.value.id in aliases
        }
        for line, start, stop in sorted(kept, reverse=True):
            raw = lines[line - 1].encode()
            lines[line - 1] = (raw[:start] + raw[stop:]).decode()
        decorators = [
            f"@{ast.get_source_segment(self._source, d)}"
            for d in getattr(self.node, "decorator_list", [])
        ]
        return "\n".join([*decorators, *lines[first - 1 : last]])

    def attributes(self, alias: str) -> set[str]:
        """Return the attributes of a module that the statement asks for."""
        return {
            n.attr
            for n in ast.walk(self.node)
            if isinstance(n, ast.Attribute)
            and isinstance(n.value, ast.Name)
            and n.value.id == alias
        }


def _without_annotations(node: ast.stmt) -> ast.stmt:
    """Return a statement as it runs where annotations are not evaluated."""

    class Plain(ast.NodeTransformer):
        def visit_arg(self, node):
            node.annotation = None
            return node

        def visit_FunctionDef(self, node):
            node.returns = None
            return self.generic_visit(node)

        def visit_AnnAssign(self, node):
            value = node.value or ast.Constant(None)
            return self.generic_visit(ast.Assign([node.target], value, lineno=node.lineno))

    copied = ast.parse(ast.unparse(node)).body[0]
    return ast.fix_missing_locations(Plain().visit(copied))


@functools.cache
def _statements(module: str) -> dict[str, Statement]:
    """Return the statements of a module by the names that they bind."""
    source = inspect.getsource(sys.modules[module])
    found: dict[str, Statement] = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Expr):
            _drop_own_decorators(module, node)
            statement = Statement(node, source)
            found.update(dict.fromkeys(statement.bound, statement))
    return found


class Bundle:
    """Source that is collected for one file: ``text`` holds it, ``imports`` what it imports."""

    def __init__(self) -> None:
        self.imports: dict[str, None] = {}
        self._parts: dict[Statement, str] = {}
        #: Functions made inside of others, by the names of what stands for them.
        self._inner: dict[Any, str] = {}
        #: Which module each name is from.
        self.names: dict[str, str] = {}

    @property
    def text(self) -> str:
        """The collected statements, each after what it needs."""
        text = ""
        for part in self._parts.values():
            apart = part.startswith(("def ", "class ", "@"))
            text += f"\n\n{part}\n\n" if apart else f"{part}\n"
        return re.sub("\n{4,}", "\n\n\n", text)

    def add(self, item: Any) -> str:
        """Take in a function, or another global of AINO's; return its name in the file.

        Raises ``CompileError`` for what NumPy alone does not have.
        """
        item = inspect.unwrap(_STAND_INS.get(item, item)) if callable(item) else item
        place = _place_of(item)
        if place is None and inspect.isfunction(item) and item.__module__.startswith("aino."):
            return self._add_inner(item)
        if place is None:
            raise CompileError(f"the program uses {item!r}, which NumPy alone does not have")
        return self._add(*place)

    def _add(self, module: str, name: str) -> str:
        statement = _statements(module).get(name)
        if statement is None or module in _ENGINE:
            raise CompileError(f"the program uses {module}.{name}, which NumPy alone does not have")
        if isinstance(statement.node, (ast.Import, ast.ImportFrom)):
            return self._import(module, name, statement.node)
        if statement in self._parts:
            return name
        self._refuse_imports(statement.node)
        for bound in statement.bound:
            if self.names.setdefault(bound, module) != module:
                raise CompileError(
                    f"the program uses {bound} of {module} and of {self.names[bound]}, which "
                    "can't stand in one file"
                )
        self._parts[statement] = ""  # it may need itself
        aliases = self._add_used(module, statement)
        del self._parts[statement]  # after what it needs
        self._parts[statement] = statement.text(aliases)
        return name

    def _add_used(self, module: str, statement: Statement) -> set[str]:
        """Take in what a statement uses; return the names of AINO's modules among that."""
        known = _statements(module)
        aliases = set()
        for used in sorted(statement.used - statement.bound):
            if used not in known:
                continue
            value = vars(sys.modules[module]).get(used)
            if isinstance(value, ModuleType) and value.__name__.startswith("aino"):
                aliases.add(used)
                for attribute in sorted(statement.attributes(used)):
                    self._add(value.__name__, attribute)
            else:
                self._add(module, used)
        return aliases

    def _add_inner(self, function: Any) -> str:
        """Take in a function that was made inside of another one, with what it closes over."""
        if function in self._inner:
            return self._inner[function]
        node = _inner_node(function)
        self._refuse_imports(node)
        free = dict(zip(function.__code__.co_freevars,
                        [cell.cell_contents for cell in function.__closure__ or ()]))  # fmt: skip
        given = {name: self._value(value) for name, value in free.items()}
        if isinstance(node, ast.Lambda):
            made: ast.stmt = ast.Return(node)
            kept = []
        else:
            made = ast.Return(ast.Name(node.name, ast.Load()))
            kept = [node]
        number = len(self._inner) + 1
        arguments = ast.arguments([], [ast.arg(name) for name in free], None, [], [], None, [])
        outer = ast.FunctionDef(f"_make{number}", arguments, [*kept, made], [], lineno=1)
        source = ast.unparse(ast.fix_missing_locations(outer))
        statement = Statement(ast.parse(source).body[0], source)
        aliases = self._add_used(function.__module__, statement)
        name = self._inner[function] = f"_made{number}"
        call = f"{name} = _make{number}({', '.join(given.values())})"
        self._parts[statement] = f"{statement.text(aliases)}\n\n\n{call}"
        return name

    def _value(self, value: Any) -> str:
        """Return what a function closes over as source."""
        if isinstance(value, (bool, int, float, str, tuple, type(None))):
            return repr(value)
        return self.add(value)

    def _refuse_imports(self, node: ast.AST) -> None:
        """Raise for what a function imports when it is called, beyond Python and NumPy."""
        for inner in ast.walk(node):
            names = []
            if isinstance(inner, ast.Import):
                names = [item.name for item in inner.names]
            elif isinstance(inner, ast.ImportFrom):
                names = [inner.module or ""]
            for name in names:
                if name.split(".")[0] not in {"numpy", *sys.stdlib_module_names}:
                    raise CompileError(f"the program uses {name}, which NumPy alone does not have")

    def _import(self, module: str, name: str, node: ast.Import | ast.ImportFrom) -> str:
        (item,) = [i for i in node.names if (i.asname or i.name.split(".")[0]) == name]
        source = getattr(node, "module", None)
        if source and source.startswith("aino"):
            found = self._add(source, item.name)
            if found != name:
                raise CompileError(
                    f"the program uses {source}.{found} as {name}, which NumPy alone does not have"
                )
            return found
        renamed = f" as {item.asname}" if item.asname else ""
        beginning = f"from {source} import" if source else "import"
        self.imports.setdefault(f"{beginning} {item.name}{renamed}")
        return name


def _names_in(node: ast.AST) -> list[str]:
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]


def _drop_own_decorators(module: str, node: ast.AST) -> None:
    """Take AINO's decorators off a function: they only say how a trace takes it."""
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef)):
            inner.decorator_list = [d for d in inner.decorator_list if not _is_own(module, d)]


def _is_own(module: str, decorator: ast.expr) -> bool:
    value = vars(sys.modules[module]).get(_names_in(decorator)[0])
    origin = getattr(value, "__module__", None) or getattr(value, "__name__", "")
    return str(origin).startswith("aino")


def _inner_node(function: Any) -> Any:
    """Return the node of a function that was made inside of another one, without decorators."""
    code = function.__code__
    source = inspect.getsource(sys.modules[function.__module__])
    #: Where an instruction of it stands; what begins and ends a function stands nowhere.
    places = [(p[0] or 0, p[2] or 0) for p in code.co_positions() if p[3]]
    line, column = places[-1] if places else (code.co_firstlineno, 0)
    found = None
    for node in ast.walk(ast.parse(source)):
        if code.co_name == "<lambda>":
            fits = isinstance(node, ast.Lambda) and (
                (node.lineno, node.col_offset) <= (line, column)
                and (line, column) <= (node.end_lineno, node.end_col_offset)
            )
        else:
            fits = (
                isinstance(node, ast.FunctionDef)
                and node.name == code.co_name
                and (
                    min([node.lineno, *(d.lineno for d in node.decorator_list)])
                    == code.co_firstlineno
                )
            )
        if fits:
            found = node  # the innermost comes last
    if found is None:
        raise CompileError(f"the program uses {function!r}, whose source can't be read")
    _drop_own_decorators(function.__module__, found)
    return found


def _place_of(item: Any) -> tuple[str, str] | None:
    """Return the module and the name of a global of AINO's."""
    module, name = getattr(item, "__module__", None), getattr(item, "__qualname__", "")
    if module in sys.modules and module.startswith("aino"):
        if name in vars(sys.modules[module]):
            return module, name
    for module, known in list(sys.modules.items()):
        if module.startswith("aino.") and known is not None:
            for name, value in vars(known).items():
                if value is item and name in _own_names(module):
                    return module, name
    return None


def _own_names(module: str) -> set[str]:
    """Return the names that a module gives to what it makes itself."""
    return {
        name
        for name, statement in _statements(module).items()
        if not isinstance(statement.node, (ast.Import, ast.ImportFrom))
    }
