"""Random functions that read Python's world, and change it: for the contract's test."""

import random
import sys
import types

HEAD = """
import collections, types
import numpy as np
import aino
GIVEN = aino.ones(2)
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
#: How a function keeps books: where, the statements that do it, and what then shows it. ``{e}`` is
#: a number that is computed, ``{t}`` a tensor. The last changes it between the calls.
BOOKS = [
    ("I{i} = types.SimpleNamespace(k=1)", ["I{i}.k += 1", "I{i}.k = I{i}.k + {e}", "I{i}.k = 7",
     "setattr(I{i}, 'k', I{i}.k + 1)", "vars(I{i})['k'] += 1", "I{i}.new = {e}", "I{i}.new = {t}",
     "I{i}.k = 3 if I{i}.k == 2 else 2", "bump(I{i})"], "vars(I{i})", "I{i}.k = {v}"),
    ("I{i} = types.SimpleNamespace(k=1)", ["I{i}.new = getattr(I{i}, 'new', 0) + 1",
     "I{i}.box = []; I{i}.box.append({e})", "I{i}.size = (len(x), 1)", "I{i}.on = not I{i}.k"],
     "vars(I{i})", "I{i}.new = {v}"),
    ("class J{i}:\n    k = 1\n    def up(self): self.k += 1\n"
     "    def all(self): type(self).k += 1\n    @classmethod\n    def of(cls): cls.k += 2\n"
     "    @property\n    def p(self): return self.k\n"
     "    @p.setter\n    def p(self, v): self.k = v\nI{i} = J{i}()",
     ["I{i}.up()", "I{i}.all()", "J{i}.of()", "I{i}.p = I{i}.p + 1", "J{i}.k = J{i}.k + 1",
      "I{i}.up(); J{i}.of()"], "I{i}.k, J{i}.k, list(vars(I{i}))", "J{i}.k = {v}"),
    ("I{i} = {{'k': 1, 'd': {{'n': 1}}}}", ["I{i}['k'] += 1", "I{i}['k'] = {t}",
     "I{i}['d']['n'] = I{i}['d']['n'] + {e}", "I{i}['new'] = {e}", "I{i}['k'] = 1.5",
     "I{i}.update(k=I{i}['k'] + 1)", "I{i}.setdefault('s', 5)", "I{i}[''.join('k')] += 1",
     "I{i}.pop('new', None)", "I{i}['new'] = I{i}.get('new', 0) + 1",
     "I{i}['k'] += 1; I{i}.pop('d')", "I{i}['k'] += 1; I{i}['new'] = {e}"], "I{i}",
     "I{i}['k'] = {v}"),
    ("I{i} = [1, 2.0]", ["I{i}.append({e})", "I{i}.append({t})", "I{i}[0] += 1", "I{i}.pop()",
     "I{i}.append((1, {e}))", "I{i}.extend([1])", "I{i}[:] = I{i} + [1]", "I{i}.insert(0, 1)",
     "I{i}.append(1); I{i}.append({t})", "l = I{i}; l.append(2)", "I{i}[0] += 1; I{i}.append({e})",
     "I{i}[0] += 1; I{i}.insert(0, 5)", "I{i}[0] += 1; I{i}.pop()"], "I{i}", "I{i}[:1] = [{v}]"),
    ("I{i} = [types.SimpleNamespace(k=1), types.SimpleNamespace(k=2)]",
     ["I{i}[0].k += 1", "for part in I{i}: part.k += 1", "first(I{i}).k = {t}",
      "I{i}[1].k, I{i}[0].k = I{i}[0].k, I{i}[1].k"], "[vars(part) for part in I{i}]",
     "I{i}[0].k = {v}"),
    ("N{i}b = 1", ["global N{i}b; N{i}b += 1", "global N{i}b; N{i}b = {e}",
     "global N{i}b; N{i}b = {t}", "global M{i}b; M{i}b = True", "globals()['N{i}b'] += 1"],
     "N{i}b, globals().get('M{i}b')", "N{i}b = {v}"),
    ("def make{i}b(c):\n    def up():\n        nonlocal c\n        c += 1\n        return c\n"
     "    def put(v):\n        nonlocal c\n        c = v\n    return up, put, lambda: c\n"
     "up{i}, put{i}, show{i} = make{i}b(1)",
     ["up{i}()", "x = x * up{i}()", "put{i}({e})", "put{i}({t})"], "show{i}()", "put{i}({v})"),
    ("def T{i}b(c=[1]): c[0] += 1", ["T{i}b()"], "T{i}b.__defaults__",
     "T{i}b.__defaults__[0][0] = {v}"),
    ("def T{i}b(): T{i}b.calls += 1\nT{i}b.calls = 1", ["T{i}b()", "T{i}b.calls = {e}"],
     "T{i}b.calls", "T{i}b.calls = {v}"),
    ("I{i} = np.array([1.0, 2.0])", ["I{i}[0] += 1", "I{i}[:] = 3"], "I{i}.tolist()",
     "I{i}[0] = {v}"),
    ("I{i} = collections.deque([1], 3)", ["I{i}.append({e})", "I{i}.append({t})", "I{i}.popleft()"],
     "list(I{i})", "I{i}.append({v})"),
    ("I{i} = {{1}}", ["I{i}.add(2)", "I{i}.add({e})"], "sorted(I{i})", "I{i}.add({v})"),
    ("I{i} = collections.Counter()", ["I{i}['a'] += 1", "I{i}.update('ab')"], "dict(I{i})",
     "I{i}['a'] = 2"),
    ("class K{i}(aino.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
     "        self.k, self.h, self.log = 1, aino.zeros(2), []\n    def forward(self, x):\n"
     "        {b}\n        return x + self.h\nI{i} = K{i}()",
     ["self.k += 1", "self.h = self.h * 0.5 + x.detach()", "self.log.append({t})",
      "self.h.mul_(0.5).add_(x.detach())", "self.training = not self.training"],
     "I{i}.k, I{i}.h, I{i}.log, I{i}.training", "I{i}.k = {v}; I{i}.h = aino.ones(2) * {v}"),
    ("module{i}.b = 1\nexec('def up():\\n    global b\\n    b += 1', vars(module{i}))",
     ["module{i}.up()", "module{i}.b += 1", "module{i}.b = {t}"], "module{i}.b",
     "module{i}.b = {v}"),
]  # fmt: skip
EXPRESSIONS = ["1", "2.5", "x.sum().item()", "len(x)", "x.sum().item() * 2 + 1"]
TENSORS = ["x.detach()", "x.sum()", "x * 2", "GIVEN", "x.detach()[:1]"]

COMMON = """
def bump(item):
    item.k += 1

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

    def __init__(self, seed: int, places: int = 4, books: int = 0) -> None:
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
        lines = [chance.choice(form).format(read) for read in reads]
        shows = []
        for i in range(books):
            setup, ways, show, change = chance.choice(BOOKS)
            self.changes.append(change.replace("{i}", str(i)))
            if i >= places:
                module = types.ModuleType(f"contract_module_{i}")
                sys.modules[module.__name__] = names[f"module{i}"] = module
            way = chance.choice(ways).replace("{e}", chance.choice(EXPRESSIONS))
            way = way.replace("{t}", chance.choice(TENSORS)).replace("{i}", str(i))
            source.append(setup.replace("{b}", way).replace("{{", "{").replace("}}", "}")
                          .replace("{i}", str(i)))  # fmt: skip
            keep = f"x = I{i}(x)" if "{b}" in setup else way
            source.append(
                f"def keep{i}(x):\n    {keep.replace('; ', chr(10) + '    ')}\n    return x"
            )
            shows.append(show.replace("{i}", str(i)))
            lines.insert(chance.randrange(len(lines) + 1), f"    x = keep{i}(x)")
        source.append("def step(x):\n" + "\n".join(lines) + "\n    return x")
        source.append("def shown(): return [" + ", ".join(f"({show})" for show in shows) + "]")
        self.text = "\n".join(source)
        exec(compile(self.text, f"<contract {seed}>", "exec"), names)
        self.step, self.shown = names["step"], names["shown"]

    def change(self, place: int, value: str) -> None:
        """Give what is read at a place another value."""
        exec(self.changes[place].replace("{v}", value), self.names)
