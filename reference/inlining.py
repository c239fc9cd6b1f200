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
    """Return the names as they would be typed."""
    return expression(repr(tuple(tuple(pair) for pair in names)))


def write(page: Page, step: Step, arguments: Sequence[Argument], target: str | None = None) -> Written:
    """Write a step's body; a local that holds its value is called `target`, if that stands for nothing it reads.

    Raises ValueError on a step that is no plain function with one return at its end.
    """
    anatomy = _anatomy(step)
    env, before = dict[str, Argument](), list[ast.stmt]()
    for parameter, value in zip(anatomy.parameters, arguments, strict=True):
        env[parameter.name] = value
        if isinstance(value, ast.expr) and parameter.needs_a_name(value):
            local = _free(parameter.name.lstrip("_"), page.taken, env)
            before.append(ast.Assign([ast.Name(local, ast.Store())], value, lineno=1))
            env[parameter.name] = ast.Name(local, ast.Load())
    # Locals that are apart from each other stay so: the names already given are in env.
    apart = page.taken | _read(arguments)
    for name in anatomy.stored:
        env[name] = ast.Name(_free(name, apart, env), ast.Load())
    own = frozenset(value.id for value in env.values() if isinstance(value, ast.Name)) - _read(arguments)
    for name in anatomy.elsewhere:
        env[name] = _noted(page, name, step.__globals__[name])
    for name, number in anatomy.numbers:
        env[name] = ast.Constant(number)
    body = [replaced(statement, env, own=True) for statement in plain(step).body]
    written = _without_a_last_local([*before, *simplified(page.facts, body)])
    return written if target is None or target in apart - page.taken else _called(written, target, own)


@dataclass(frozen=True)
class _Parameter:
    name: str
    assigned: bool  # by a statement which, if the parameter is a number, leaves the caller's as it is
    reads: int
    body: int  # statements of the step

    def needs_a_name(self, value: ast.expr) -> bool:
        """Return whether what stands in the parameter's place must be given a name first."""
        is_short = isinstance(value, ast.Name | ast.Constant | ast.Attribute | ast.Subscript | ast.Tuple | ast.Lambda)
        return self.assigned or (self.reads > 0 and not is_short and (self.reads > 1 or self.body > 1))


@dataclass(frozen=True)
class _Anatomy:
    """What a step reads and assigns; elsewhere: names of its module; numbers: those that it was made with, by name."""

    parameters: tuple[_Parameter, ...]
    stored: tuple[str, ...]
    elsewhere: tuple[str, ...]
    numbers: tuple[tuple[str, float], ...]


@lru_cache(maxsize=4096)
def _anatomy(step: Step) -> _Anatomy:
    definition = plain(step)
    body, scope = definition.body, step.__globals__
    # An array may be changed in place under the name that it has here, as the step changes what it is given.
    in_place = {id(node.target) for node in _walk(body) if isinstance(node, ast.AugAssign)}
    seen = [node for node in _walk(body) if isinstance(node, ast.Name)]
    parameters = []
    for argument in definition.args.args:
        is_array = isinstance(argument.annotation, ast.Name) and argument.annotation.id == "Array"
        own = [node for node in seen if node.id == argument.arg]
        assigned = any(isinstance(node.ctx, ast.Store) and not (is_array and id(node) in in_place) for node in own)
        parameters.append(_Parameter(argument.arg, assigned, len(own), len(body)))
    names = {parameter.name for parameter in parameters}
    stored = {node.id for node in seen if isinstance(node.ctx, ast.Store)} - names
    numbers = inspect.getclosurevars(step).nonlocals
    elsewhere = {node.id for node in seen} - names - stored - set(numbers)
    unknown = sorted(name for name in elsewhere if name not in scope and not hasattr(builtins, name))
    if unknown:
        raise ValueError(f"{step.__qualname__} reads {', '.join(unknown)}: neither its own nor its module's")
    elsewhere = {name for name in elsewhere if name in scope and scope[name] is not np}
    return _Anatomy(tuple(parameters), tuple(sorted(stored)), tuple(sorted(elsewhere)), tuple(sorted(numbers.items())))


def plain(step: Step) -> ast.FunctionDef:
    """Parse a step anew, without docstring and annotations of its locals."""
    definition = ast.parse(_source(step)).body[0]
    assert isinstance(definition, ast.FunctionDef)
    body = definition.body[1:] if ast.get_docstring(definition) is not None else definition.body
    definition.body = [
        ast.Assign([node.target], node.value, lineno=1) if isinstance(node, ast.AnnAssign) and node.value else node
        for node in body
    ]
    return definition


def reads(step: Step, position: int) -> bool:
    """Return whether a step reads its argument at this position."""
    return _anatomy(step).parameters[position].reads > 0


@lru_cache(maxsize=4096)
def changes(step: Step, position: int) -> bool:
    """Return whether a step changes the array that it is given at this position."""
    definition = plain(step)
    argument = definition.args.args[position]
    for node in _walk(definition.body):
        in_place = isinstance(node, ast.AugAssign)
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        for target in targets:
            root = target
            while isinstance(root, ast.Subscript):
                root = root.value
            if isinstance(root, ast.Name) and root.id == argument.arg and (root is not target or in_place):
                return True
    return False


def read_elsewhere(step: Step) -> frozenset[str]:
    """Return the names that a step reads from its module: no local may take them, wherever it stands."""
    return frozenset(_anatomy(step).elsewhere)


@lru_cache(maxsize=4096)
def _source(step: Step) -> str:
    source = textwrap.dedent(inspect.getsource(step))
    definition = ast.parse(source).body[0]
    returns = [node for node in ast.walk(definition) if isinstance(node, ast.Return)]
    if not isinstance(definition, ast.FunctionDef) or returns != definition.body[-1:]:
        raise ValueError(f"{step.__qualname__} cannot be written out: expected a def with one return, at its end")
    return source


def _walk(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    for statement in body:
        yield from ast.walk(statement)


def _read(arguments: Sequence[Argument]) -> frozenset[str]:
    parts = [part for given in arguments for part in (given.values() if isinstance(given, Mapping) else [given])]
    return frozenset(node.id for node in _walk(parts) if isinstance(node, ast.Name))


def _free(name: str, taken: frozenset[str], env: Mapping[str, Argument]) -> str:
    taken |= {value.id for value in env.values() if isinstance(value, ast.Name)}
    candidates = [name, *(f"{name}{number}" for number in range(2, 99))]
    return next(candidate for candidate in candidates if candidate not in taken)


def _noted(page: Page, name: str, value: Any) -> ast.expr:
    if isinstance(value, types.FunctionType) and value.__module__.split(".")[0] == "reference":
        definition = plain(value)
        result = definition.body[0]
        if isinstance(result, ast.Return) and result.value and not _anatomy(value).elsewhere:
            # Short enough to be written where it is called.
            return ast.Lambda(definition.args, result.value)
    elif not isinstance(value, int | float | str | tuple):
        raise ValueError(f"{name} cannot be written out: it is a {type(value).__name__}, not a function or a number")
    kept = page.found
    while kept.setdefault(name, value) is not value:
        name += "_"
    return ast.Name(name, ast.Load())


def _without_a_last_local(statements: list[ast.stmt]) -> Written:
    *before, last = statements
    assert isinstance(last, ast.Return)
    value = last.value or ast.Constant(None)
    if before and isinstance(before[-1], ast.Assign) and isinstance(value, ast.Name):
        target = before[-1].targets[0]
        if isinstance(target, ast.Name) and target.id == value.id:
            return Written(before[:-1], before[-1].value)
    return Written(before, value)


def _called(written: Written, target: str, own: frozenset[str]) -> Written:
    """Call by `target` the local that is the value, or that the value is made of after it was changed in place."""
    root = written.value
    while isinstance(root, ast.BinOp | ast.UnaryOp):
        root = root.left if isinstance(root, ast.BinOp) else root.operand
    if not isinstance(root, ast.Name) or root.id not in own:
        return written
    changed = [node.targets[0] for node in written.statements if isinstance(node, ast.Assign)]
    changed += [node.target for node in written.statements if isinstance(node, ast.AugAssign)]
    if root is not written.value and not any(ast.unparse(place).startswith(f"{root.id}[") for place in changed):
        return written
    rename = {root.id: ast.Name(target, ast.Load())}
    return Written(
        [replaced(node, rename, own=True) for node in written.statements], replaced(written.value, rename, own=True)
    )


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
    anatomy = _anatomy(function)
    names = [parameter.name for parameter in anatomy.parameters]
    env = {other: _noted(page, other, function.__globals__[other]) for other in anatomy.elsewhere}
    body = [replaced(statement, env, own=True) for statement in plain(function).body]
    written = _without_a_last_local(simplified(page.facts, body))
    made = ast.parse(f"def {name}({', '.join(names)}):\n    pass").body[0]
    assert isinstance(made, ast.FunctionDef)
    made.body = [*written.statements, ast.Return(written.value)]
    return made
