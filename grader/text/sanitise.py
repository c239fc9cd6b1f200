r"""Text that a student may have written, made safe and short enough to read.

Names, paths, quoted lines, exceptions and whatever was printed reach the report as the student wrote them; so does what
people say of their decisions, which may quote any of it.
`sanitise_report` is the one gate: it makes each of them plain, and the table of formats gives every format what it returns. What escapes a format's own characters (markup, JSON, XML) is left to the library that writes it.
"""

import re
import unicodedata
from dataclasses import replace
from functools import lru_cache

from grader.model import Curves, Diagnosis, Environment, Figure, HeatMap, Place, Report, Ruling, StepRow, Verdict
from grader.text.machine_paths import name_paths

MESSAGE = 4_000  # characters of a message or a note: about a screen and a half
LINE = 400  # characters of a title, a label or a quoted line
PATH = 1_000  # characters of a path
NOTES = 100
FIRST_PLACES, LAST_PLACES = 3, 9  # of a long traceback; the innermost lines tell the most
STEPS = 25  # rows of the table of steps
NAME = 80  # characters of a name in it
SERIES = 6  # curves in one figure; more cannot be told apart

# Controls (ESC starts a terminal's own commands), formats (bidirectional overrides and zero-width characters show
# other text than is there), surrogates (no encoder takes them), private, unassigned, and two line ends that few see.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# Any format may be printed in a CI job, whose runner obeys what it reads there: GitHub a line that begins with
# `::set-output name=score::100` or holds `##[error]` anywhere, Azure `##vso[...]`, TeamCity `##teamcity[...]`. A wrapped
# line may begin at any character, so the pair is parted wherever it stands; `a[::2]` and `a[::-1]` stay as they are.
_COMMAND = re.compile(r":(?=:[^\W\d_])|#(?=#\w*\[)")

# What spreadsheets take for the beginning of a formula, full-width and small forms included. It counts after spaces
# and quotes, which an import strips, and after a semicolon, at which half of Europe's spreadsheets part the cells.
_FORMULA = re.compile(r'(^|[,;])(?=[\s"]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212])')


@lru_cache(maxsize=4_096)
def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def one_line(text: str, limit: int = LINE) -> str:
    r"""Make a text fit for one line: nothing unseen and no command in it, and at most `limit` characters.

    Unseen characters are written as ``\u001b``, tabs as four spaces, commands to a CI's runner as ``: :error``, and
    what is left out of the middle is counted there. Applying it twice changes nothing more.
    """
    return _shortened(_make_visible(text), limit)


def plain_text(text: str, limit: int = MESSAGE) -> str:
    """Make a text of several lines fit for reading: as `one_line`, but newlines stay.

    Windows line ends become newlines; a lone carriage return, which would let a terminal overwrite the line, is shown.
    """
    if text.isprintable():  # so it has one line
        return _shortened(_make_visible(text), limit)
    lines = text.replace("\r\n", "\n").split("\n")
    return _shortened("\n".join(map(_make_visible, lines)), limit)


def csv_cell(text: str, limit: int = LINE) -> str:
    """Make a text fit for a cell of a CSV file: as `one_line`, and an apostrophe says that it is no formula."""
    return _FORMULA.sub(r"\1'", one_line(text, limit))


def _make_visible(text: str) -> str:
    if "\t" in text:
        text = text.replace("\t", "    ")
    shown = text if text.isprintable() else "".join(map(_visible, text))
    # Asked forty times a report, and the pattern takes four times as long as this to find nothing.
    return _COMMAND.sub(r"\g<0> ", shown) if "::" in shown or "##" in shown else shown


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    # The remark counts towards the limit: a text that was shortened once is never shortened again.
    kept = max(0, limit - len(f"... ({len(text):,} characters left out) ..."))
    # The end stays: a message says there how to mend what it names, and a path which file it is.
    end = kept // 4
    return f"{text[: kept - end]}... ({len(text) - kept:,} characters left out) ...{text[len(text) - end :]}"


_latest: tuple[Report, Report] | None = None  # the last report that was asked for, and what may be read of it


def sanitise_report(report: Report) -> Report:
    """Return the report with every text plain, and no path of this machine in what it tells.

    A report is written in several formats one after the other, so the last one is remembered, by identity: whoever
    changes a mapping inside a report has to make a new report of it.
    """
    global _latest  # noqa: PLW0603 -- formats are functions of a report, and have no other place in common
    latest = _latest  # another thread may be at another report
    if latest is not None and latest[0] is report:
        return latest[1]
    shown = _readable(report)
    _latest = (report, shown)
    return shown


def _readable(report: Report) -> Report:
    notes = tuple(plain_text(name_paths(note)) for note in report.notes)
    if len(notes) > NOTES:
        notes = (*notes[: NOTES - 1], f"... ({len(notes) - NOTES + 1:,} notes more)")
    return replace(
        report,
        submission=one_line(report.submission),
        source=one_line(report.source, PATH),
        checks=tuple(map(_verdict, report.checks)),
        diagnoses=tuple(map(_diagnosis, report.diagnoses)),
        notes=notes,
        environment=Environment(
            versions={one_line(name): one_line(version) for name, version in report.environment.versions.items()},
            isolation=tuple(map(one_line, report.environment.isolation)),
        ),
        timing={one_line(name): seconds for name, seconds in report.timing.items()},
        rulings=tuple(map(_ruling, report.rulings)),
        review=tuple(plain_text(name_paths(one)) for one in report.review),
        student=one_line(report.student) if report.student is not None else None,
        steps=_steps(report.steps),
    )


# Most reports of a class say the same of most checks and lines; a message and a line have their own limits.
@lru_cache(maxsize=500)
def _texts(identity: str, title: str, message: str) -> tuple[str, str, str]:
    return one_line(identity), one_line(title), plain_text(name_paths(message))


@lru_cache(maxsize=1_000)
def _step(row: StepRow) -> StepRow:
    return replace(
        row, place=_place(row.place), name=one_line(row.name, NAME), verdict=one_line(name_paths(row.verdict))
    )


def _verdict(verdict: Verdict) -> Verdict:
    texts = _texts(verdict.id, verdict.title, verdict.message)
    if texts == (verdict.id, verdict.title, verdict.message) and not verdict.figures and not verdict.places:
        return verdict  # as most are, and eighteen copies take a third of the time of all this
    return replace(
        verdict,
        id=texts[0],
        title=texts[1],
        message=texts[2],
        figures=tuple(map(_figure, verdict.figures)),
        places=_places(verdict.places),
    )


def _figure(figure: Figure) -> Figure:
    match figure:
        case HeatMap():
            return replace(figure, title=one_line(figure.title))
        case Curves():
            series = tuple((one_line(label, 60), values) for label, values in figure.series[:SERIES])
            return replace(figure, title=one_line(figure.title), series=series)


def _places(places: tuple[Place, ...]) -> tuple[Place, ...]:
    shown = tuple(map(_place, places))
    left_out = len(shown) - FIRST_PLACES - LAST_PLACES
    if left_out <= 1:
        return shown
    gap = Place(f"... ({left_out:,} lines more)", 0, "")
    return (*shown[:FIRST_PLACES], gap, *shown[-LAST_PLACES:])


def _place(place: Place) -> Place:
    return Place(one_line(place.label), place.line, one_line(place.text.rstrip()))


def _steps(steps: tuple[StepRow, ...]) -> tuple[StepRow, ...]:
    """Return the rows that say where they stand; of too many those around the first that differs."""
    placed = [row for row in steps if row.place.line]
    first = next((index for index, row in enumerate(placed) if row.status == "differs"), 0)
    start = max(0, min(first - STEPS // 2, len(placed) - STEPS))
    return tuple(map(_step, placed[start : start + STEPS]))


def _diagnosis(diagnosis: Diagnosis) -> Diagnosis:
    return replace(
        diagnosis,
        id=one_line(diagnosis.id),
        title=one_line(name_paths(diagnosis.title)),
        hint=plain_text(name_paths(diagnosis.hint)),
        source=one_line(diagnosis.source),
        checks=tuple(map(one_line, diagnosis.checks)),
        costs={one_line(check): points for check, points in diagnosis.costs.items()},
        places=_places(diagnosis.places),
    )


def _ruling(ruling: Ruling) -> Ruling:
    decision = replace(
        ruling.decision,
        check=one_line(ruling.decision.check),
        comment=plain_text(ruling.decision.comment),
        by=one_line(ruling.decision.by),
        at=one_line(ruling.decision.at),
        submission_digest=one_line(ruling.decision.submission_digest),
    )
    return replace(ruling, decision=decision, effect=plain_text(ruling.effect))
