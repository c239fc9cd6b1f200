"""A class as GitLab's code quality report: one entry for each thing that cost points."""

import hashlib
import json
from collections import Counter

from grader.model import Report, Sheet
from grader.reports.annotations import Loss, find_losses, find_position
from grader.reports.export_rows import ExportOptions
from grader.text.sanitise import one_line

_SEVERITIES = {"error": "major", "warning": "minor"}


def to_codequality(sheet: Sheet, options: ExportOptions) -> str:
    """Return the report. A fingerprint holds no number that a seed or an edited line changes, so GitLab knows it again."""
    met: Counter[tuple[str, str]] = Counter()
    entries = []
    for report in sheet.reports:
        for one in find_losses(report):
            met[report.submission, one.id] += 1
            key = json.dumps([report.submission, one.id, met[report.submission, one.id]])
            entries.append(_entry(report, one, key, options))
    return json.dumps(entries, indent=2, allow_nan=False) + "\n"


def _entry(report: Report, one: Loss, key: str, options: ExportOptions) -> dict[str, object]:
    where = {"file": report.source, **find_position(report, one.place, options)}
    return {
        "description": one_line(f"{one.title}: {' '.join(one.message.split())}"),
        "check_name": one.id,
        "fingerprint": hashlib.sha256(key.encode()).hexdigest(),
        "severity": _SEVERITIES[one.level],
        "location": {"path": where["file"], "lines": {"begin": int(where.get("line", 1))}},
    }
