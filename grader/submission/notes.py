"""What a report says of a submission besides its points: one sentence a fact, never a complaint."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from grader.records import Place
from grader.submission.binding import IMPORTS, bound_anywhere
from grader.submission.choosing import Claim
from grader.submission.gathering import Gathering, Lost
from grader.submission.library import WELL_KNOWN
from grader.submission.naming import listed
from grader.submission.statements import BUILTINS, Statement, begun_in
from grader.submission.stubs import Loss

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


def on_choice(claims: list[Claim], class_name: str) -> list[str]:
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
        notes.append(f"not graded, though {class_name} is also in: {listed(others)}")
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


def on_what_was_left(gathering: Gathering, kept: Iterable[Statement]) -> list[str]:
    """Count what is not run, and name the cells that do not parse."""
    parsed = gathering.main.parsed
    kept_orders = {statement.order for statement in kept}
    kept_orders |= parsed.stubs.keys()  # told by themselves
    left = sum(statement.order not in kept_orders and not _is_idle(statement.node) for statement in parsed.statements)
    magics = parsed.document.magics
    parts = [f"{magics} magic{'s' if magics > 1 else ''}"] if magics else []
    if left:
        does = "statements that the class does" if left > 1 else "statement that the class does"
        parts.append(f"{left} {does} not need (plots, training, tuning)")
    notes = [f"left out: {', '.join(parts)}"] if parts else []
    for number, error in list(parsed.broken.items())[:_MOST_LISTED]:
        label = parsed.document.cells[number].label
        again = _defined_again(gathering, number)
        if again:
            notes.append(
                f"{label} was left out: Python 3 cannot read it, and a later cell defines {listed(again)} again"
            )
        else:
            notes.append(f"{label} was left out. {error.problem.message}")
    if len(parsed.broken) > _MOST_LISTED:
        notes.append(f"{len(parsed.broken) - _MOST_LISTED} more cells were left out, since Python cannot read them")
    return notes


def on_losses(gathering: Gathering, variable: str) -> list[str]:
    """Return what could not be read of a text of which the rest could; of the variable it is told by itself."""
    of_variable = gathering.lost(variable)
    found = [lost for lost in gathering.losses() if lost.loss is not of_variable]
    notes, told = list[str](), set[tuple[int, int]]()
    for lost in found:
        key = (id(lost.selection), lost.cell)
        if key not in told and (again := _all_again([one for one in found if (id(one.selection), one.cell) == key])):
            notes.append(again)
            told.add(key)
        if key not in told:
            notes.append(_on_loss(lost.loss, is_run=lost.is_run))
    if len(notes) > _MOST_LISTED:
        notes[_MOST_LISTED:] = [f"{len(notes) - _MOST_LISTED} more parts cannot be read, and the rest is graded"]
    return notes


def _all_again(losses: Sequence[Lost]) -> str:
    """Say that a later cell defines again whatever one cell has lost; "" where that is not so."""
    parsed, cell = losses[0].selection.parsed, losses[0].cell
    names = {lost.loss.name for lost in losses}
    later = {name for s in parsed.statements if s.cell > cell and s.runs for name in s.binds}
    if not names <= later or any(lost.is_run for lost in losses):
        return ""
    label = losses[0].loss.complaint.place.label
    is_whole = all(s.cell != cell or s.order in parsed.stubs for s in parsed.statements)
    part = label if is_whole else f"a part of {label}"
    return f"{part} was left out: Python 3 cannot read it, and a later cell defines {listed(sorted(names))} again"


def _on_loss(loss: Loss, *, is_run: bool) -> str:
    message = loss.complaint.message
    if loss.kind == "statement" or not loss.name:
        what = f"a statement of class {loss.owner}" if loss.owner else "a statement"
        return f"{what} was left out, and the rest of {loss.complaint.place.label} is graded. {message}"
    owner = f"{loss.owner}." if loss.owner else ""
    what = f"class {owner}{loss.name}" if loss.kind == "class" else f"{owner}{loss.name}()"
    if not is_run:
        return f"{what} cannot be read and was left out; the rest is graded. {message}"
    return f"{what} cannot be read: it raises an error where it is called, and the rest is graded. {message}"


def _defined_again(gathering: Gathering, cell: int) -> list[str]:
    """Return what later cells define in a broken cell's stead; nothing if something else of it is needed."""
    selection = gathering.main
    names = begun_in(selection.parsed.document.cells[cell].source)
    again = {
        name for name in names if any(name in found.binds and found.cell > cell for found in selection.binders(name))
    }
    return [] if (names - again) & selection.wanted else sorted(again)


def on_stand_ins(stand_ins: dict[str, Place], names: dict[str, set[str]]) -> list[str]:
    """Return which modules are not at hand; of one that the student wrote, which names are then missing."""
    known = {dotted: place for dotted, place in stand_ins.items() if dotted.split(".")[0] in WELL_KNOWN}
    notes = []
    if known:
        places = [f"{dotted} ({place.label}, line {place.line})" for dotted, place in known.items()]
        notes.append(f"not installed here, replaced by stand-ins: {listed(places, _MOST_LISTED)}")
    own = [dotted for dotted in stand_ins if dotted not in known]
    for dotted in own[:_MOST_LISTED]:
        what = listed(sorted(names.get(dotted, ()))) or "what it defines"
        file = f"{dotted.split('.')[-1]}.py"
        notes.append(
            f"{dotted} was not handed in, so {what} come{'s' if len(names.get(dotted, ())) < 2 else ''} from a stand-in "
            f"({stand_ins[dotted]}): hand in {file} beside the notebook if your class uses it"
        )
    if len(own) > _MOST_LISTED:
        notes.append(f"{len(own) - _MOST_LISTED} more modules were not handed in")
    return notes


def on_lacking(gathering: Gathering) -> list[str]:
    """Name what the class needs and only a loop, or Python 2, would give."""
    lacking = {name for name in gathering.main.wanted if gathering.main.lacks(name)}
    notes = []
    for name, place in sorted(_bound_by_dropped(gathering, lacking).items())[:_MOST_LISTED]:
        notes.append(f"{name} is set only in a block that is not run: {place}. Set it in a plain statement")
    old = sorted(lacking & _PYTHON_2_NAMES.keys())
    return notes + [
        f"{name} is Python 2's, and this grader runs Python 3: write {_PYTHON_2_NAMES[name]}" for name in old
    ]


def on_variable(gathering: Gathering, extras: list[Statement], variable: str) -> list[str]:
    """Say that numbers found by tuning are not computed again."""
    selection = gathering.main
    names = {name for statement in extras for name in selection.parsed.needs(statement).now} | {variable}
    loops = _bound_by_dropped(gathering, names - BUILTINS)
    shown = [f"{name} ({place.label}, line {place.line})" for name, place in sorted(loops.items())]
    if not shown:
        return []
    where = f"{variable} depends on what is found in blocks that are not run: {listed(shown, _MOST_LISTED)}"
    return [f"{where}. Write the numbers that you found as plain numbers: {variable} = {{...}}"]


def _bound_by_dropped(gathering: Gathering, names: set[str]) -> dict[str, Place]:
    """Find where loops and other blocks that are not run bind these names; the last place of each."""
    found: dict[str, Place] = {}
    if not names:
        return found
    parsed = gathering.main.parsed
    for statement in parsed.statements:
        if not statement.runs:
            bound = bound_anywhere(statement.node)
            found |= {name: parsed.place(statement, bound[name]) for name in names & bound.keys()}
    return found


def _is_idle(node: ast.stmt) -> bool:
    """Whether leaving a statement out is not worth a word: magics' `pass`, texts, imports of what nobody needs."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, (ast.Pass, *IMPORTS))
