"""A student's notebook as a page, with what the grader found under the cells that it concerns."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from markupsafe import Markup

from grader.check_program import PARTS
from grader.classroom.output import ANNOTATED, folder_of
from grader.classroom.storage import write_whole
from grader.integrations import student_markdown
from grader.limited_process import LimitedProcess, OverLimitError
from grader.model import Assignment, Diagnosis, Place, Report, StepRow, StudentReport, Verdict
from grader.records import dataclass, field, replace
from grader.reports import wording
from grader.reports.page import render
from grader.reports.student_report import student_report
from grader.submission import HandIn, read, reduce
from grader.submission.errors import SubmissionError
from grader.submission.name_submissions import printable
from grader.submission.notebook_json import list_cells, read_json
from grader.text.sanitise import plain_text

CELL, OUTPUT, OUTPUTS, CELLS = 20_000, 4_000, 20, 1_000  # characters, outputs of a cell, and cells, at most
# Where the lesson has each part written; in a notebook of another form it is the method.
_WRITTEN_IN = {
    "forward": ("def forward", "def {loss}"),
    "loss": ("def softmax_loss", "def {loss}"),
    "backward": ("def backward", "def {loss}"),
    "train": ("def {train}",),
    "predict": ("def {predict}",),
    "tuning": ("best_hyperparameters",),
}
_COLOURS = re.compile(r"\x1b\[[\d;]*[A-Za-z]")


@dataclass(frozen=True)
class Output:
    """What a cell showed: a text, or the address of a picture with its data inside."""

    text: str = ""
    picture: str = ""


@dataclass(frozen=True)
class ShownCell:
    """A cell as the page shows it; label : by which places name it, "" where it is no code."""

    label: str
    source: str
    prose: Markup | None = None
    outputs: tuple[Output, ...] = ()


@dataclass
class Feedback:
    """What is told under one cell."""

    diagnoses: list[Diagnosis] = field(default_factory=list)
    steps: list[StepRow] = field(default_factory=list)
    checks: list[Verdict] = field(default_factory=list)


def to_annotated(report: Report, cells: Sequence[ShownCell]) -> str:
    """Return the page; of a hidden check it shows nothing, and of mistakes only what the student's report tells."""
    told = student_report(report)
    kept_back = {verdict.id for verdict in told.checks if verdict.hidden}
    visible = tuple(verdict for verdict in told.checks if not verdict.hidden)
    rulings = tuple(one for one in told.rulings if one.decision.check not in kept_back)
    told = StudentReport(replace(told, checks=visible, rulings=rulings))
    under = _place(told, cells)
    named = {(place.label, place.line) for place in _places(told)}
    groups: dict[str, str] = {}  # under which cell the links from the glance lead
    for label in [*(cell.label for cell in cells), ""]:
        for verdict in under[label].checks if label in under else ():
            groups.setdefault(verdict.group, label)
    sections = {label: wording.sections(replace(told, checks=tuple(one.checks))) for label, one in under.items()}
    return render(
        told, "annotated.html.j2", "Annotated notebook", ("report.css", "annotated.css"), pictures=True,
        cells=cells, under=under, cell_sections=sections, named=named, groups=groups, left_out=len(kept_back),
        mistakes=[(label, one.title) for label, found in under.items() if label for one in found.diagnoses],
    )  # fmt: skip


def _place(report: StudentReport, cells: Sequence[ShownCell]) -> dict[str, Feedback]:
    """Return what is told under each cell by its label; under "" what concerns none."""
    under: dict[str, Feedback] = defaultdict(Feedback)
    labels = {cell.label for cell in cells if cell.label}
    explained: dict[str, str] = {}
    methods = _methods(report)
    for diagnosis in report.diagnoses:
        label = _first([place.label for place in diagnosis.places], labels)
        label = label or _first([_written_in(check, cells, methods) for check in diagnosis.checks], labels)
        under[label].diagnoses.append(diagnosis)
        explained |= dict.fromkeys(diagnosis.checks, label if diagnosis.places else "")
    for step in report.steps if wording.is_wrong_somewhere(report) else ():
        under[_first([step.place.label], labels)].steps.append(step)
    for verdict in report.checks:
        by_place = [place.label for place in reversed(verdict.places)]  # the innermost line of a traceback
        of_mistake = explained.get(verdict.id, "") if verdict.status != "passed" else ""
        label = _first([*by_place, of_mistake, _written_in(verdict.id, cells, methods)], labels)
        under[label].checks.append(verdict)
    return dict(under)


def _first(labels: Sequence[str], known: set[str]) -> str:
    return next((label for label in labels if label in known), "")


def _methods(report: StudentReport) -> dict[str, str]:
    """Return what the assignment calls loss, train and predict, as the titles of their checks say it."""
    names = {
        part: found[1]
        for verdict in report.checks
        for part in ("loss", "train", "predict")
        if verdict.id in PARTS[part].checks and (found := re.match(r"(\w+)\([)X]", verdict.title))
    }
    return {part: names.get(part, part) for part in ("loss", "train", "predict")}


def _written_in(check: str, cells: Sequence[ShownCell], methods: Mapping[str, str]) -> str:
    """Return the last cell that holds what a check judges; "" where there is none."""
    part = next((key for key, part in PARTS.items() if check in part.checks), "")
    for begins in _WRITTEN_IN.get(part, ()):
        pattern = re.compile(rf"^[ \t]*{begins.format(**methods)}\b", re.MULTILINE)
        if found := [cell.label for cell in cells if cell.label and pattern.search(cell.source)]:
            return found[-1]
    return ""


def _places(report: StudentReport) -> Iterator[Place]:
    """Yield the lines that are marked in the cells: where something is wrong."""
    for diagnosis in report.diagnoses:
        yield from diagnosis.places
    for verdict in report.checks:
        yield from verdict.places
    yield from (step.place for step in report.steps if step.status == "differs")


# ---------------------------------------------------------------- the student's side


def show_cells(content: Any) -> list[ShownCell]:
    """Return the cells of a notebook's JSON, made safe, and numbered as the grader numbers them."""
    found: list[ShownCell] = []
    number = 0
    for cell in list_cells("the notebook", content)[0][:CELLS]:
        source = _text(cell.get("source", cell.get("input")), CELL) if isinstance(cell, dict) else None
        if source is None:
            continue
        kind = cell.get("cell_type", "code")
        if kind == "code":
            number += 1
            outputs = cell.get("outputs")
            shown = [_show_output(one) for one in (outputs if isinstance(outputs, list) else [])[:OUTPUTS]]
            found.append(ShownCell(f"code cell {number}", source, outputs=tuple(one for one in shown if one)))
        else:
            prose = student_markdown.to_html(source, cell.get("attachments")) if kind == "markdown" else None
            found.append(ShownCell("", source, prose))
    return found


def _show_output(output: Any) -> Output | None:
    """Return an output as a picture or as plain text; a page of HTML that it holds is never shown."""
    if not isinstance(output, dict):
        return None
    data = output.get("data")
    if shown := student_markdown.picture(data):
        return Output(picture=shown)
    plain = data.get("text/plain") if isinstance(data, dict) else None
    text = _text(output.get("traceback") or output.get("text") or plain, OUTPUT, between=output.get("traceback"))
    return Output(text.strip("\n")) if text and text.strip() else None


def _text(value: Any, most: int, *, between: Any = None) -> str | None:
    """Return a text of a notebook, which may be a list of lines, fit for reading; None for what is no text."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = ("\n" if between else "").join(value)
    return plain_text(_COLOURS.sub("", value[: 10 * most]), most) if isinstance(value, str) else None


def _annotate(hand_in: HandIn, report: Report, class_name: str, notebook: str) -> str:
    graded = reduce(hand_in, "", "", class_name=class_name, notebook=notebook).graded_file
    file = next((one for one in hand_in.files if printable(str(one.path)) == graded), None)
    file = file or next((one for one in hand_in.files if one.path.suffix == ".ipynb"), None)
    cells = []
    if file is not None:
        text, shown = file.data.decode("utf-8-sig", "replace"), printable(str(file.path))
        try:
            cells = show_cells(read_json(shown, text)[0])
        except SubmissionError:
            cells = [ShownCell(shown, plain_text(text, CELL))]
    return to_annotated(report, cells)


def _annotate_content(report: Report, content: str) -> str:
    return to_annotated(report, show_cells(json.loads(content)))


_annotator, _content_annotator = LimitedProcess(_annotate), LimitedProcess(_annotate_content)


def annotate_notebook(report: Report, content: str) -> str:
    """Return the page of one notebook, with its outputs; content : its JSON. Raises OverLimitError: see `LimitedProcess`."""
    with closing(_content_annotator):
        return _content_annotator(report, content)


def annotate_class(out: Path, paths: Mapping[str, Path], reports: Sequence[Report], assignment: Assignment) -> int:
    """Write the notebook of each hand-in of a class beside its report, and return how many.

    paths : of the hand-ins, by name. Raises OSError. Each page is made in a process with limits; where the text of a hand-in
    needs more than those, its page has no cells. Stored outputs are left out, as `read` drops them.
    """
    for report in reports:
        hand_in = read(paths[report.submission])
        try:
            page = _annotator(hand_in, report, assignment.class_name, assignment.notebook)
        except OverLimitError:
            page = to_annotated(report, [])
        write_whole(folder_of(out, report.submission) / ANNOTATED, page)
    _annotator.close()
    return len(reports)
