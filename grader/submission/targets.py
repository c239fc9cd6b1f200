"""Follows where a student puts a value: into a name, an attribute, or an entry of a dict or array."""

from __future__ import annotations

import ast
from dataclasses import replace

from grader.submission.expressions import evaluate, unpacked
from grader.submission.operations import gated
from grader.submission.traces import NOTHING, Names, Value, Walk, changed, made


def store(walk: Walk, names: Names, target: ast.expr, given: Value) -> None:
    """Put a value where a target says, and note what role that plays."""
    match target:
        case ast.Name(id=name):
            # `reg = 0.0` where a parameter was asked for: what is multiplied with it is the regulariser all the same.
            names[name] = given if given.marks or name != "reg" else Value(frozenset({"reg"}))
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if "self" in names.get(owner, NOTHING).marks:
            if name == "params" and given.parts is not None:
                given = _replaced(walk, given)
            walk.attributes[name] = given
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part, value in zip(parts, unpacked(walk, given, parts), strict=True):
                store(walk, names, part, value)
        case ast.Starred(value=inner):
            store(walk, names, inner, given)
        case ast.Subscript(value=inner, slice=index):
            _store_inside(walk, names, inner, evaluate(walk, names, index), given)


def _store_inside(walk: Walk, names: Names, holder: ast.expr, index: Value, given: Value) -> None:
    held = evaluate(walk, names, holder)
    if "params" in held.marks:
        for key in index.keys or ("*",):
            walk.note("update", given, key=key)
    elif given.marks & {"loss", "labels"}:
        walk.note("kept", given)
    # Of an array or of an unknown key it is not told what stands where.
    text_keys = tuple(key for key in index.keys if isinstance(key, str))
    result = changed(walk, held, text_keys, given)
    if not text_keys and index.marks and result.marks:
        result = gated(walk, held, index, made(walk, result, index))
    if result.last == given.last == walk.now and -1 < given.main < walk.now:
        result = replace(result, main=given.main)  # `dW1[:, j] += reg * W1[:, j]` adds the regulariser alone
    if "params" in held.marks:
        return
    store(walk, names, holder, result)


def _replaced(walk: Walk, given: Value) -> Value:
    """Note the update of parameters that are made anew, as in `self.params = {"W1": W1 - rate * dW1, ...}`."""
    for key, part in (given.parts or {}).items():
        if "gradient" in part.marks:
            walk.note("update", part, key=key)
    return replace(given, marks=given.marks | {"params"})
