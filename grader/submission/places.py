"""Lines of the student's own text, for messages: looked up in our copy, never taken from the student's process."""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from grader.submission.syntax import parse, place_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.records import Place, Segment, Submission

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_METHODS = {"loss", "train", "predict", "__init__"}
# Classes that inherit from each other in a circle cannot be run, but they can be read.
_MOST_BASES = 20

_Found = tuple["Segment", ast.FunctionDef | ast.AsyncFunctionDef]


def place(submission: Submission, label: str, line: int) -> Place | None:
    """Give a line of the student's with its text, or None where the submission has no such cell, file or line."""
    for segment in _segments(submission):
        if segment.label == label:
            found = place_in(label, segment.source, line)
            return found if 1 <= line <= segment.source.count("\n") + 1 else None
    return None


def statement_place(submission: Submission, class_name: str, about: str) -> Place | None:
    """Find the student's statement that most likely holds what a check speaks of.

    Parameters
    ----------
    submission
        What was loaded.
    class_name
        The class that is graded.
    about
        ``"loss"``, ``"train"`` or ``"predict"`` for that method's first line; ``"grads W1"`` for the statement in
        loss that computes that gradient.

    Returns
    -------
    Place or None
        None where it is not sure: a message without a line is better than one with a wrong line.
    """
    kind, _, parameter = about.partition(" ")
    method = "loss" if kind == "grads" else kind
    if method not in _METHODS:
        return None
    found = _method(submission, class_name, method)
    if found is None:
        return None
    segment, function = found
    if kind != "grads":
        return place_in(segment.label, segment.source, function.lineno)
    statement = _gradient_statement(function, parameter) if parameter else None
    return place_in(segment.label, segment.source, statement.lineno) if statement else None


def _segments(submission: Submission) -> Iterator[Segment]:
    yield from submission.segments
    yield from submission.extras
    yield from (module.segment for module in submission.modules)


# A report asks for a dozen places of one submission; parsing it each time would cost more than judging it.
@lru_cache(maxsize=4)
def _statements(segments: tuple[Segment, ...]) -> list[tuple[Segment, ast.stmt]]:
    """List the statements that are run."""
    found = []
    for segment in segments:
        if segment.kept:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body = parse(segment.source, segment.label).body
            found += [(segment, body[index]) for index in segment.kept]
    return found


def _method(submission: Submission, class_name: str, method: str) -> _Found | None:
    """Find the last definition of a method: in the class, attached to it later, or in a class that it inherits from."""
    # Modules first: they are imported before the class is used.
    statements = _statements((*(module.segment for module in submission.modules), *submission.segments))
    classes = {node.name: (segment, node) for segment, node in statements if isinstance(node, ast.ClassDef)}
    functions = {node.name: (segment, node) for segment, node in statements if isinstance(node, _FUNCTIONS)}
    for _, node in reversed(statements):
        attached = _attached(node, class_name, method)
        if attached:
            return functions.get(attached)
    name = class_name
    for _ in range(_MOST_BASES):
        if name not in classes:
            return None
        segment, node = classes[name]
        own = [part for part in node.body if isinstance(part, _FUNCTIONS) and part.name == method]
        if own:
            return segment, own[-1]
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        if len(bases) != 1:
            return None
        name = bases[0]
    return None


def _attached(node: ast.stmt, class_name: str, method: str) -> str:
    """Give the function's name in `TwoLayerNet.loss = function` or `setattr(TwoLayerNet, "loss", function)`."""
    value: ast.expr | None = None
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
        target = node.targets[0]
        if target.attr == method and isinstance(target.value, ast.Name) and target.value.id == class_name:
            value = node.value
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and len(node.value.args) == 3:
        function, (owner, name, given) = node.value.func, node.value.args
        is_ours = isinstance(owner, ast.Name) and owner.id == class_name
        if is_ours and isinstance(function, ast.Name) and function.id == "setattr":
            value = given if isinstance(name, ast.Constant) and name.value == method else None
    return value.id if isinstance(value, ast.Name) else ""


def _gradient_statement(function: ast.FunctionDef | ast.AsyncFunctionDef, parameter: str) -> ast.stmt | None:
    """Find the last assignment that computes a gradient, by how it is named: grads["W1"], dW1, grad_W1, W1_grad."""
    name = re.escape(parameter)
    named = re.compile(rf"(?:d_?|grad_?|grads_|gradient_){name}|{name}_?(?:grad|gradient)", re.IGNORECASE)
    computed: list[ast.stmt] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            targets = [part for target in node.targets for part in _parts(target)]
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            targets = [node.target]
        else:
            continue
        # `grads["W1"] = dW1` only hands on what another line computed.
        hands_on = isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and named.fullmatch(node.value.id)
        if any(_is_gradient(target, parameter, named) for target in targets) and not hands_on:
            computed.append(node)
    return max(computed, key=lambda node: node.lineno, default=None)


def _parts(target: ast.expr) -> list[ast.expr]:
    return list(target.elts) if isinstance(target, (ast.Tuple, ast.List)) else [target]


def _is_gradient(target: ast.expr, parameter: str, named: re.Pattern[str]) -> bool:
    if isinstance(target, ast.Subscript):
        # params["W1"] -= ... is an update, not a gradient.
        holder = getattr(target.value, "id", "") or getattr(target.value, "attr", "")
        is_key = isinstance(target.slice, ast.Constant) and target.slice.value == parameter
        return is_key and "param" not in holder
    return isinstance(target, ast.Name) and named.fullmatch(target.id) is not None
