"""`grader grade --annotate`: each notebook beside its report, with the findings under its cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from grader.classroom.output import ANNOTATED
from grader.classroom.plan import Entry
from grader.cli import common
from grader.model import Assignment, Report
from grader.text.phrases import plural
from grader.text.sanitise import one_line


def annotate_reports(
    screen: Console, out: Path, chosen: Sequence[Entry], reports: Sequence[Report], assignment: Assignment
) -> None:
    """Write the notebooks with findings of all that were asked for, graded now or before; nothing where none was."""
    if not chosen:
        return
    from grader.integrations.annotated_notebook import annotate_class  # noqa: PLC0415 -- an extra, and 0.5 s to import

    with common.failures_in_words(f"--out {one_line(str(out))}"):
        count = annotate_class(out, {entry.name: entry.path for entry in chosen}, reports, assignment)
    common.say(screen, f"Wrote {ANNOTATED} beside {plural(count, 'report')}.")
