"""Follows what a student's method calls: its own functions, the class's methods, and numpy's by what they mean."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any

from grader.submission.definitions import Function
from grader.submission.expressions import apart, evaluate
from grader.submission.operations import called
from grader.submission.targets import store
from grader.submission.traces import NOTHING, Names, Value, Walk, changed, holding, made, whole

_LIBRARIES = {"np", "numpy", "math", "random", "scipy", "sp", "copy", "time", "special"}
_FILLING = {"update", "append", "extend", "insert", "add", "fill", "put"}
_SELF = Value(frozenset({"self"}))


def call(walk: Walk, names: Names, node: ast.Call) -> Value:
    """Give what is known of a call's result."""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    given = [evaluate(walk, names, part) for part in node.args]
    named = {part.arg or "": apart(walk, names, part.value) for part in node.keywords}
    if name == "dict" and not given:
        return holding(walk, named)
    if not isinstance(function, ast.Attribute):
        local = evaluate(walk, names, function)
        own = local.code or walk.known.functions.get(name)
        if own:
            return _followed(walk, names, node, own, given, named, around=local.around)
        return _spelt_number(name, given) or called(walk, name, [*given, *named.values()])
    if walk.method != "loss" and name in {"loss", "predict"} and name != walk.method:
        return _own_method(walk, name, given, named)
    owner, own = _owned(walk, names, function)
    if own:
        is_bound = own.is_method and not (given and "self" in given[0].marks)
        return _followed(walk, names, node, own, [_SELF, *given] if is_bound else given, named)
    if name in _FILLING and getattr(function.value, "id", "") not in _LIBRARIES:
        return _filled(walk, names, function, owner, given, named)
    return _library(
        walk, names, node, name, [*([] if owner is NOTHING or "self" in owner.marks else [owner]), *given], named
    )


def _library(
    walk: Walk, names: Names, node: ast.Call, name: str, operands: list[Value], named: dict[str, Value]
) -> Value:
    """Give the result of a function that is not the student's own, and put it where it is told to."""
    if name == "get" and len(operands) > 1 and operands[0].parts is not None:
        held, key = operands[:2]
        return held.parts.get(key.keys[0], NOTHING) if held.parts and key.keys else whole(walk, held)
    result = called(walk, name, [*operands, *(value for key, value in named.items() if key != "out")])
    into = [part.value for part in node.keywords if part.arg == "out"] + (node.args[:1] if name == "shuffle" else [])
    for target in into:
        store(walk, names, target, result)
    return result


def _owned(walk: Walk, names: Names, function: ast.Attribute) -> tuple[Value, Function | None]:
    """Give what a method is called on, and the method where it is the class's own or a handed-in module's."""
    name, owner = function.attr, evaluate(walk, names, function.value)
    spelt = function.value.id if isinstance(function.value, ast.Name) else ""
    if "self" in owner.marks or spelt == walk.known.class_name:
        return owner, walk.known.methods.get(name)
    # An object of another class has methods of its own, which are not looked for.
    is_module = spelt and spelt not in names and spelt not in _LIBRARIES
    return owner, walk.known.functions.get(name) if is_module else None


def _spelt_number(name: str, given: list[Value]) -> Value | None:
    return Value(keys=(str(given[0].keys[0])[:40],)) if name == "str" and given and given[0].keys else None


def _followed(
    walk: Walk,
    names: Names,
    node: ast.Call,
    own: Function,
    given: list[Value],
    named: Names,
    around: Names | None = None,
) -> Value:
    """Follow a call of the student's own function, and keep what it puts into dicts and lists that others hold."""
    if not walk.calls:
        return made(walk, *(whole(walk, value) for value in (*given, *named.values()) if "self" not in value.marks))
    left = {**(around or {}), **named}
    result = walk.run(walk, own, given, left)
    for name in (around or {}).keys() - _assigned(own.node):
        (around or {})[name] = left[name]
    parameters = [part.arg for part in own.node.args.args][len(given) - len(node.args) :]
    for name, part in zip(parameters, node.args, strict=False):
        after = left.get(name, NOTHING).parts
        before = names.get(part.id, NOTHING).parts if isinstance(part, ast.Name) else None
        if isinstance(part, ast.Name) and before is not None and after and after.keys() > before.keys():
            names[part.id] = left[name]
    return result


@lru_cache(maxsize=64)
def _assigned(node: ast.AST) -> frozenset[str]:
    """Give the names that are a function's own, since it gives them their values."""
    own = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return frozenset(own | {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)})


def _own_method(walk: Walk, name: str, given: list[Value], named: dict[str, Value]) -> Value:
    """Give what train and predict get from the class's loss and predict, which are followed by themselves."""
    first, second, *_ = (*given, NOTHING, NOTHING)
    walk.note(f"{name} call", named.get("X", first), named.get("y", second))
    result = made(walk, *(whole(walk, value) for value in (*given, *named.values())))
    if name == "predict":
        return Value(result.marks | {"labels"}, result.trail, walk.now, walk.now)
    if walk.method == "predict":
        return Value(frozenset({"X", "W2"}), result.trail | 1 << walk.now, walk.now, walk.now)
    loss = Value(frozenset({"loss"}), result.trail, walk.now, walk.now)
    gradient = Value(frozenset({"gradient"}), result.trail, walk.now, walk.now)
    return Value(parts={0: loss, 1: Value(parts=dict.fromkeys(walk.names, gradient))})


def _filled(
    walk: Walk, names: Names, function: ast.Attribute, owner: Value, given: list[Value], named: dict[str, Value]
) -> Value:
    """Follow what changes a list, dict or array in place: append, update."""
    value = whole(walk, given[-1]) if given else NOTHING
    if function.attr == "update":
        new: dict[Any, Value] = {**named}
        for part in given:
            new |= part.parts or {}
        for key, part in new.items():
            if "params" in owner.marks:
                walk.note("update", part, key=key)
            owner = changed(walk, owner, (key,), part)
        result = owner
    else:
        walk.note("kept", value)
        result = made(walk, whole(walk, owner), value)
    if "params" not in owner.marks:
        store(walk, names, function.value, result)
    return NOTHING
