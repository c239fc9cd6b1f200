"""The functions of a submission by name: the class's methods, wherever they come from, and all that they may call."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from grader.records import Segment
from grader.submission.binding import FUNCTIONS
from grader.submission.syntax import parse

# Classes that inherit from each other in a circle cannot be run, but they can be read.
_MOST_BASES = 20


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the student's own, and the cell or file in which it stands."""

    segment: Segment
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    is_method: bool = False  # called on an object, it gets that object as its first argument
    is_property: bool = False  # it is called by being named


@dataclass(frozen=True)
class Definitions:
    """The last definition of each name; a name that is defined twice means the later one, as when it is run."""

    class_name: str
    functions: Mapping[str, Function]
    methods: Mapping[str, Function]  # of the class that is graded: its own, inherited, or attached later


# A report asks for a dozen places of one submission; parsing it each time would cost more than judging it.
@lru_cache(maxsize=4)
def definitions(segments: tuple[Segment, ...], class_name: str) -> Definitions:
    """List what the statements that are run define; `segments` stand in the order in which they are run."""
    statements = _statements(segments)
    functions: dict[str, Function] = {}
    for segment, node in statements:
        if isinstance(node, FUNCTIONS):
            functions[node.name] = Function(segment, node)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            functions |= {name.id: Function(segment, node.value) for name in node.targets if isinstance(name, ast.Name)}
    methods = _inherited(statements, class_name)
    for _, node in statements:
        for name, given in _attached(node, class_name).items():
            # What cannot be followed is unknown, and the definition that it replaced is certainly not meant.
            methods.pop(name, None)
            if given in functions:
                found = functions[given]
                methods[name] = Function(found.segment, found.node, is_method=True)
    return Definitions(class_name, functions, methods)


def _statements(segments: tuple[Segment, ...]) -> list[tuple[Segment, ast.stmt]]:
    found: list[tuple[Segment, ast.stmt]] = []
    for segment in segments:
        if segment.kept:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body = parse(segment.source, segment.label)
            found += [(segment, body[index]) for index in segment.kept]
    return found


def _inherited(statements: list[tuple[Segment, ast.stmt]], class_name: str) -> dict[str, Function]:
    """Give the methods of a class and of those that it inherits from, its own before theirs."""
    classes = {node.name: (segment, node) for segment, node in statements if isinstance(node, ast.ClassDef)}
    methods: dict[str, Function] = {}
    waiting = [class_name]
    for _ in range(_MOST_BASES):
        if not waiting:
            break
        name = waiting.pop(0)
        if name in classes:
            segment, node = classes[name]
            own = {part.name: _method(segment, part) for part in node.body if isinstance(part, FUNCTIONS)}
            methods = own | methods
            waiting = [base.id for base in node.bases if isinstance(base, ast.Name)] + waiting
    return methods


def _method(segment: Segment, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    marks = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
    return Function(segment, node, is_method="staticmethod" not in marks, is_property="property" in marks)


def _attached(node: ast.stmt, class_name: str) -> dict[str, str]:
    """Read `TwoLayerNet.loss = function` or `setattr(TwoLayerNet, "loss", function)`: the method and the function.

    The function is "" where something else than a name is attached.
    """
    match node:
        case ast.Assign([ast.Attribute(ast.Name(owner), name), *_], given) if owner == class_name:
            pass
        case ast.Expr(ast.Call(ast.Name("setattr"), [ast.Name(owner), ast.Constant(name), given])) if (
            owner == class_name
        ):
            pass
        case _:
            return {}
    return {str(name): given.id if isinstance(given, ast.Name) else ""}
