"""Number expressions for the source: what several of them share is computed once."""

from __future__ import annotations

import ast


class Expressions:
    """Rewrites expressions over a common set of local names.

    ``assignments`` are the lines that come first; ``rewritten`` maps each expression to its new
    text.
    """

    def __init__(self, sources: list[str], fresh) -> None:
        self._fresh = fresh
        self._names: dict[str, str] = {}
        self.assignments: list[str] = []
        trees = [ast.parse(source, mode="eval").body for source in sources]
        self._counts: dict[str, int] = {}
        for tree in trees:
            self._count(tree)
        self.rewritten = {
            source: ast.unparse(self._rewrite(tree)) for source, tree in zip(sources, trees)
        }

    def _count(self, tree) -> None:
        text = ast.unparse(tree)
        self._counts[text] = self._counts.get(text, 0) + 1
        if self._counts[text] == 1 and not isinstance(tree, ast.Subscript):
            for child in ast.iter_child_nodes(tree):
                if isinstance(child, ast.expr):
                    self._count(child)

    def _rewrite(self, tree):
        text = ast.unparse(tree)
        if text in self._names:
            return ast.Name(self._names[text])
        if isinstance(tree, ast.BinOp):
            tree = ast.BinOp(self._rewrite(tree.left), tree.op, self._rewrite(tree.right))
        elif isinstance(tree, ast.UnaryOp):
            tree = ast.UnaryOp(tree.op, self._rewrite(tree.operand))
        shared = isinstance(tree, (ast.BinOp, ast.Subscript)) and self._counts.get(text, 0) > 1
        if not shared:
            return tree
        name = self._names[text] = self._fresh(_wish(tree))
        self.assignments.append(f"{name} = {ast.unparse(tree)}")
        return ast.Name(name)


def _wish(tree) -> str:
    """Return a name for a shared number: after its key where it is an entry."""
    if isinstance(tree, ast.Subscript):
        inner = tree.value
        if isinstance(inner, ast.Subscript) and isinstance(inner.slice, ast.Constant):
            place = tree.slice.value if isinstance(tree.slice, ast.Constant) else 0
            return f"{str(inner.slice.value).removesuffix('s')}{int(str(place)) + 1}"
        if isinstance(tree.slice, ast.Constant):
            return str(tree.slice.value)
    return "number"
