"""Remarks on a program that differs from what the assignment asks, though its maths may be right. They cost no points."""

import re

from grader.model import Assignment, Questions, Run

MOST = 20  # remarks of one submission
# What Python says of a program that was written for Python 2, and what to write.
_LEFT_OF_PYTHON_2 = {
    r"'dict' object has no attribute '(iter|view)(items|keys|values)'": r"write .\2() for .\1\2()",
    r"'dict' object has no attribute 'has_key'": "write `key in table` for table.has_key(key)",
    r"'\w+' object has no attribute 'next'": "write next(it) for it.next()",
    r"'(?:dict_)?(zip|map|filter|range|keys|values|items)' object (?:is not subscriptable|has no attribute '(?:append|extend|sort|pop)')": r"\1() is no longer a list: put list(...) around it",
    r"object of type '(zip|map|filter)' has no len\(\)": r"\1() is no longer a list: put list(...) around it",
}


def remarks(assignment: Assignment, questions: Questions, run: Run) -> tuple[str, ...]:
    """Return sentences on one submission: unusual shapes and names, warnings, and whether it printed."""
    replies = [reply for reply in run.replies.values() if reply.own_shapes or reply.positional]
    found: dict[str, None] = {}
    asked = {call.id: call for call in questions.calls}
    for reply in replies:
        for name, given in asked[reply.call].params.items():
            own = reply.own_shapes.get(name)
            if own is not None and own != given.shape and sorted(own) != sorted(given.shape):
                found[
                    f"{name} has {'one axis more' if len(own) > given.ndim else 'fewer axes'} than the assignment asks for ({len(own)} instead of {given.ndim})."
                ] = None
            elif own is not None and own != given.shape:
                found[f"{name} is transposed; the grader read its values accordingly."] = None
        extra = sorted(set(reply.own_shapes) - set(assignment.variant.names))
        if extra and asked[reply.call].params:
            found[f"params holds more than the assignment asks for: {', '.join(extra)[:100]}."] = None
        for method in reply.positional:
            own = vars(assignment.variant.methods).get(method, method)
            found[f"The parameters of {own}() have other names than in the assignment; it was called by position."] = (
                None
            )
    casts = sorted({kind for reply in run.replies.values() for kind in reply.casts})
    if casts:
        found[f"It returns numbers of type {', '.join(casts)[:100]}; they were judged as float64."] = None
    for reply in (run.load, *run.replies.values()):
        for warning in reply.warnings:
            found[f"Warning: {warning}"] = None
    found |= dict.fromkeys(_left_of_python_2(run))
    return tuple(found)[:MOST] + _printed(run)


def _left_of_python_2(run: Run) -> list[str]:
    errors = [reply.error.message for reply in (run.load, *run.replies.values()) if reply.error]
    return [
        f"This belongs to Python 2, and the grader runs Python 3: {said.expand(mend)}."
        for pattern, mend in _LEFT_OF_PYTHON_2.items()
        for message in errors
        if (said := re.fullmatch(pattern, message))
    ]


def _printed(run: Run) -> tuple[str, ...]:
    talking = [reply.call for reply in run.replies.values() if reply.printed]
    if not talking:
        return ()
    return (f"It printed something in {len(talking)} of the {len(run.replies)} calls that graded it.",)
