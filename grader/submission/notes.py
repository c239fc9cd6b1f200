"""What a report says of a submission besides its points: one sentence a fact, never a complaint."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from grader.model import Place
from grader.submission.bindings import IMPORTS, names_bound_anywhere
from grader.submission.choose_file import Candidate
from grader.submission.dependencies import DependencyClosure, Selection
from grader.submission.handed_in_modules import WELL_KNOWN
from grader.submission.name_submissions import join_names
from grader.submission.salvage import LostPart
from grader.submission.statements import BUILTINS, Statement, names_begun

_MOST_LISTED = 6
_PYTHON_2_NAMES = {
    "xrange": "range",
    "raw_input": "input",
    "unicode": "str",
    "basestring": "str",
    "unichr": "chr",
    "long": "int",
    "reduce": "functools.reduce",
}


def describe_choice(claims: list[Candidate], class_name: str) -> list[str]:
    """Return which file was graded, where there was a choice, and which definition of several counts."""
    chosen = claims[0]
    notes = []
    others = sorted({c.document.shown for c in claims[1:]} | {c.holder.shown for c in claims[1:]})
    others = [name for name in others if name not in {chosen.document.shown, chosen.holder.shown}]
    where = f" ({chosen.places[-1]})" if chosen.places else ""  # none where the file does not parse
    if chosen.holder.path != chosen.document.path:
        notes.append(f"graded: {class_name} of {chosen.holder.shown}, which {chosen.document.shown} imports{where}")
    elif others:
        notes.append(f"graded: {class_name} of {chosen.document.shown}{where}")
    if others:
        notes.append(f"not graded, though {class_name} is also in: {join_names(others)}")
    replaced, steps = chosen.places[: -chosen.steps], chosen.places[-chosen.steps :]
    if replaced:
        notes.append(
            f"{class_name} is bound {len(replaced) + 1} times ({_last_of(replaced)}; then {steps[0]}): "
            "the last one counts, as in Python"
        )
    if len(steps) > 1:
        notes.append(
            f"{class_name} is made in {len(steps)} steps ({_last_of(steps[:-1])}; then {steps[-1]}): "
            "each builds on the one before, and all of them count"
        )
    return notes


def _last_of(places: Sequence[Place]) -> str:
    return ", ".join(str(place) for place in places[-3:])


def _at_most(notes: list[str], rest: str) -> list[str]:
    """Return how many there are of what comes after the first few."""
    more = len(notes) - _MOST_LISTED
    return notes if more <= 0 else [*notes[:_MOST_LISTED], f"{more} more {rest}"]


def describe_left_out(gathering: DependencyClosure) -> list[str]:
    """Count what is not run, and name the cells that do not parse."""
    parsed = gathering.main.parsed
    told = gathering.main.kept.keys() | parsed.stubs.keys()  # those by themselves
    left = sum(statement.order not in told and not _is_idle(statement.node) for statement in parsed.statements)
    magics = parsed.document.magics
    parts = [f"{magics} magic{'s' if magics > 1 else ''}"] if magics else []
    if left:
        does = "statements that the class does" if left > 1 else "statement that the class does"
        parts.append(f"{left} {does} not need (plots, training, tuning)")
    notes = []
    for number, error in parsed.broken.items():
        cell = parsed.document.cells[number]
        again = _describe_redefined(gathering.main, number, names_begun(cell.source))
        notes.append(again or f"{cell.label} was left out. {error.problem.message}")
    left_out = [f"left out: {', '.join(parts)}"] if parts else []
    return left_out + _at_most(notes, "cells were left out, since Python cannot read them")


def describe_lost_parts(gathering: DependencyClosure, variable: str) -> list[str]:
    """Return what could not be read of a text of which the rest could; of the variable it is told by itself."""
    of_variable = gathering.lost(variable)
    notes: list[str] = []
    for selection in gathering.selections():
        spans = [(s.cell, s.node.lineno, s.node.end_lineno or 0) for s in selection.kept.values()]
        for cell, losses in selection.parsed.losses.items():
            told = [loss for loss in losses if loss is not of_variable]
            run = [loss for loss in told if any(at == cell and first <= loss.line <= end for at, first, end in spans)]
            again = "" if run or not told else _describe_redefined(selection, cell, {loss.name for loss in told})
            notes += [again] if again else [_describe_lost_part(loss, is_run=loss in run) for loss in told]
    return _at_most(notes, "parts cannot be read, and the rest is graded")


def _describe_redefined(selection: Selection, cell: int, names: set[str]) -> str:
    """Return the sentence that later cells define again what is needed of these names, which one cell has lost; "" where none do."""
    parsed = selection.parsed
    again = {
        name for name in names if any(name in found.binds and found.cell > cell for found in selection.binders(name))
    }
    is_broken = cell in parsed.broken
    needed = names & selection.wanted if is_broken else names
    if not again or not needed <= again:
        return ""
    is_whole = is_broken or all(s.cell != cell or s.order in parsed.stubs for s in parsed.statements)
    label = parsed.document.cells[cell].label
    part = label if is_whole else f"a part of {label}"
    return f"{part} was left out: Python 3 cannot read it, and a later cell defines {join_names(sorted(again))} again"


def _describe_lost_part(loss: LostPart, *, is_run: bool) -> str:
    message = loss.complaint.message
    if loss.kind == "statement" or not loss.name:
        what = f"a statement of class {loss.owner}" if loss.owner else "a statement"
        return f"{what} was left out, and the rest of {loss.complaint.place.label} is graded. {message}"
    owner = f"{loss.owner}." if loss.owner else ""
    what = f"class {owner}{loss.name}" if loss.kind == "class" else f"{owner}{loss.name}()"
    if not is_run:
        return f"{what} cannot be read and was left out; the rest is graded. {message}"
    return f"{what} cannot be read: it raises an error where it is called, and the rest is graded. {message}"


def describe_stub_modules(gathering: DependencyClosure) -> list[str]:
    """Return which modules are not at hand; of one that the student wrote, which names are then missing."""
    known, own = [], []
    for dotted, place in gathering.stand_ins.items():
        names = sorted(gathering.stand_in_names[dotted])
        if dotted.split(".")[0] in WELL_KNOWN:
            known.append(f"{dotted} ({place.label}, line {place.line})")
        else:
            come = "come" if len(names) > 1 else "comes"
            own.append(
                f"{dotted} was not handed in, so {join_names(names) or 'what it defines'} {come} from a stand-in "
                f"({place}): hand in {dotted.split('.')[-1]}.py beside the notebook if your class uses it"
            )
    notes = [f"not installed here, replaced by stand-ins: {join_names(known, _MOST_LISTED)}"] if known else []
    return notes + _at_most(own, "modules were not handed in")


def describe_lacking(gathering: DependencyClosure) -> list[str]:
    """Name what the class needs and only a loop, or Python 2, would give."""
    lacking = {name for name in gathering.main.wanted if gathering.main.lacks(name)}
    dropped = sorted(_bound_by_dropped(gathering, lacking).items())[:_MOST_LISTED]
    return [
        *(f"{name} is set only in a block that is not run: {at}. Set it in a plain statement" for name, at in dropped),
        *(
            f"{name} is Python 2's, and this grader runs Python 3: write {_PYTHON_2_NAMES[name]}"
            for name in sorted(lacking & _PYTHON_2_NAMES.keys())
        ),
    ]


def describe_variable(gathering: DependencyClosure, extras: list[Statement], variable: str) -> list[str]:
    """Return the sentence that numbers found by tuning are not computed again."""
    selection = gathering.main
    names = {name for statement in extras for name in selection.parsed.needs(statement).now} | {variable}
    loops = _bound_by_dropped(gathering, names - BUILTINS)
    shown = [f"{name} ({place.label}, line {place.line})" for name, place in sorted(loops.items())]
    if not shown:
        return []
    where = f"{variable} depends on what is found in blocks that are not run: {join_names(shown, _MOST_LISTED)}"
    return [f"{where}. Write the numbers that you found as plain numbers: {variable} = {{...}}"]


def _bound_by_dropped(gathering: DependencyClosure, names: set[str]) -> dict[str, Place]:
    """Find where loops and other blocks that are not run bind these names; the last place of each."""
    parsed = gathering.main.parsed
    found: dict[str, Place] = {}
    for statement in parsed.statements if names else ():
        if not statement.runs:
            bound = names_bound_anywhere(statement.node)
            found |= {name: parsed.place(statement, bound[name]) for name in names & bound.keys()}
    return found


def _is_idle(node: ast.stmt) -> bool:
    """Whether leaving a statement out is not worth a word: magics' `pass`, texts, imports of what nobody needs."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, (ast.Pass, *IMPORTS))
