"""Who writes a program out, and how its lines look."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from reference.inlining import Argument, Page, expression, read_elsewhere, write
from reference.network import Network
from reference.regularisers import Names
from reference.simplifying import Facts

Step = Callable[..., Any]


@dataclass(frozen=True)
class Author:
    """Who writes: the steps of each layer, the names, and what has been read from elsewhere so far.

    steps : by the step's name, and for the layered ones by name and layer.
    """

    network: Network
    names: Names
    steps: Mapping[str, Step]
    found: dict[str, Any]

    @property
    def single(self) -> bool:
        """Return whether every layer is one affine map."""
        return self.network.maps == 1

    def step(self, name: str, k: int | None = None) -> Step:
        """Return a step, of layer k where it is one for each layer."""
        step: Step = self.steps[name if k is None else f"{name}@{k}"]
        return step

    def page(self, taken: frozenset[str], known: Mapping[str, str], *, unrolled: bool) -> Page:
        """Return a method's page; the notes of what is read from elsewhere are the same for all."""
        elsewhere = frozenset().union(*(read_elsewhere(step) for step in self.steps.values()))
        return Page(Facts(self.names, self.single, known, unrolled), taken | elsewhere, self.found)


def lines_of(statements: Sequence[ast.stmt]) -> list[str]:
    """Return statements as lines, as one would type them: double quotes, no parentheses around what is returned."""
    lines: list[str] = []
    for node in statements:
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
            entries = zip(node.value.keys, node.value.values, strict=True)
            rows = [f"    {ast.unparse(key)}: {ast.unparse(value)}," for key, value in entries if key]
            lines += [row.replace("'", '"') for row in ("return {", *rows, "}")]
            continue
        text = ast.unparse(ast.fix_missing_locations(_typed(node)))
        lines += text.replace("'", '"').splitlines()
    return [_bare(line) for line in lines]


def _typed(node: ast.stmt) -> ast.stmt:
    """Turn `x = a if c else x` into an if, and `x = x * a` into `x *= a` where x is a number."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return node
    target, value = node.targets[0], node.value
    if isinstance(value, ast.IfExp) and ast.unparse(value.orelse) == target.id:
        return ast.If(value.test, [_typed(ast.Assign([target], value.body, lineno=1))], [])
    if isinstance(value, ast.IfExp) and ast.unparse(value.body) == target.id:
        return ast.If(_not(value.test), [_typed(ast.Assign([target], value.orelse, lineno=1))], [])
    is_own = isinstance(value, ast.BinOp) and ast.unparse(value.left) == target.id
    if is_own and target.id == "learning_rate" and isinstance(value, ast.BinOp):
        return ast.AugAssign(target, value.op, value.right)
    return node


def _not(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        return ast.Compare(test.left, [ast.NotEq()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def _bare(line: str) -> str:
    head, found, tail = line.partition("return (" if line.lstrip().startswith("return (") else " = (")
    if not found or not tail.endswith(")") or not _is_tuple(f"({tail}"):
        return line
    return f"{head}{found[:-1]}{tail[:-1]}"


def _is_tuple(text: str) -> bool:
    try:
        value = expression(text)
    except SyntaxError:
        return False
    return isinstance(value, ast.Tuple) and len(value.elts) > 1


def indented(lines: Sequence[str]) -> list[str]:
    """Indent lines by one step; empty ones stay empty."""
    return [f"    {line}" if line else "" for line in lines]


def spaced(lines: Sequence[str]) -> list[str]:
    """Leave out blank lines after blank lines: a step that does nothing leaves no gap."""
    return [line for before, line in pairwise(["", *lines]) if line or before]


def mentions(name: str, lines: Sequence[str]) -> bool:
    """Return whether lines read or assign a name."""
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(ast.parse("\n".join(lines))))


def named(name: str) -> ast.expr:
    """Return a name as an expression."""
    return ast.Name(name, ast.Load())


def put(page: Page, step: Step, arguments: Sequence[Argument], target: str) -> tuple[list[str], ast.expr]:
    """Write a step that gives `target`, and say what its value is called; a value that has a name keeps it."""
    found = write(page, step, arguments, target)
    if isinstance(found.value, ast.Name):
        return lines_of(found.statements), found.value
    place = ast.Assign([ast.Name(target, ast.Store())], found.value, lineno=1)
    return lines_of([*found.statements, place]), named(target)
