"""What to tell a student whose class is nowhere to be found."""

from __future__ import annotations

import ast
import re
import unicodedata

from grader.submission.bindings import DEFINITIONS
from grader.submission.choose_file import missing_imports
from grader.submission.errors import SubmissionError, failed, nothing_to_grade
from grader.submission.handed_in_modules import Library
from grader.submission.name_submissions import join_names
from grader.text.nearest import nearest


def explain_missing_class(library: Library, class_name: str) -> SubmissionError:
    """Return what was found in the class's stead, and how to mend it; the likeliest cause comes first."""
    documents = list(library.documents.values())
    shown = join_names([document.shown for document in documents], 3)
    faults = [problem for document in documents if (problem := library.fault(document))]
    if len(faults) == len(documents):
        return SubmissionError(faults[0])
    cut = [document.cut for document in documents if document.cut]
    if cut:  # the class is likely to stand where the file is lost
        return SubmissionError(cut[0])
    if not any(cell.source.strip() for document in documents for cell in document.cells):
        return nothing_to_grade(f"{shown} holds no code. Hand in the notebook with your {class_name} in it.")
    for document, request, place in missing_imports(library, class_name):
        file = f"{request.dotted.split('.')[-1]}.py"
        return failed(
            f"{document.shown} imports {class_name} from {request.dotted} ({place}), but {file} was not handed in. "
            f"Hand in a zip that holds the notebook and {file}.",
            place,
        )
    for document in documents:
        # Not \s: it would run to the end of an empty text of a million lines, from each of them.
        if re.search(rf"^[ \t]*class[ \t]+{re.escape(class_name)}\b", document.prose, re.MULTILINE):
            return failed(
                f"In {document.shown}, class {class_name} stands in a Markdown or raw cell, which Python does not run. "
                "Change the cell's type to Code."
            )
    return _explain_not_defined(library, class_name, shown)


def _explain_not_defined(library: Library, class_name: str, shown: str) -> SubmissionError:
    parsed = [library.parsed(document) for document in library.documents.values()]
    statements = [(one, statement) for one in parsed for statement in one.statements]
    classes = {s.node.name: (one, s) for one, s in statements if isinstance(s.node, ast.ClassDef)}
    functions = {s.node.name: s for _, s in statements if isinstance(s.node, ast.FunctionDef)}
    for one, statement in statements:
        inside = ast.walk(statement.node) if not isinstance(statement.node, DEFINITIONS) else ()
        for node in inside:
            if isinstance(node, ast.ClassDef) and node.name == class_name:
                place = one.place(statement, node)
                return failed(f"{class_name} is defined inside another block at {place}. Move it to the margin.", place)
    found = "It defines no class"
    if classes:
        found = f"It defines {'classes' if len(classes) > 1 else 'class'} {join_names(list(classes))}"
    if functions:
        found += f" and the function{'s' if len(functions) > 1 else ''} {join_names(list(functions), 8)}"
    meant = _nearest_name(class_name, list(classes))
    if meant:
        one, statement = classes[meant]
        place = one.place(statement)
        return failed(
            f"No class {class_name} in {shown}. Did you mean {meant} ({place})?{_describe_look_alikes(meant, class_name)} "
            f"Then rename it to {class_name}.",
            place,
        )
    mend = f"Write `class {class_name}` with the methods loss, train and predict"
    if {"loss", "train", "predict"} & functions.keys():
        mend = f"Write the functions as methods of `class {class_name}`"
    return failed(f"No class {class_name} in {shown}. {found}. {mend}.")


def _describe_look_alikes(name: str, asked: str) -> str:
    """Name the letters that are not those that were asked for, though they may look the same: a Cyrillic e, say."""
    strange = [letter for letter in dict.fromkeys(name) if not letter.isascii() and letter not in asked]
    told = join_names([f"{letter} is {unicodedata.name(letter, 'a letter without a name')}" for letter in strange], 3)
    return f" Its {told}." if strange else ""


def _nearest_name(class_name: str, names: list[str]) -> str:
    """Return the name that was probably meant, or ""."""
    return next(iter(nearest(class_name, names[:200])), "")
