"""The notes of a report, one sentence per fact, and the explanation where the class is missing."""

import ast
import re
import unicodedata
from collections.abc import Iterator, Sequence

from grader.model import Place
from grader.submission.bindings import DEFINITIONS, IMPORTS, names_bound_anywhere, walk
from grader.submission.choose_file import Candidate
from grader.submission.dependencies import DependencyClosure, Selection
from grader.submission.documents import Document
from grader.submission.errors import SubmissionError, failed, nothing_to_grade
from grader.submission.handed_in_modules import WELL_KNOWN, Library, Request
from grader.submission.salvage import LostPart
from grader.submission.statements import BUILTINS, Statement, names_begun
from grader.text.nearest import nearest
from grader.text.phrases import join_some

_MOST_LISTED = 6
_LONGEST_NAME = 80  # characters of a name in a list
_IN_NOTEBOOKS = {"display", "get_ipython"}
_PYTHON_2_NAMES = {
    "xrange": "range",
    "raw_input": "input",
    "unicode": "str",
    "basestring": "str",
    "unichr": "chr",
    "long": "int",
    "reduce": "functools.reduce",
}


def describe_choice(candidates: list[Candidate], class_name: str) -> list[str]:
    """Return notes on which file was graded if there was a choice, and which of several definitions counts."""
    chosen = candidates[0]
    notes = []
    others = sorted({c.document.label for c in candidates[1:]} | {c.holder.label for c in candidates[1:]})
    others = [name for name in others if name not in {chosen.document.label, chosen.holder.label}]
    where = f" ({chosen.places[-1]})" if chosen.places else ""  # none where the file does not parse
    if chosen.holder.path != chosen.document.path:
        notes.append(f"graded: {class_name} of {chosen.holder.label}, which {chosen.document.label} imports{where}")
    elif others:
        notes.append(f"graded: {class_name} of {chosen.document.label}{where}")
    if others:
        notes.append(f"not graded, though {class_name} is also in: {join_some(others, 5, _LONGEST_NAME)}")
    replaced, steps = chosen.places[: -chosen.steps], chosen.places[-chosen.steps :]
    if replaced:
        notes.append(
            f"{class_name} is defined {len(replaced) + 1} times ({_last_of(replaced)}; then {steps[0]}): "
            "the last one counts, as in Python"
        )
    if len(steps) > 1:
        notes.append(
            f"{class_name} is made in {len(steps)} steps ({_last_of(steps[:-1])}; then {steps[-1]}): "
            "each builds on the one before, so all of them count"
        )
    return notes


def _last_of(places: Sequence[Place]) -> str:
    return ", ".join(str(place) for place in places[-3:])


def _at_most(notes: list[str], rest: str) -> list[str]:
    """Return the first few notes, and how many more there are."""
    more = len(notes) - _MOST_LISTED
    return notes if more <= 0 else [*notes[:_MOST_LISTED], f"{more} more {rest}"]


def describe_left_out(closure: DependencyClosure) -> list[str]:
    """Return notes on how much is not run, and which cells do not parse."""
    parsed = closure.main.parsed
    told = closure.main.kept.keys() | parsed.stubs.keys()  # those by themselves
    left = sum(statement.order not in told and not _is_idle(statement.node) for statement in parsed.statements)
    magics = parsed.document.magics
    parts = [f"{magics} magic{'s' if magics > 1 else ''}"] if magics else []
    if left:
        does = "statements that the class does" if left > 1 else "statement that the class does"
        parts.append(f"{left} {does} not need (plots, training, tuning)")
    notes = []
    for number, error in parsed.broken.items():
        cell = parsed.document.cells[number]
        again = _describe_redefined(closure.main, number, names_begun(cell.source))
        notes.append(again or f"{cell.label} was left out. {error.problem.message}")
    left_out = [f"left out: {', '.join(parts)}"] if parts else []
    left_out += _at_most(
        [f"left out, since the grader cannot tell what it does: {place}" for place in parsed.document.dropped],
        "lines of IPython's were left out",
    )
    left_out += _at_most(
        [
            f"{place.label}, line {place.line} runs {place.text}, which was not handed in: hand it in beside the notebook"
            for place in parsed.document.not_handed_in
        ],
        "files that it runs were not handed in",
    )
    return left_out + _at_most(notes, "cells were left out, because Python cannot read them")


def describe_lost_parts(closure: DependencyClosure, variable: str) -> list[str]:
    """Return notes on parts that could not be read, except the one that defines the variable."""
    of_variable = closure.lost(variable)
    notes: list[str] = []
    for selection in closure.selections():
        spans = [(s.cell, s.node.lineno, s.node.end_lineno or 0) for s in selection.kept.values()]
        for cell, parts in selection.parsed.lost_parts.items():
            told = [part for part in parts if part is not of_variable]
            run = [part for part in told if any(at == cell and first <= part.line <= end for at, first, end in spans)]
            again = "" if run or not told else _describe_redefined(selection, cell, {part.name for part in told})
            notes += [again] if again else [_describe_lost_part(part, is_run=part in run) for part in told]
    return _at_most(notes, "parts cannot be read, and the rest is graded")


def _describe_redefined(selection: Selection, cell: int, names: set[str]) -> str:
    """Return a sentence if later cells define again the needed names that one broken cell lost; else ""."""
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
    return f"{part} was left out: Python 3 cannot read it, and a later cell defines {join_some(sorted(again), 5, _LONGEST_NAME)} again"


def _describe_lost_part(lost: LostPart, *, is_run: bool) -> str:
    message = lost.complaint.message
    if lost.kind == "statement" or not lost.name:
        what = f"a statement of class {lost.owner}" if lost.owner else "a statement"
        return f"{what} was left out, and the rest of {lost.complaint.place.label} is graded. {message}"
    owner = f"{lost.owner}." if lost.owner else ""
    what = f"class {owner}{lost.name}" if lost.kind == "class" else f"{owner}{lost.name}()"
    if not is_run:
        return f"{what} cannot be read and was left out; the rest is graded. {message}"
    return f"{what} cannot be read: it raises an error where it is called, and the rest is graded. {message}"


def describe_stub_modules(closure: DependencyClosure) -> list[str]:
    """Return notes on missing modules; for a student's own module, with the names that are missing then."""
    known, own = [], []
    for dotted, place in closure.stub_modules.items():
        names = sorted(closure.stub_names[dotted])
        if dotted.split(".")[0] in WELL_KNOWN:
            known.append(f"{dotted} ({place.label}, line {place.line})")
        else:
            come = "come" if len(names) > 1 else "comes"
            own.append(
                f"{dotted} was not handed in, so {join_some(names, 5, _LONGEST_NAME) or 'what it defines'} {come} from a stub "
                f"({place}): hand in {dotted.split('.')[-1]}.py beside the notebook if your class uses it"
            )
    notes = (
        [f"not installed here, replaced by stub modules: {join_some(known, _MOST_LISTED, _LONGEST_NAME)}"]
        if known
        else []
    )
    return notes + _at_most(own, "modules were not handed in")


def describe_lacking(closure: DependencyClosure) -> list[str]:
    """Return notes on names that the class needs and only a loop, or Python 2, would define."""
    lacking = {name for name in closure.main.wanted if closure.main.lacks(name)}
    dropped = sorted(_bound_by_dropped(closure, lacking).items())[:_MOST_LISTED]
    document = closure.main.parsed.document
    lines = [str(place) for place in (*document.dropped, *document.not_handed_in)]
    unbound = sorted(lacking - dict(dropped).keys() - _PYTHON_2_NAMES.keys() - _IN_NOTEBOOKS) if lines else []
    return [
        *(
            f"nothing that is run defines {name}; perhaps a line that was left out does: {join_some(lines, 3, 200)}"
            for name in unbound[:_MOST_LISTED]
        ),
        *(f"{name} is set only in a block that is not run: {at}. Set it in a plain statement" for name, at in dropped),
        *(
            f"{name} belongs to Python 2, and this grader runs Python 3: write {_PYTHON_2_NAMES[name]}"
            for name in sorted(lacking & _PYTHON_2_NAMES.keys())
        ),
    ]


def describe_variable(closure: DependencyClosure, extras: list[Statement], variable: str) -> list[str]:
    """Return a note if numbers found by tuning would have to be computed again."""
    selection = closure.main
    names = {name for statement in extras for name in selection.parsed.needs(statement).now} | {variable}
    loops = _bound_by_dropped(closure, names - BUILTINS)
    shown = [f"{name} ({place.label}, line {place.line})" for name, place in sorted(loops.items())]
    if not shown:
        return []
    where = (
        f"{variable} depends on values from blocks that are not run: {join_some(shown, _MOST_LISTED, _LONGEST_NAME)}"
    )
    return [f"{where}. Write the values that you found as plain numbers: {variable} = {{...}}"]


def _bound_by_dropped(closure: DependencyClosure, names: set[str]) -> dict[str, Place]:
    """Return the last place where a loop or another block that is not run binds each of these names."""
    parsed = closure.main.parsed
    found: dict[str, Place] = {}
    # A name may be written in other letters than it has where a text is not all ASCII.
    texts = [cell.source for cell in parsed.document.cells]
    near = [not text.isascii() or any(name in text for name in names) for text in texts]
    for statement in parsed.statements if names else ():
        if near[statement.cell] and not statement.runs:
            bound = names_bound_anywhere(statement.node)
            found |= {name: parsed.place(statement, bound[name]) for name in names & bound.keys()}
    return found


def _is_idle(node: ast.stmt) -> bool:
    """Return whether a left-out statement needs no note: magics' `pass`, texts, unused imports."""
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, (ast.Pass, *IMPORTS))


def explain_missing_class(library: Library, class_name: str) -> SubmissionError:
    """Return the error for a missing class: what was found instead, and how to mend it, likeliest cause first."""
    documents = list(library.documents.values())
    shown = join_some([document.label for document in documents], 3, _LONGEST_NAME)
    faults = [problem for document in documents if (problem := library.fault(document))]
    if len(faults) == len(documents):
        return SubmissionError(faults[0])
    cut = [document.cut for document in documents if document.cut]
    if cut:  # the class is likely to stand where the file is lost
        return SubmissionError(cut[0])
    if not any(cell.source.strip() for document in documents for cell in document.cells):
        return nothing_to_grade(f"{shown} holds no code. Hand in the notebook with your {class_name} in it.")
    for document, request, place in _missing_imports(library, class_name):
        file = f"{request.dotted.split('.')[-1]}.py"
        return failed(
            f"{document.label} imports {class_name} from {request.dotted} ({place}), but {file} was not handed in. "
            f"Hand in a zip that holds the notebook and {file}.",
            place,
        )
    for document in documents:
        # Not \s: it would run to the end of an empty text of a million lines, from each of them.
        if re.search(rf"^[ \t]*class[ \t]+{re.escape(class_name)}\b", document.prose, re.MULTILINE):
            return failed(
                f"In {document.label}, class {class_name} is in a Markdown or raw cell, which Python does not run. "
                "Change the cell's type to Code."
            )
    return _explain_not_defined(library, class_name, shown)


def _missing_imports(library: Library, name: str) -> Iterator[tuple[Document, Request, Place]]:
    """List the imports of a name from modules that were not handed in."""
    for document in library.documents.values():
        if not any(name in cell.source for cell in document.cells):
            continue
        parsed = library.parsed(document)
        for statement in parsed.statements:
            if name in statement.binds and statement.runs:
                for request in library.requests(statement.node, "", document.path):
                    if name in (request.names or ()) and library.is_missing(request, document.path):
                        yield document, request, parsed.place(statement)


def _explain_not_defined(library: Library, class_name: str, shown: str) -> SubmissionError:
    parsed = [library.parsed(document) for document in library.documents.values()]
    statements = [(one, statement) for one in parsed for statement in one.statements]
    classes = {s.node.name: (one, s) for one, s in statements if isinstance(s.node, ast.ClassDef)}
    functions = {s.node.name: s for _, s in statements if isinstance(s.node, ast.FunctionDef)}
    for one, statement in statements:
        inside = walk(statement.node) if not isinstance(statement.node, DEFINITIONS) else ()
        for node in inside:
            if isinstance(node, ast.ClassDef) and node.name == class_name:
                place = one.place(statement, node)
                return failed(f"{class_name} is defined inside another block at {place}. Move it to the margin.", place)
    found = "It defines no class"
    if classes:
        found = f"It defines {'classes' if len(classes) > 1 else 'class'} {join_some(list(classes), 5, _LONGEST_NAME)}"
    if functions:
        found += f" and the function{'s' if len(functions) > 1 else ''} {join_some(list(functions), 8, _LONGEST_NAME)}"
    meant = next(iter(nearest(class_name, list(classes)[:200])), "")
    if meant:
        one, statement = classes[meant]
        place = one.place(statement)
        return failed(
            f"No class {class_name} in {shown}. Did you mean {meant} ({place})?{_describe_look_alikes(meant, class_name)} "
            f"Then rename it to {class_name}.",
            place,
        )
    mend = f"Write `class {class_name}` with the methods loss(), train() and predict()"
    if {"loss", "train", "predict"} & functions.keys():
        mend = f"Write the functions as methods of `class {class_name}`"
    return failed(f"No class {class_name} in {shown}. {found}. {mend}.")


def _describe_look_alikes(name: str, asked: str) -> str:
    """Return a sentence on letters that only look like the right ones, such as a Cyrillic e."""
    strange = [letter for letter in dict.fromkeys(name) if not letter.isascii() and letter not in asked]
    told = join_some(
        [f"{letter} is {unicodedata.name(letter, 'a letter without a name')}" for letter in strange], 3, _LONGEST_NAME
    )
    return f" Its {told}." if strange else ""
