"""Random functions that read Python's world, and what changes it: for the contract's test."""

import random
import sys
import types

HEAD = """
import collections, types
import numpy as np
import aino
"""

#: How a value is kept, how it is read, and how it is changed: ``{i}`` makes names its own.
KINDS = [
    ("G{i} = {v}", ["G{i}"], "G{i} = {v}"),
    ("D{i} = {{'k': {v}, 'other': 0}}", ["D{i}['k']", "D{i}.get('k', 9)", "D{i}[''.join('k')]",
     "sum(D{i}.values())", "dict(D{i})['k']", "[*D{i}.items()][0][1]"], "D{i}['k'] = {v}"),
    ("L{i} = [0] * 90 + [{v}]", ["L{i}[-1]", "L{i}[90]", "sum(L{i})", "max(L{i}, key=abs)",
     "[n for n in L{i}][90]", "list(reversed(L{i}))[0]"], "L{i}[90] = {v}"),
    ("E{i} = {{'a': [{{'b': ({v},)}}]}}", ["E{i}['a'][0]['b'][0]", "deepest(E{i})"],
     "E{i}['a'][0]['b'] = ({v},)"),
    ("N{i} = types.SimpleNamespace(k={v})", ["N{i}.k", "getattr(N{i}, ''.join('k'))",
     "vars(N{i})['k']", "(lambda n: n.k)(N{i})"], "N{i}.k = {v}"),
    ("class C{i}:\n    k = {v}\n    def m(self): return self.k\n"
     "    def t(self): return type(self).k\n    @property\n    def p(self): return self.k\n"
     "    @classmethod\n    def c(cls): return cls.k\nO{i} = C{i}()",
     ["O{i}.k", "O{i}.m()", "O{i}.t()", "O{i}.p", "O{i}.c()", "C{i}.k", "type(O{i}).k",
      "O{i}.__class__.k", "C{i}.m(O{i})", "(lambda kind: kind.k)(C{i})"], "C{i}.k = {v}"),
    ("class B{i}:\n    def f(self): return {v}\nclass S{i}(B{i}):\n"
     "    def g(self): return super().f()\nQ{i} = S{i}()",
     ["Q{i}.f()", "Q{i}.g()", "S{i}.f(Q{i})"], "B{i}.f = lambda self: {v}"),
    ("class P{i}:\n    __slots__ = ('k',)\n    def m(self): return self.k\n"
     "R{i} = P{i}()\nR{i}.k = {v}", ["R{i}.k", "R{i}.m()", "first([R{i}]).k"], "R{i}.k = {v}"),
    ("A{i} = np.array([0.0, {v}])", ["float(A{i}[1])", "A{i}.sum()", "A{i}.tolist()[1]",
     "sum(n for n in A{i})", "aino.from_numpy(A{i}).sum()", "float((A{i} * 2)[1])"],
     "A{i}[1] = {v}"),
    ("def make{i}(c):\n    def read(): return c['k']\n    return read, c\n"
     "F{i}, W{i} = make{i}({{'k': {v}}})", ["F{i}()", "(lambda f: f())(F{i})"],
     "W{i}['k'] = {v}"),
    ("def make{i}(c):\n    def read(): return c\n    def write(n):\n        nonlocal c\n"
     "        c = n\n    return read, write\nF{i}, W{i} = make{i}({v})", ["F{i}()"], "W{i}({v})"),
    ("def T{i}(c=[{v}]): return c[0]", ["T{i}()"], "T{i}.__defaults__[0][0] = {v}"),
    ("U{i} = collections.UserDict(k={v})", ["U{i}['k']", "U{i}.get('k')", "dict(U{i})['k']"],
     "U{i}['k'] = {v}"),
    ("V{i} = [types.SimpleNamespace(k={v})]", ["sum(part.k for part in V{i})", "V{i}[0].k",
     "first(V{i}).k"], "V{i}[0] = types.SimpleNamespace(k={v})"),
    ("module{i}.k = {v}", ["module{i}.k", "imported{i}()"], "module{i}.k = {v}"),
]  # fmt: skip
COMMON = """
def first(items):
    for item in items:
        return item

def deepest(item):
    while isinstance(item, (dict, list, tuple)):
        item = first(item.values()) if isinstance(item, dict) else item[0]
    return item
"""
VALUES = ["1", "2", "3", "1.0", "2.5", "-1.5", "True"]


class World:
    """One random program: ``step`` reads places, ``change`` gives one of them another value."""

    def __init__(self, seed: int, places: int = 4) -> None:
        self.random = chance = random.Random(seed)
        self.names = names = {"__name__": f"contract_{seed}"}
        source, reads, self.changes = [HEAD, COMMON], [], []
        for i in range(places):
            setup, ways, change = chance.choice(KINDS)
            module = types.ModuleType(f"contract_module_{i}")
            sys.modules[module.__name__] = names[f"module{i}"] = module
            source.append(setup.format(i=i, v=chance.choice(VALUES)))
            source.append(f"def imported{i}():\n    from {module.__name__} import k\n    return k")
            read = chance.choice(ways).format(i=i)
            for depth in range(chance.randrange(8)):
                source.append(f"def helper{i}_{depth}(): return {read}")
                read = f"helper{i}_{depth}()"
            reads.append(read)
            self.changes.append(change.replace("{i}", str(i)))
        form = ["    x = x * {0} + {0}", "    if {0} > 1: x = x * 3", "    y = {0}\n    x = x - y"]
        lines = "\n".join(chance.choice(form).format(read) for read in reads)
        source.append(f"def step(x):\n{lines}\n    return x")
        self.text = "\n".join(source)
        exec(compile(self.text, f"<contract {seed}>", "exec"), names)
        self.step = names["step"]

    def change(self, place: int, value: str) -> None:
        """Give what is read at a place another value."""
        exec(self.changes[place].replace("{v}", value), self.names)
