"""Lines of the student's own text, for messages: looked up in our copy, never taken from the student's process."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from grader.submission.definitions import definitions
from grader.submission.fault import SubmissionError
from grader.submission.roles import METHOD_OF, roles
from grader.submission.syntax import place_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grader.records import Place, Segment, Submission

_FIRST_LINES = {"loss", "train", "predict", "__init__"}


def place(submission: Submission, label: str, line: int) -> Place | None:
    """Give a line of the student's with its text, or None where the submission has no such cell, file or line."""
    for segment in _segments(submission):
        if segment.label == label:
            found = place_in(label, segment.quoted, line)
            return found if 1 <= line <= segment.quoted.count("\n") + 1 else None
    return None


def statement_place(
    submission: Submission,
    class_name: str,
    about: str,
    *,
    names: tuple[str, str, str, str] = ("W1", "b1", "W2", "b2"),
) -> Place | None:
    """Find the student's statement that most likely holds what a check speaks of.

    Parameters
    ----------
    submission
        What was loaded.
    class_name
        The class that is graded.
    about
        ``"loss"``, ``"train"`` or ``"predict"`` for that method's first line; else a role, found by following what
        the method computes, also into the functions that it calls:

        in loss ``"hidden"``, ``"activation"``, ``"scores"``, ``"returned scores"``, ``"exp"``, ``"probabilities"``,
        ``"data loss"``, ``"regulariser"``, ``"total loss"``, ``"dscores"``, ``"dhidden"``, ``"mask"``, and with a
        parameter's name ``"grads W1"`` and ``"grad regulariser W1"``;

        in train ``"batch"``, ``"loss call"``, ``"update"`` or ``"update W1"``, ``"decay"``, ``"epoch"``, ``"loss
        history"``, ``"train accuracy"``, ``"val accuracy"``, ``"returned histories"``;

        in predict ``"labels"`` and ``"predict scores"``.
    names
        What the assignment calls the parameters: first weights, first bias, second weights, second bias.

    Returns
    -------
    Place or None
        None where it is not sure: a message without a line is better than one with a wrong line.
    """
    segments = (*(module.segment for module in submission.modules), *submission.segments)
    try:
        found = _found(segments, class_name, about, names)
    except (SubmissionError, RecursionError):
        # It was read once to be loaded; whatever is wrong with it has been told.
        return None
    return place_in(found[0].label, found[0].quoted, found[1]) if found else None


def _found(
    segments: tuple[Segment, ...], class_name: str, about: str, names: tuple[str, str, str, str]
) -> tuple[Segment, int] | None:
    if about in _FIRST_LINES:
        function = definitions(segments, class_name).methods.get(about)
        return (function.segment, function.node.lineno) if function else None
    kind, _, parameter = about.rpartition(" ")
    method = METHOD_OF.get(about) or METHOD_OF.get(kind)
    if method is None or about in {"grads", "grad regulariser"}:
        return None
    found = roles(segments, class_name, method, names).get(about)
    if found or kind not in {"grads", "grad regulariser"}:
        return found
    function = definitions(segments, class_name).methods.get("loss")
    statement = _gradient_statement(function.node, parameter) if function else None
    return (function.segment, statement.lineno) if function and statement else None


def _segments(submission: Submission) -> Iterator[Segment]:
    yield from submission.segments
    yield from submission.extras
    yield from (module.segment for module in submission.modules)


@lru_cache(maxsize=16)
def _gradient_statement(function: ast.AST, parameter: str) -> ast.stmt | None:
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
