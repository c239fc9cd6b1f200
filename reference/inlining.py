"""A step's body, written where the step is used: its parameters become what stands there, its locals stay apart.

Steps are plain functions, some statements and one `return`; whatever they read beyond numpy is noted down, so that it
can be written at the top of the file. What only complex numbers, deeper networks or maxout need is simplified away.
"""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from reference.regularisers import Names
from reference.simplifying import Facts, replaced, simplified

Step = Callable[..., Any]
Argument = ast.expr | Mapping[str, ast.expr]  # a mapping stands for a Layer: its fields' names to what they are here


@dataclass(frozen=True)
class Page:
    """Where a step is written.

    taken : names that mean something here, which no local of a step may take.
    found : what the steps read from their modules, by the name it has in the file; writing adds to it.
    """

    facts: Facts
    taken: frozenset[str]
    found: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """A step in its place: what comes before, and the value."""

    statements: list[ast.stmt]
    value: ast.expr


def expression(text: str) -> ast.expr:
    """Parse one expression."""
    return ast.parse(text, mode="eval").body


def literal(names: Names) -> ast.expr:
    """Give the names as they would be typed."""
    return expression(repr(tuple(tuple(pair) for pair in names)))


def write(page: Page, step: Step, arguments: Sequence[Argument], target: str | None = None) -> Written:
    """Write a step's body; a local that holds its value is called `target`, if that stands for nothing it reads.

    Raises ValueError on a step that is no plain function with one return at its end.
    """
    definition = plain(step)
    names = [argument.arg for argument in definition.args.args]
    given = dict(zip(names, arguments, strict=True))
    body = definition.body
    env, before = dict[str, Argument](), list[ast.stmt]()
    for argument in definition.args.args:
        name, value = argument.arg, given[argument.arg]
        if isinstance(value, ast.expr) and _needs_a_name(argument, value, body):
            local = _free(name.lstrip("_"), page.taken, env)
            before.append(ast.Assign([ast.Name(local, ast.Store())], value, lineno=1))
            env[name] = ast.Name(local, ast.Load())
        else:
            env[name] = value
    # Locals that are apart from each other stay so: the names already given are in env.
    for name in sorted(set(_stored(body)) - set(names)):
        env[name] = ast.Name(_free(name, page.taken | _read(given.values()), env), ast.Load())
    _note_globals(page, step, body, env)
    statements = simplified(page.facts, [replaced(statement, env) for statement in body])
    written = _without_a_last_local([*before, *statements])
    return _called(written, target, given, env)


def plain(step: Step) -> ast.FunctionDef:
    """Parse a step anew, without docstring and annotations of its locals."""
    definition = ast.parse(_source(step)).body[0]
    returns = [node for node in ast.walk(definition) if isinstance(node, ast.Return)]
    if not isinstance(definition, ast.FunctionDef) or returns != definition.body[-1:]:
        raise ValueError(f"{step.__qualname__} cannot be written out: expected a def with one return, at its end")
    body = definition.body[1:] if ast.get_docstring(definition) is not None else definition.body
    definition.body = [
        ast.Assign([node.target], node.value, lineno=1) if isinstance(node, ast.AnnAssign) and node.value else node
        for node in body
    ]
    return definition


def reads(step: Step, position: int) -> bool:
    """Tell whether a step reads its argument at this position."""
    definition = plain(step)
    name = definition.args.args[position].arg
    return any(isinstance(node, ast.Name) and node.id == name for node in _walk(definition.body))


def changes(step: Step, position: int) -> bool:
    """Tell whether a step changes the array that it is given at this position."""
    definition = plain(step)
    argument = definition.args.args[position]
    for node in _walk(definition.body):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if _is_in_place(node) else []
        for target in targets:
            root = target
            while isinstance(root, ast.Subscript):
                root = root.value
            if isinstance(root, ast.Name) and root.id == argument.arg and (root is not target or _is_in_place(node)):
                return True
    return False


@lru_cache(maxsize=1024)
def _source(step: Step) -> str:
    return textwrap.dedent(inspect.getsource(step))


def _is_in_place(node: ast.AST) -> bool:
    return isinstance(node, ast.AugAssign)


def _walk(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    for statement in body:
        yield from ast.walk(statement)


def _stored(body: Sequence[ast.AST]) -> list[str]:
    return [node.id for node in _walk(body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _read(arguments: Any) -> frozenset[str]:
    parts = [part for given in arguments for part in (given.values() if isinstance(given, Mapping) else [given])]
    return frozenset(node.id for node in _walk(parts) if isinstance(node, ast.Name))


def _needs_a_name(argument: ast.arg, value: ast.expr, body: Sequence[ast.AST]) -> bool:
    # An array may be changed in place under the name that it has here, as the step changes what it is given; any other
    # value that the step assigns to is the step's own.
    own = isinstance(argument.annotation, ast.Name) and argument.annotation.id == "Array"
    kept = {id(node.target) for node in _walk(body) if own and isinstance(node, ast.AugAssign)}
    seen = [node for node in _walk(body) if isinstance(node, ast.Name) and node.id == argument.arg]
    if any(isinstance(node.ctx, ast.Store) and id(node) not in kept for node in seen):
        return True
    is_short = isinstance(value, ast.Name | ast.Constant | ast.Attribute | ast.Subscript | ast.Tuple | ast.Lambda)
    return bool(seen) and not is_short and (len(seen) > 1 or len(body) > 1)


def _free(name: str, taken: frozenset[str], env: Mapping[str, Argument]) -> str:
    taken |= {value.id for value in env.values() if isinstance(value, ast.Name)}
    candidates = [name, *(f"{name}{number}" for number in range(2, 99))]
    return next(candidate for candidate in candidates if candidate not in taken)


def _note_globals(page: Page, step: Step, body: Sequence[ast.AST], env: dict[str, Argument]) -> None:
    for node in _walk(body):
        if not isinstance(node, ast.Name) or node.id in env:
            continue
        name, scope = node.id, step.__globals__
        if name in scope and scope[name] is not np:
            env[name] = _noted(page, name, scope[name])
        elif name not in scope and not hasattr(builtins, name):
            raise ValueError(f"{step.__qualname__} reads {name}, which is neither its own nor its module's")


def _noted(page: Page, name: str, value: Any) -> ast.expr:
    if isinstance(value, types.FunctionType) and value.__module__.split(".")[0] == "reference":
        definition = plain(value)
        if len(definition.body) == 1 and not value.__defaults__ and not _uses_globals(value, definition):
            # Short enough to be written where it is called.
            result = definition.body[0]
            assert isinstance(result, ast.Return)
            assert result.value is not None
            return ast.Lambda(definition.args, result.value)
    elif not isinstance(value, int | float | str | tuple):
        raise ValueError(f"{name} cannot be written out: it is a {type(value).__name__}, not a function or a number")
    kept = page.found
    while kept.setdefault(name, value) is not value:
        name += "_"
    return ast.Name(name, ast.Load())


def _uses_globals(function: types.FunctionType, definition: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Name) and node.id in function.__globals__ for node in _walk(definition.body))


def _without_a_last_local(statements: list[ast.stmt]) -> Written:
    *before, last = statements
    assert isinstance(last, ast.Return)
    value = last.value or ast.Constant(None)
    if before and isinstance(before[-1], ast.Assign) and isinstance(value, ast.Name):
        target = before[-1].targets[0]
        if isinstance(target, ast.Name) and target.id == value.id:
            return Written(before[:-1], before[-1].value)
    return Written(before, value)


def _called(written: Written, target: str | None, given: Mapping[str, Argument], env: Mapping[str, Argument]) -> Written:
    value = written.value
    own = {value.id for name, value in env.items() if isinstance(value, ast.Name) and value is not given.get(name)}
    if target is None or not isinstance(value, ast.Name) or value.id not in own or target in _read(given.values()):
        return written
    rename: dict[str, Argument] = {value.id: ast.Name(target, ast.Load())}
    return Written([replaced(statement, rename) for statement in written.statements], ast.Name(target, ast.Load()))


def helpers(facts: Facts, found: Mapping[str, Any]) -> list[ast.stmt]:
    """Write what the steps read from their modules, and what that reads itself: numbers first, each once."""
    page, done = Page(facts, frozenset(), dict(found)), dict[str, ast.stmt]()
    while left := [name for name in page.found if name not in done]:
        for name in left:
            value = page.found[name]
            if isinstance(value, types.FunctionType):
                done[name] = _helper(page, name, value)
            else:
                done[name] = ast.Assign([ast.Name(name, ast.Store())], expression(repr(value)), lineno=1)
    return sorted((copy.deepcopy(node) for node in done.values()), key=lambda node: isinstance(node, ast.FunctionDef))


def _helper(page: Page, name: str, function: types.FunctionType) -> ast.stmt:
    definition = plain(function)
    names = [argument.arg for argument in definition.args.args]
    env: dict[str, Argument] = {local: ast.Name(local, ast.Load()) for local in {*names, *_stored(definition.body)}}
    _note_globals(page, function, definition.body, env)
    body = simplified(page.facts, [replaced(statement, env) for statement in definition.body])
    written = _without_a_last_local(body)
    arguments = ", ".join(names)
    made = ast.parse(f"def {name}({arguments}):\n    pass").body[0]
    assert isinstance(made, ast.FunctionDef)
    made.body = [*written.statements, ast.Return(written.value)]
    return made
