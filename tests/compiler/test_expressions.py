"""Number expressions are written with no more parentheses than they need, and mean the same."""

import operator
import random

from aino.compiler.backends.numpy.expressions import Expressions
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.compiler.tracing.trace import Trace

TRACE = Trace()


def fresh_names():
    taken = {}

    def fresh(wish):
        taken[wish] = taken.get(wish, 0) + 1
        return wish if taken[wish] == 1 else f"{wish}_{taken[wish]}"

    return fresh


def value_of(expressions, number, known):
    scope = dict(known)
    for line in expressions.assignments:
        exec(line, scope)
    return eval(expressions.rewritten[number.source], scope)


def test_adams_numbers_are_shared_and_named_after_their_keys():
    lr = SymbolicNumber(TRACE, 0.1, "group0['lr']")
    beta = SymbolicNumber(TRACE, 0.9, "group0['betas'][0]")
    step = SymbolicNumber(TRACE, 3, "group1['step']") + 1
    numbers = [step, lr / (1 - beta**step), 1 - beta, beta]
    expressions = Expressions(numbers, fresh_names())
    assert expressions.assignments == [
        "number = group1['step'] + 1", "beta1 = group0['betas'][0]",
    ]  # fmt: skip
    assert [expressions.rewritten[n.source] for n in numbers] == [
        "number", "group0['lr'] / (1 - beta1 ** number)", "1 - beta1", "beta1",
    ]  # fmt: skip


def test_random_expressions_keep_their_values():
    chance = random.Random(0)
    symbols = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
    for _ in range(500):
        known = {"a": 1.5, "b": 0.75, "c": 2.25}
        pool = [SymbolicNumber(TRACE, value, name) for name, value in known.items()]
        for _ in range(8):
            first = chance.choice(pool)
            second = chance.choice([*pool, 2, -1.5])
            if chance.random() < 0.2:
                pool.append(-first)
                continue
            try:
                made = chance.choice(symbols)(first, second)
            except (OverflowError, ZeroDivisionError):
                continue
            if not isinstance(made.now, complex):
                pool.append(made)
        wanted = pool[-3:]
        expressions = Expressions(wanted, fresh_names())
        for number in wanted:
            assert value_of(expressions, number, known) == number.now, number.source
