"""Follows a student's expressions: what each value is made of, through names, dicts, tuples and loops."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from grader.submission.definitions import Function
from grader.submission.operations import SIZES, arithmetic, compared, picked
from grader.submission.traces import NOTHING, Key, Names, Unsure, Value, Walk, holding, joined, made, whole

# Of a loop over these few values each pass is followed by itself.
_MOST_PASSES = 8
_LONGEST_NAME = 40
_OPERATIONS: Mapping[type[ast.operator], str] = {
    ast.Mult: "times",
    ast.MatMult: "dot",
    ast.Div: "over",
    ast.Add: "plus",
    ast.Sub: "plus",
}
_LARGEST_KEY = 1_000


def evaluate(walk: Walk, names: Names, node: ast.expr | None) -> Value:
    """Give what is known of an expression's value.

    Raises Unsure where the walk has reached its limit.
    """
    if node is None:
        return NOTHING
    walk.spend()
    walk.depth -= 1
    if walk.depth < 0:
        raise Unsure
    reader = _READERS.get(type(node))
    result = reader(walk, names, node) if reader else NOTHING
    walk.depth += 1
    return result


def operated(walk: Walk, op: ast.operator, first: Value, second: Value) -> Value:
    """Give the result of an operator."""
    return arithmetic(walk, _OPERATIONS.get(type(op), ""), first, second)


def apart(walk: Walk, names: Names, node: ast.expr) -> Value:
    """Evaluate what stands on a line of its own inside a statement as a statement of its own."""
    before = walk.now
    if node.lineno == walk.events[before].line:
        return evaluate(walk, names, node)
    walk.begin(walk.events[before].segment, node.lineno)
    result = evaluate(walk, names, node)
    walk.now = before
    return result


def _spelt(op: ast.operator, first: Value, second: Value) -> Value | None:
    """Put a parameter's name together, as in `"W" + str(i)` and `"W%d" % i`."""
    if len(first.keys) != 1 or len(second.keys) != 1 or not isinstance(first.keys[0], str):
        return None
    begin, end = first.keys[0], str(second.keys[0])
    if len(begin) + len(end) > _LONGEST_NAME:
        return None
    if isinstance(op, ast.Mod) and begin.count("%") == 1 and begin[-2:] in {"%d", "%s", "%i"}:
        return Value(keys=(begin[:-2] + end,))
    return Value(keys=(begin + end,)) if isinstance(op, ast.Add) else None


def items(walk: Walk, names: Names, node: ast.expr) -> list[Value]:
    """Give what a loop over an expression meets: every element where they are known, else one that stands for all."""
    name, arguments = "", []
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        arguments = [part for part in node.args if not isinstance(part, ast.Starred)]
    if name in {"zip", "enumerate"} and arguments:
        columns = [items(walk, names, part) for part in arguments[:8]]
        rows = min(len(column) for column in columns)
        before = (NOTHING,) if name == "enumerate" else ()
        return [
            Value(parts=dict(enumerate((*before, *(column[row] for column in columns if row < len(column))))))
            for row in range(rows)
        ]
    limits = [part.value for part in arguments if isinstance(part, ast.Constant) and isinstance(part.value, int)]
    if name in {"range", "xrange"} and 0 < len(limits) == len(arguments) < 3:
        numbers = range(*limits)[: _MOST_PASSES + 1]
        return [Value(keys=(number,)) for number in numbers] if 0 < len(numbers) <= _MOST_PASSES else [NOTHING]
    if name in {"items", "values", "keys"} and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        held = evaluate(walk, names, node.func.value)
    else:
        held = evaluate(walk, names, node)
    if held.parts is None or not 0 < len(held.parts) <= _MOST_PASSES:
        return [Value(held.marks, held.trail, held.last, held.main, held.penalty)] if held.parts is None else [NOTHING]
    if name == "items":
        return [Value(parts={0: Value(keys=(key,)), 1: part}) for key, part in held.parts.items()]
    is_dict = all(isinstance(key, str) for key in held.parts)
    if is_dict and name != "values":
        return [Value(keys=(key,)) for key in held.parts]
    return list(held.parts.values())


def bind(walk: Walk, names: Names, target: ast.expr, given: Value) -> None:
    """Give names, or what is inside a tuple of names, their values; other targets are left alone."""
    if isinstance(target, ast.Name):
        names[target.id] = given
    elif isinstance(target, (ast.Tuple, ast.List)):
        for part, value in zip(target.elts, unpacked(walk, given, target.elts), strict=True):
            bind(walk, names, part, value)


def unpacked(walk: Walk, given: Value, targets: list[ast.expr]) -> list[Value]:
    """Give the values that a tuple of targets gets."""
    if given.parts is None:
        return [given] * len(targets)
    star = next((index for index, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    if star is None:
        return [given.parts.get(index, NOTHING) for index in range(len(targets))]
    values = list(given.parts.values())
    end = len(values) - (len(targets) - star - 1)
    found = [*values[:star], holding(walk, dict(enumerate(values[star:end]))), *values[max(end, 0) :]]
    return found if len(found) == len(targets) else [NOTHING] * len(targets)


def _constant(_walk: Walk, _names: Names, node: ast.Constant) -> Value:
    key = node.value
    # A number of a million digits, written 0xfff..., takes Python seconds to spell, or is refused.
    if isinstance(key, str) or (isinstance(key, int) and abs(key) <= _LARGEST_KEY):
        return Value(keys=(key,))
    return NOTHING


def _name(_walk: Walk, names: Names, node: ast.Name) -> Value:
    return names.get(node.id, NOTHING)


def _operator(walk: Walk, names: Names, node: ast.BinOp) -> Value:
    first, second = evaluate(walk, names, node.left), evaluate(walk, names, node.right)
    return _spelt(node.op, first, second) or operated(walk, node.op, first, second)


def _comparison(walk: Walk, names: Names, node: ast.Compare) -> Value:
    return compared(walk, [whole(walk, evaluate(walk, names, part)) for part in (node.left, *node.comparators)])


def _sequence(walk: Walk, names: Names, node: ast.Tuple | ast.List | ast.Set) -> Value:
    return holding(walk, {index: evaluate(walk, names, part) for index, part in enumerate(node.elts)})


def _lambda(walk: Walk, names: Names, node: ast.Lambda) -> Value:
    return Value(code=Function(walk.events[walk.now].segment, node), around=names)


def _named(walk: Walk, names: Names, node: ast.NamedExpr) -> Value:
    names[node.target.id] = evaluate(walk, names, node.value)
    return names[node.target.id]


def _inner(walk: Walk, names: Names, node: ast.Starred | ast.FormattedValue) -> Value:
    return evaluate(walk, names, node.value)


def _mixed(walk: Walk, names: Names, node: ast.expr) -> Value:
    parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    return made(walk, *(whole(walk, evaluate(walk, names, part)) for part in parts))


def _text(walk: Walk, names: Names, node: ast.JoinedStr) -> Value:
    keys = [evaluate(walk, names, part).keys for part in node.values]
    spelt = "".join(str(found[0]) for found in keys if found)
    return Value(keys=(spelt,)) if len(spelt) <= _LONGEST_NAME and all(len(found) == 1 for found in keys) else NOTHING


def _call(walk: Walk, names: Names, node: ast.Call) -> Value:
    return walk.call(walk, names, node)


def _attribute(walk: Walk, names: Names, node: ast.Attribute) -> Value:
    if node.attr in SIZES:
        return NOTHING
    owner = evaluate(walk, names, node.value)
    if "self" not in owner.marks:
        return owner
    own = walk.known.methods.get(node.attr)
    if own and own.is_property and walk.calls:
        return walk.run(walk, own, [owner], {})
    return walk.attributes.get(node.attr, NOTHING)


def _subscript(walk: Walk, names: Names, node: ast.Subscript) -> Value:
    held, index = evaluate(walk, names, node.value), evaluate(walk, names, node.slice)
    if held.parts is not None and index.keys:
        found = [held.parts[key] for key in index.keys if key in held.parts]
        if found:
            result = found[0]
            for other in found[1:]:
                result = joined(walk, result, other)
            return result
        return Value(frozenset({"other"})) if "params" in held.marks else NOTHING
    held, index = whole(walk, held), whole(walk, index)
    picked(walk, held, index)
    if walk.method == "train" and held.marks & {"X", "y", "drawn"}:
        return made(walk, held, index)
    # A row of the scores is where the scores were computed; what y picks out is computed here.
    return made(walk, held, index) if index.marks - held.marks else held


def _dict(walk: Walk, names: Names, node: ast.Dict) -> Value:
    parts: dict[Key, Value] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        part = apart(walk, names, value)
        if key is None:
            parts |= part.parts or {}
        else:
            parts |= dict.fromkeys(evaluate(walk, names, key).keys or ("*",), part)
    return holding(walk, parts)


def _elements(walk: Walk, names: Names, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
    return _comprehension(walk, dict(names), node.generators, (None, node.elt))


def _entries(walk: Walk, names: Names, node: ast.DictComp) -> Value:
    return _comprehension(walk, dict(names), node.generators, (node.key, node.value))


def _comprehension(
    walk: Walk, names: Names, generators: list[ast.comprehension], element: tuple[ast.expr | None, ast.expr]
) -> Value:
    first = items(walk, names, generators[0].iter)
    parts: dict[Key, Value] = {}
    for number, item in enumerate(first):
        bind(walk, names, generators[0].target, item)
        for inner in generators[1:]:
            bind(walk, names, inner.target, items(walk, names, inner.iter)[0])
        keys = evaluate(walk, names, element[0]).keys if element[0] else (number,)
        parts |= dict.fromkeys(keys, evaluate(walk, names, element[1]))
    if len(first) == 1 and not element[0]:
        return whole(walk, holding(walk, parts))
    return holding(walk, parts)


_READERS: Mapping[type[ast.expr], Callable[[Walk, Names, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BinOp: _operator,
    ast.Compare: _comparison,
    ast.Call: _call,
    ast.Tuple: _sequence,
    ast.List: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dict,
    ast.ListComp: _elements,
    ast.SetComp: _elements,
    ast.GeneratorExp: _elements,
    ast.DictComp: _entries,
    ast.Lambda: _lambda,
    ast.NamedExpr: _named,
    ast.Starred: _inner,
    ast.FormattedValue: _inner,
    ast.JoinedStr: _text,
    ast.BoolOp: _mixed,
    ast.UnaryOp: _mixed,
    ast.IfExp: _mixed,
    ast.Slice: _mixed,
}
