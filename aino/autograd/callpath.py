"""Writes the call path of a primitive: straight-line Python for its arity, forward and back.

The functions it writes do in about a microsecond what a loop over the arguments would do in
two and a half; ``aino.exp.source`` shows one.
"""

from __future__ import annotations

import re

_WORDS = """
    Tensor View new refresh mode tick ndarray wrap annotate constant promote as_floating
    only_floating only_ordered float32 float64 sum_to explain owner kernel Recorded declared
    function write pullback check_raw y t held shared node level like own error inputs saved g
    noted GONE float
    written surplus out isinstance type ValueError TypeError LevelError
    computed quick
"""
#: Names that the written functions use themselves, beside a0, n0, g0, rule_x and their kin: what a
#: primitive calls its inputs and parameters must be others.
RESERVED = frozenset(_WORDS.split())
#: Parameters that may hold arrays.
_ARRAYS = frozenset(("index", "indices", "counts", "weights", "spans"))
NUMBERED = re.compile(r"[ang]\d+|rule_.*")


def check_names(primitive: str, names) -> None:
    """Raise ``TypeError`` for a name that the call path of a primitive could not tell apart."""
    for name in names:
        if name in RESERVED or NUMBERED.fullmatch(name):
            raise TypeError(
                f"primitive {primitive!r}: an input or parameter can't be called {name!r}, which "
                f"its generated call path uses; call it {name}_, for example"
            )


def forward_source(declared, out: bool = False) -> str:
    """Return the source of the function that computes, and records where a gradient is wanted.

    ``out``: whether it can be told what to write the result into. That is given by name, which
    the place before it holds: a function of arguments by name alone takes 5 % longer to call.
    """
    inputs, count = declared.arguments, len(declared.inputs)
    check_names(declared.name, inputs)
    required = len(inputs) + len(declared.parameters) - len(declared.defaults)
    signature = [
        name if position < required else f"{name}=declared.defaults[{position - required}]"
        for position, name in enumerate((*inputs, *declared.parameters))
    ]
    plain = ", ".join((*inputs, *declared.parameters))
    lines = [f"def {declared.name}({', '.join(signature)}):"]
    if out:
        lines = [
            f"def {declared.name}({', '.join((*signature, 'surplus=None', 'out=None'))}):",
            "    if out is not None or surplus is not None:",
            f"        return written(function, ({plain},), surplus, out)",
        ]
    call = ", ".join((*(f"a{i}" for i in range(count)), *declared.parameters))
    if count == 1:
        lines += _unary(inputs[0], declared.parameters, plain, bool(declared.quick))
    elif count == 2 and not declared.optional:
        first, second = inputs
        floating = declared.promotes == "float"
        lines += _binary(first, second, declared.parameters, plain, floating, bool(declared.quick))
    else:
        lines += _several(inputs, declared.parameters, plain, declared.optional)
    lines += _promotion(declared)
    arrays = ", ".join(f"a{i}" for i in range(count))
    parameters = "".join(f"{name}, " for name in declared.parameters)
    lines += [
        "    try:",
        f"        y = kernel({call})",
        "    except LevelError as error:",
        f"        y = computed(declared, error, ({arrays},), ({parameters}))",
        "    except (ValueError, TypeError) as error:",
        f"        raise explain(declared, error, ({arrays},)) from None",
        "    if type(y) is not ndarray: y = wrap(y)",
        "    t = new(Tensor)",
        "    t.array = y",
    ]
    if declared.view:
        # NumPy's base of a view is the owner of the memory, so a copy never has it.
        name = inputs[0]
        lines += [
            "    held = y.base",
            "    shared = held is not None and (",
            "        held is a0 or held is a0.base or owner(y) is owner(a0))",
            f"    t.view_of = View({name}, function, ({parameters})) if shared else None",
        ]
    else:
        lines.append("    t.view_of = None")
    return "\n".join(lines + _recording(declared))


def _raw(inputs, parameters, plain, indent) -> list[str]:
    """Compute with arrays, and record nothing."""
    values = "".join(f"{name}, " for name in inputs)
    settings = "".join(f"{name}, " for name in parameters)
    lines = [
        "try:",
        f"    return kernel({plain})",
        "except LevelError as error:",
        f"    return computed(declared, error, ({values}), ({settings}))",
    ]
    return [" " * indent + line for line in lines]


#: What C makes of it where all is plain: ``aino.autograd.native``.
_QUICK = ("t = quick({0})", "if t is not None: return t")


def _unary(name, parameters, plain, quick) -> list[str]:
    return [
        f"    if not isinstance({name}, Tensor):",
        f"        if {name}.__class__ is not ndarray: check_raw(declared, {name})",
        *_raw((name,), parameters, plain, 8),
        *([f"    {line.format(name)}" for line in _QUICK] if quick else []),
        f"    if {name}.view_of is not None: refresh({name})",
        f"    a0 = {name}.array",
        f"    n0 = {name}.node",
    ]


def _binary(first, second, parameters, plain, floating, quick) -> list[str]:
    """Take arrays and nodes of two arguments; a number becomes an array beside the other.

    ``floating``: beside integers it does not become an integer, as they are about to change.
    """
    raised = "if {0}.dtype is not float32 and {0}.dtype is not float64: {0} = as_floating({0})"
    early = [raised.format("a0"), raised.format("a1")] if floating else ["pass", "pass"]
    asked = [f"        {line.format(f'{first}, {second}')}" for line in _QUICK] if quick else []
    lines = [
        f"    if isinstance({first}, Tensor):",
        *asked,
        f"        if {first}.view_of is not None: refresh({first})",
        f"        a0 = {first}.array",
        f"        n0 = {first}.node",
        f"        if isinstance({second}, Tensor):",
        f"            if {second}.view_of is not None: refresh({second})",
        f"            a1 = {second}.array",
        f"            n1 = {second}.node",
        "        else:",
        f"            {early[0]}",
        f"            a1 = constant({second}, a0)",
        "            n1 = None",
        f"    elif isinstance({second}, Tensor):",
        *asked,
        f"        if {second}.view_of is not None: refresh({second})",
        f"        a1 = {second}.array",
        f"        n1 = {second}.node",
        f"        {early[1]}",
        f"        a0 = constant({first}, a1)",
        "        n0 = None",
        "    else:",
        f"        if {first}.__class__ is not ndarray or {second}.__class__ is not ndarray:",
        f"            check_raw(declared, {first}, {second})",
        *_raw((first, second), parameters, plain, 8),
    ]
    return [line for line in lines if line.strip() != "pass"]


def _several(inputs, parameters, plain, optional) -> list[str]:
    """The same for any number of arguments."""
    given = ", ".join(inputs)
    lines = ["    like = None"]
    for i, name in enumerate(inputs):
        lines += [
            f"    if isinstance({name}, Tensor):",
            f"        if {name}.view_of is not None: refresh({name})",
            f"        like = a{i} = {name}.array",
            f"        n{i} = {name}.node",
            f"    else: a{i} = n{i} = None",
        ]
    lines += [
        "    if like is None:",
        f"        if {inputs[0]}.__class__ is not ndarray: check_raw(declared, {given})",
        *_raw(inputs, parameters, plain, 8),
    ]
    for i, name in enumerate(inputs):
        there = f" and {name} is not None" if name in optional else ""
        lines.append(f"    if a{i} is None{there}: a{i} = constant({name}, like)")
    return lines


_CONVERSIONS = {"float": "as_floating", "floating": "only_floating", "ordered": "only_ordered"}


def _promotion(declared) -> list[str]:
    """Bring the inputs to one dtype; those without a rule (a condition, an index) stay."""
    if declared.promotes is None:
        return []
    names = declared.differentiable or declared.inputs
    indices = [declared.inputs.index(name) for name in names]
    arrays = ", ".join(f"a{i}" for i in indices)
    nodes = ", ".join(f"n{i}" for i in indices)
    first = indices[0]
    floating = declared.promotes in ("float", "floating")
    convert = _CONVERSIONS.get(declared.promotes)
    lines = []
    if len(indices) > 1:
        differ = " or ".join(f"a{first}.dtype is not a{i}.dtype" for i in indices[1:])
        lines += [
            f"    if {differ}:",
            f"        ({arrays}), ({nodes}) = promote(({arrays}), ({nodes}), {floating})",
        ]
    if convert is not None:
        lines += [
            f"    own = a{first}.dtype",
            "    if own is not float32 and own is not float64:",
            *(f"        a{i} = {convert}(a{i})" for i in indices),
        ]
    return lines


def _recording(declared) -> list[str]:
    if not declared.rules:
        return ["    t.node = None", "    return t"]
    positions = {name: i for i, name in enumerate(declared.inputs)}
    edges = [f"n{positions[name]}" for name in declared.differentiable]
    wanted = " or ".join(f"{edge} is not None" for edge in edges)
    saved = "".join(f"{_kept(declared, name, positions, edges)}, " for name in declared.saved_names)
    return [
        f"    if ({wanted}) and (level := mode.level):",
        "        t.node = node = new(Recorded)",
        f"        node.inputs = ({', '.join(edges)},)",
        f"        node.saved = ({saved})",
        *_noting(declared),
        "        node.shape = y.shape",
        "        node.sequence = tick()",
        "        node.extras = None",
        "        if level == 2: annotate(node)",
        "    else:",
        "        t.node = None",
        "    return t",
    ]


def _noting(declared) -> list[str]:
    """Note constants and parameters, as far as the walk frees them or no rule reads them.

    Nothing differentiates with them: they are for drawings, which show what was computed. Two
    tensors that want gradients pay for the question alone.
    """
    parameters = []
    for name in declared.parameters:
        plain = declared.definition is None and name not in _ARRAYS
        parameters.append(name if plain else f"noted({name})")
    if declared.node_class.keeps_arrays is False and set(declared.parameters) <= set(
        declared.saved_names
    ):
        parameters = []
    if not parameters:
        declared.noted_names = declared.inputs
    constants = [_constant(declared, i) for i in range(len(declared.inputs))]
    if parameters:
        return [f"        node.noted = ({', '.join((*constants, *parameters))},)"]
    if len(constants) == 1:
        return []
    if len(constants) == 2 and None not in map(declared.rules.get, declared.inputs):
        # The commonest case: the constant itself, without a tuple around it.
        return [
            f"        if n1 is None: node.noted = {_constant(declared, 1, True)}",
            f"        elif n0 is None: node.noted = {_constant(declared, 0, True)}",
        ]
    missing = " or ".join(f"n{i} is None" for i in range(len(constants)))
    return [f"        if {missing}:", f"            node.noted = ({', '.join(constants)},)"]


def _constant(declared, i: int, missing: bool = False) -> str:
    """Return what is noted of an input: a number, a small array, or what stands for a large one."""
    if len(declared.inputs) == 1 and declared.differentiable:
        return "GONE"  # recorded, so it wants a gradient
    name = declared.arguments[i]
    small = f"a{i}.__class__ is ndarray and a{i}.nbytes < 513 and a{i}.base is None"
    found = f"a{i} if {small} else noted(a{i})"
    if declared.differentiable == declared.inputs:
        found = f"{name} if {name}.__class__ is float else {found}"
    return found if missing else f"GONE if n{i} is not None else {found}"


def _kept(declared, name, positions, edges) -> str:
    """Return what is saved of a value: nothing where none of the rules that read it is wanted."""
    source = _saved(name, positions)
    if declared.definition is not None or (name != "y" and name not in positions):
        return source
    readers = [
        edge for key, edge in zip(declared.differentiable, edges) if name in declared.reads[key]
    ]
    if len(readers) == len(edges):
        return source
    return f"{source} if {' or '.join(f'{edge} is not None' for edge in readers)} else None"


def _saved(name, positions) -> str:
    if name in positions:
        return f"a{positions[name]}"
    if name.endswith("_dtype") and name[:-6] in positions:
        return f"a{positions[name[:-6]]}.dtype"
    return name


def pullback_source(declared) -> str:
    """Return the source of the function that applies the rules of the wanted inputs."""
    names = declared.differentiable
    lines = ["def pullback(inputs, saved, g):"]
    if not names:
        return "\n".join([*lines, "    return ()"])
    edges = "".join(f"n{i}, " for i in range(len(names)))
    lines.append(f"    {edges}= inputs")
    if declared.saved_names:
        lines.append(f"    {''.join(f'{name}, ' for name in declared.saved_names)}= saved")
    if declared.together is not None:
        wanted = "".join(f"n{i} is not None, " for i in range(len(names)))
        given = ", ".join((f"({wanted})", "g", *declared.reads[names[0]]))
        slopes = "".join(f"g{i}, " for i in range(len(names)))
        masked = "".join(f"None if n{i} is None else g{i}, " for i in range(len(names)))
        lines += [f"    {slopes}= rule_together({given})", f"    return ({masked})"]
        return "\n".join(lines)
    for i, name in enumerate(names):
        arguments = ["g"]
        for read in declared.reads[name]:
            owner = read.removesuffix("_shape")
            by_edge = read not in declared.saved_names and owner in names
            arguments.append(f"n{names.index(owner)}.shape" if by_edge else read)
        lines += [
            f"    if n{i} is None: g{i} = None",
            "    else:",
            f"        g{i} = rule_{name}({', '.join(arguments)})",
        ]
        if declared.broadcasts:
            lines.append(f"        if g{i}.shape != n{i}.shape: g{i} = sum_to(g{i}, n{i}.shape)")
    results = "".join(f"g{i}, " for i in range(len(names)))
    return "\n".join([*lines, f"    return ({results})"])
