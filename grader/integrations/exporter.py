"""`jupyter nbconvert --to feedback two_layer_net.ipynb`: the notebook as a page with the grader's findings under its cells."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from nbconvert.exporters import Exporter
from nbconvert.utils.exceptions import ConversionException
from traitlets import Unicode, default

from grader.check_program import NothingToCheckError, check_program
from grader.frozen import FrozenError, load_frozen
from grader.integrations.annotated_notebook import annotate_notebook
from grader.integrations.notebook import start_host
from grader.limited_process import OverLimitError
from grader.model import Environment, Report
from grader.reports.report_json import from_json
from grader.reports.self_check import count_passed
from grader.rubric import bundled
from grader.submission import HandIn
from grader.submission.read_files import File


class FeedbackExporter(Exporter):
    """A notebook as HTML with verdicts, pictures, hints and the table of steps under its cells."""

    export_from_notebook = "Feedback"
    output_mimetype = "text/html"
    report = Unicode(help="The report.json of this notebook in a graded class. [default: check it now]").tag(
        config=True
    )
    questions = Unicode(help="Frozen questions to check by. [default: those that come with the grader]").tag(
        config=True
    )

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        """Return the page, made in a process with limits.

        Raises ConversionException where there are no questions or no such report, or the page needs more than the limits.
        """
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        name = f"{resources['metadata']['name'] or 'notebook'}.ipynb"
        content = json.dumps(nb)
        try:
            report = (
                from_json(Path(self.report).read_text(encoding="utf-8")) if self.report else self._check(content, name)
            )
        except (OSError, ValueError, FrozenError) as error:
            raise ConversionException(f"{self.report or name}: {error}") from error
        try:
            return annotate_notebook(report, content), resources
        except OverLimitError as error:
            raise ConversionException(
                f"{name}: making its page {error}. Clear the outputs and shorten the texts."
            ) from error

    def _check(self, content: str, name: str) -> Report:
        """Return the report by the public questions."""
        data = content.encode()
        hand_in = HandIn((File(PurePosixPath(name), data),), (), hashlib.sha256(data).hexdigest())
        frozen = load_frozen(Path(self.questions) if self.questions else bundled())
        try:
            with start_host(frozen) as host:
                report = check_program(hand_in, name, name, frozen, host)
        except NothingToCheckError as error:
            most = sum(row.points for row in frozen.assignment.checks)
            nothing = Environment({}, ())
            return Report(name, name, 0.0, most, "no_submission", (), (), (str(error),), nothing, {})
        if report.status != "graded":
            return report
        return replace(report, notes=(count_passed(report), *report.notes))
