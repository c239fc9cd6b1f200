"""Causes that are no numbers: an exception, a time limit, a name that numpy removed. Each is told once, for all checks."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from operator import itemgetter

from grader.checks.context import GradingContext
from grader.checks.watched_training import ROWS, SAME, read_watched_run
from grader.diagnosis.changed_names import explain_version
from grader.model import Cause, Charge, Finding, Methods, Place, StudentError, Submission
from grader.text.nearest import nearest

HINTS = (
    (r"^this \w+ cannot be read: ", "Mend this line first: until Python can read it, nothing here can run."),
    (r"shapes?|broadcast|aligned|matmul|mismatch|dimension|axis", "Print the shape of every array in this line: which axes should meet?"),
    (r"index|out of bounds", "Print the index and the shape of the array that it is used on."),
    (r"not defined|referenced before|not associated", "Where does this name get its value? That must be in this method and before this line."),
    (r"NoneType", "Something in this line is still None. Which call, or which unwritten part, should give it a value?"),
    (r"argument", "Compare the call in this line with the `def` line of what it calls."),
)  # fmt: skip

_NO_MODULE = "missing_import", "needs a module that is missing", "Hand in the imported file, or do without it."
# By an exception's type, "" where there was none: the cause's id, what the method does, and the hint.
BY_TYPE = {
    "": ("stopped", "ends its own process", "The grader runs each submission in its own process."),
    "ModuleNotFoundError": _NO_MODULE,
    "ImportError": _NO_MODULE,
    "MemoryError": (
        "memory",
        "asks for too much memory",
        "Print the shapes of the arrays there: is one of them far too large?",
    ),
}


def find_causes(
    context: GradingContext, submission: Submission, findings: Mapping[str, Finding], charges: Sequence[Charge]
) -> tuple[Cause, ...]:
    """Return what stops methods of a submission, each cause once, the one that costs most checks first.

    What a named mistake explains is left out: the name tells more.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    errors: dict[tuple[str, ...], StudentError] = {}
    for check, finding in findings.items():
        error = finding.error
        if error is None or error.type == "NotImplementedError" or (finding.share == 1 and not finding.carried):
            continue
        key = _key(error, submission, context.assignment.variant.methods)
        groups.setdefault(key, []).append(check)
        errors.setdefault(key, error)
    misfit = next((seen.misfit for run in (SAME, ROWS) if (seen := read_watched_run(context, run)) and seen.misfit), "")
    explained = {check for one in charges for check in one.explains}
    charged = {key for key, checks in groups.items() if not all(findings[check].carried for check in checks)}
    # What is carried follows from something that is told already.
    groups = {key: checks for key, checks in groups.items() if key in charged or not (charged or charges)}
    return tuple(
        _cause(context, submission, errors[key], checks, findings, misfit)
        for key, checks in sorted(groups.items(), key=lambda one: -len(one[1]))
        if not set(checks) & explained
    )


def refer_to_cause(finding: Finding, check: str, causes: Sequence[Cause]) -> Finding:
    """Return a check's finding with the cause's sentence in place of what stands in every other check as well."""
    cause = next((one for one in causes if check in one.explains and len(one.explains) > 1), None)
    if cause is None:
        return finding
    return replace(
        finding,
        message=f"Could not be judged: {cause.title}" + ("\nIt loses its points elsewhere." if finding.carried else ""),
    )


def _key(error: StudentError, submission: Submission, methods: Methods) -> tuple[str, ...]:
    """Return what two errors of one cause share."""
    if error.type:
        # Messages name sizes, which differ from question to question; the line does not.
        if error.places:
            return error.type, str(error.places[-1])
        return error.type, re.sub(r"\d[^\s,)]*", "", error.message.partition("\n")[0])
    return "", _method(error, submission, methods)


def _method(error: StudentError, submission: Submission, methods: Methods) -> str:
    """Return the method in which something happened: the innermost of the three that are asked for, else what was asked."""
    around = methods.name_inside([_enclosing(submission, place) for place in error.places])
    return next((name for name in reversed(around) if name in vars(methods)), error.during)


def _enclosing(submission: Submission, place: Place) -> str:
    """Return the name of the function that a line stands in; "" outside of all."""
    texts = [*submission.segments, *(module.segment for module in submission.modules)]
    indents, definitions = _outline(next((text.source for text in texts if text.label == place.label), ""))
    indent = indents[place.line - 1] if 1 <= place.line <= len(indents) else 0
    for line, begins, name in reversed(definitions[: bisect_right(definitions, place.line, key=itemgetter(0))]):
        if line == place.line or begins < max(indent, 1):
            return name
    return ""


@lru_cache(maxsize=4)
def _outline(source: str) -> tuple[list[int], list[tuple[int, int, str]]]:
    """Return how far each line is indented, and the line, indentation and name of each function, in order."""
    lines = source.split("\n")
    headers = [(number, re.match(r"(\s*)(?:async )?def (\w+)", line)) for number, line in enumerate(lines, start=1)]
    definitions = [(number, len(found[1]), found[2]) for number, found in headers if found]
    return [len(line) - len(line.lstrip()) for line in lines], definitions


def _cause(
    context: GradingContext,
    submission: Submission,
    error: StudentError,
    checks: Sequence[str],
    findings: Mapping[str, Finding],
    misfit: str,
) -> Cause:
    place = error.places[-1] if error.places else None
    method = _method(error, submission, context.assignment.variant.methods)
    identity, title, hint = _words(context, error, method, misfit)
    explains, costs = list(checks), {}
    if identity == "other_names":
        explains = [check for check in ("update_rule", *checks) if check in findings]
    for check in explains:
        if findings[check].share < 1:
            costs[check] = 1 - findings[check].share
    return Cause(identity, title, hint, tuple(dict.fromkeys(explains)), costs, place)


def _name_near(error: StudentError, method: str) -> str:
    """Return what to say where a method has another name than the assignment's; "" where none is missing."""
    found = re.match(r"\w+ has no method (\w+); it has: (.+)", error.message)
    if found is None:
        return ""
    there = found[2].split(", ")
    near = next((one for one in (method, *nearest(found[1], there)) if one in there), "")
    return f"Did you mean {near}? Then rename it to {found[1]}." if near else f"Write the method {found[1]}."


def _words(context: GradingContext, error: StudentError, method: str, misfit: str) -> tuple[str, str, str]:
    """Return a cause's id, title and hint."""
    where = f" (line {error.places[-1].line})" if error.places else ""
    short = error.message.partition("\n")[0].rstrip(".")
    name = f"{method}()" if method.isidentifier() else method
    if not error.type and ("still running" in short or "not asked" in short):
        hint = "Look at the loops there: what changes in each round, and when does the loop end?"
        return "time_limit", f"{name} did not end within its time{where}.", hint
    if error.type and (by_version := explain_version(error.message, context.run.versions, where)):
        return "removed_name", *by_version
    if error.type not in BY_TYPE and misfit and "argument" in short:
        text = f"train() calls loss() with arguments that loss() does not accept{where}: {misfit}."
        return "other_names", text, "Compare the call with the line `def loss(`."
    near = _name_near(error, method) or next((said for pattern, said in HINTS if re.search(pattern, error.message)), "")
    other = "exception", f"stops with {error.type}", near or "Print the values that this line uses, just before it."
    identity, does, hint = BY_TYPE.get(error.type, other)
    return identity, f"{name} {does}{where}: {short}.", hint
