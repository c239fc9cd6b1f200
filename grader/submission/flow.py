"""Follows a student's method from statement to statement, and into the functions that it calls."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grader.submission.calls import call
from grader.submission.definitions import Definitions, Function
from grader.submission.expressions import bind, evaluate, items, operated
from grader.submission.targets import store
from grader.submission.traces import PARAMETERS, Guard, Names, Note, Unsure, Value, Walk, joined, whole

# What the methods are given, in the order of the assignment's interface: students may name it otherwise.
_GIVEN = {
    "loss": ("self", "X", "y", "reg"),
    "train": ("self", "X", "y", "", "", "rate", "decay", "reg", "", "", "verbose"),
    "predict": ("self", "X"),
}
_LAYERS = ("W1", "b1", "W2", "b2")


@dataclass
class _Frame:
    """One call of a function: its names, and what it has returned at which event."""

    function: Function
    names: Names
    returned: list[tuple[int, Value]] = field(default_factory=list)


def followed(known: Definitions, method: str, names: Sequence[str]) -> Walk | None:
    """Walk through a method; None where the class has none, or where it is too long or too deep to be sure."""
    if method not in known.methods:
        return None
    walk = Walk(known, method, dict(zip(names, _LAYERS, strict=True)), call, _run)
    parameters = {name: Value(frozenset({mark})) for name, mark in walk.names.items()}
    walk.attributes["params"] = Value(frozenset({"params"}), parts=parameters)
    given = [Value(frozenset({mark}) if mark else frozenset()) for mark in _GIVEN[method]]
    function = known.methods[method]
    frame = _Frame(function, _arguments(function.node, given), walk.returned)
    try:
        _body(walk, frame)
    except (Unsure, RecursionError):
        return None
    return walk


def _run(walk: Walk, function: Function, given: Sequence[Value], names: Names) -> Value:
    """Follow a call of the student's own function; what it returns is what any of its returns gives.

    `names` hold the arguments given by name, and what a function inside a function sees of its surroundings; they
    are left as the function leaves them, so that what it puts into a dict is not lost.
    """
    before = walk.now, walk.guards, walk.depth, walk.caller
    walk.guards, walk.caller = list(walk.guards), walk.now
    walk.calls -= 1
    names |= _arguments(function.node, given)
    frame = _Frame(function, names)
    _body(walk, frame)
    walk.calls += 1
    walk.now, walk.guards, walk.depth, walk.caller = before
    result: Value | None = None
    for _, value in frame.returned:
        result = joined(walk, result, value) if result else value
    return result or Value()


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, given: Sequence[Value]) -> Names:
    own = [part.arg for part in (*node.args.posonlyargs, *node.args.args)]
    names = dict(zip(own, given, strict=False))
    if node.args.vararg:
        names[node.args.vararg.arg] = Value(parts=dict(enumerate(given[len(own) :])))
    return names


def _body(walk: Walk, frame: _Frame) -> None:
    node = frame.function.node
    if isinstance(node, ast.Lambda):
        walk.begin(frame.function.segment, node.lineno)
        frame.returned.append((walk.now, evaluate(walk, frame.names, node.body)))
    else:
        _block(walk, frame, node.body)


def _block(walk: Walk, frame: _Frame, body: Iterable[ast.stmt]) -> bool:
    """Follow some statements; say whether what stands after them is reached."""
    walk.depth -= 1
    if walk.depth < 0:
        raise Unsure
    reached = True
    for node in body:
        walk.spend()
        walk.begin(frame.function.segment, node.lineno)
        follow = _STATEMENTS.get(type(node))
        if follow and not follow(walk, frame, node):
            reached = False
            break
    walk.depth += 1
    return reached


def _guarded(walk: Walk, frame: _Frame, guard: Guard, body: Iterable[ast.stmt]) -> bool:
    walk.guards.append(guard)
    reached = _block(walk, frame, body)
    walk.guards.pop()
    return reached


def _assignment(walk: Walk, frame: _Frame, node: ast.Assign | ast.AnnAssign) -> bool:
    if node.value is not None:
        given = evaluate(walk, frame.names, node.value)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            _put(walk, frame, target, given)
    return True


def _augmentation(walk: Walk, frame: _Frame, node: ast.AugAssign) -> bool:
    held = evaluate(walk, frame.names, node.target)
    result = operated(walk, node.op, held, evaluate(walk, frame.names, node.value))
    # `W1 -= rate * dW1` changes the parameter itself, since W1 is another name for params["W1"].
    parameter = next((name for name, mark in walk.names.items() if held.marks == {mark}), None)
    if walk.method == "train" and parameter and isinstance(node.target, ast.Name):
        walk.note("update", result, key=parameter)
    if result.marks & {"loss", "labels"}:
        walk.note("kept", result)
    _put(walk, frame, node.target, result)
    return True


def _put(walk: Walk, frame: _Frame, target: ast.expr, given: Value) -> None:
    """Put a value somewhere; inside `if hidden[i, j] > 0:` that is what the ReLU or its mask does."""
    for guard in walk.guards:
        if guard.is_loop or "test" not in guard.test.marks:
            continue
        if "dh" in given.marks:
            walk.notes.append(Note("mask", guard.event))
            given = replace(given, trail=given.trail | 1 << guard.event)
        elif not given.marks & PARAMETERS and isinstance(target, ast.Subscript):
            held = whole(walk, evaluate(walk, frame.names, target.value))
            if "X" in held.marks and not held.marks & {"W2", "exp"}:
                walk.note("activation")
    store(walk, frame.names, target, given)


def _return(walk: Walk, frame: _Frame, node: ast.Return) -> bool:
    frame.returned.append((walk.now, evaluate(walk, frame.names, node.value)))
    return False


def _leave(_walk: Walk, _frame: _Frame, _node: ast.Raise | ast.Break | ast.Continue) -> bool:
    return False


def _if(walk: Walk, frame: _Frame, node: ast.If) -> bool:
    guard = Guard(walk.now, is_loop=False, test=whole(walk, evaluate(walk, frame.names, node.test)))
    names, attributes, count = dict(frame.names), dict(walk.attributes), len(frame.returned)
    is_reached = _guarded(walk, frame, guard, node.body)
    if frame.returned is walk.returned and len(frame.returned) > count and _asks_for_none(node.test, guard.test):
        event, value = frame.returned[count]
        walk.notes.append(Note("returned scores", event, (value,)))
    first = dict(frame.names), dict(walk.attributes)
    _exchange(frame.names, names)
    _exchange(walk.attributes, attributes)
    is_other_reached = _guarded(walk, frame, guard, node.orelse)
    for held, after in ((frame.names, first[0]), (walk.attributes, first[1])):
        if is_reached and is_other_reached:
            _merge(walk, held, after)
        elif is_reached:
            _exchange(held, after)
    return is_reached or is_other_reached


def _exchange(held: Names, other: Names) -> None:
    # The dict stays the same: functions inside the function hold it too.
    held.clear()
    held.update(other)


def _merge(walk: Walk, held: Names, other: Names) -> None:
    for name, value in other.items():
        held[name] = joined(walk, value, held[name]) if name in held else value


def _asks_for_none(test: ast.expr, value: Value) -> bool:
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], (ast.Is, ast.Eq)):
        return False
    sides = (test.left, *test.comparators)
    return value.marks == {"y"} and any(isinstance(part, ast.Constant) and part.value is None for part in sides)


def _for(walk: Walk, frame: _Frame, node: ast.For | ast.AsyncFor) -> bool:
    guard = Guard(walk.now, is_loop=True)
    for item in items(walk, frame.names, node.iter):
        bind(walk, frame.names, node.target, item)
        _guarded(walk, frame, guard, node.body)
    return _block(walk, frame, node.orelse)


def _while(walk: Walk, frame: _Frame, node: ast.While) -> bool:
    guard = Guard(walk.now, is_loop=True, test=evaluate(walk, frame.names, node.test))
    _guarded(walk, frame, guard, node.body)
    return _block(walk, frame, node.orelse)


def _with(walk: Walk, frame: _Frame, node: ast.With) -> bool:
    for manager in node.items:
        given = evaluate(walk, frame.names, manager.context_expr)
        if manager.optional_vars is not None:
            bind(walk, frame.names, manager.optional_vars, given)
    return _block(walk, frame, node.body)


def _try(walk: Walk, frame: _Frame, node: ast.Try) -> bool:
    reached = _block(walk, frame, [*node.body, *node.orelse])
    # What a handler does is done instead, and what the rest of the method uses comes from the body.
    names = dict(frame.names)
    for handler in node.handlers:
        _block(walk, frame, handler.body)
        _exchange(frame.names, names)
    return _block(walk, frame, node.finalbody) and reached


def _definition(_walk: Walk, frame: _Frame, node: ast.FunctionDef) -> bool:
    frame.names[node.name] = Value(code=Function(frame.function.segment, node), around=frame.names)
    return True


def _expression(walk: Walk, frame: _Frame, node: ast.Expr) -> bool:
    evaluate(walk, frame.names, node.value)
    return True


_STATEMENTS: Mapping[type[ast.stmt], Callable[[Walk, _Frame, Any], bool]] = {
    ast.Assign: _assignment,
    ast.AnnAssign: _assignment,
    ast.AugAssign: _augmentation,
    ast.Return: _return,
    ast.Raise: _leave,
    ast.Break: _leave,
    ast.Continue: _leave,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.Try: _try,
    ast.FunctionDef: _definition,
    ast.Expr: _expression,
}
