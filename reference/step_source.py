"""Steps of a network as text: functions of their own, from their source, without annotations and docstrings."""

import ast
import copy
import inspect
import types
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Step = Callable[..., Any]


def write_functions(functions: Mapping[str, Step]) -> list[str]:
    """Return the text of each function, and of what these read from their modules."""
    known, texts = dict(functions), list[str]()
    for name, step in functions.items():
        texts += _definition(name, step, known)
    return texts


def _definition(name: str, step: Step, known: dict[str, Step]) -> list[str]:
    """Return a function's text under another name, after those of what it reads; these are added to what is known."""
    if not isinstance(step, types.FunctionType):
        raise TypeError(f"{name} cannot be written out: it is no plain function")
    texts, words = list[str](), dict[str, ast.expr]()
    inside = inspect.getclosurevars(step)
    for word, value in {**inside.globals, **inside.nonlocals}.items():
        if isinstance(value, int | float):
            words[word] = ast.Constant(value)
        elif isinstance(value, types.FunctionType):
            own = next((one for one, function in known.items() if function is value), None)
            if own is None:
                own = f"right_{word}" if word in known else word
                known[own] = value
                texts += _definition(own, value, known)
            words[word] = ast.Name(own, ast.Load())
        elif value is not np:
            raise ValueError(f"{name} cannot be written out: it reads {word} of its module")
    definition = _Bare(words).visit(_parse(step))
    definition.name = name
    return [*texts, ast.unparse(ast.fix_missing_locations(definition)).replace("'", '"')]


def _parse(step: types.FunctionType) -> ast.FunctionDef:
    """Return a step's definition; a lambda is known by where its body stands, for there may be several on one line."""
    code = step.__code__
    here = [
        node for node in ast.walk(_parse_module(code.co_filename)) if getattr(node, "lineno", 0) == code.co_firstlineno
    ]
    for node in here:
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            return copy.deepcopy(node)
    for node in reversed(here):  # the innermost first: a lambda that makes steps has theirs inside
        if isinstance(node, ast.Lambda) and all(_is_inside(node.body, *position) for position in code.co_positions()):
            return ast.FunctionDef("", copy.deepcopy(node.args), [ast.Return(copy.deepcopy(node.body))], [])
    raise ValueError(f"{step.__qualname__} cannot be written out: its source is not found")


def _is_inside(body: ast.expr, line: int | None, end_line: int | None, start: int | None, end: int | None) -> bool:
    """Return whether an instruction was made from this expression; those that set up a function have no extent."""
    if line is None or end_line is None or start is None or end is None or (line, start) == (end_line, end):
        return True
    last = (body.end_lineno or 0, body.end_col_offset or 0)
    return (body.lineno, body.col_offset) <= (line, start) and (end_line, end) <= last


@cache
def _parse_module(path: str) -> ast.Module:
    return ast.parse(Path(path).read_text(encoding="utf-8"))


class _Bare(ast.NodeTransformer):
    """Leaves out annotations and the docstring, and puts in what some names stand for."""

    def __init__(self, words: Mapping[str, ast.expr]) -> None:
        self.words = words

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = node.body[ast.get_docstring(node) is not None :]
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        return ast.Assign([node.target], node.value) if node.value else ast.Pass()

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.words.get(node.id, node)
