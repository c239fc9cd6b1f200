"""An audit as text: a table in the terminal, a page with a picture of the matrix, and JSON."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.audit.matrix import Audit, Cell, Row, Use
from grader.reports.figures import element, picture
from grader.reports.page_assets import fill_in, page_assets
from grader.text.phrases import format_points

STAGES = {
    "purity": "Arguments and parameters",
    "scores": "Scores",
    "loss": "Loss",
    "gradients": "Gradients",
    "train": "Training",
    "predict": "Prediction",
}
MARKS: dict[Cell, str] = {"charged": "points lost", "credited": "fails, charged elsewhere", "passed": "passes"}
# Of the picture, in pixels.
SQUARE, NAMES, HEAD, MARGIN = 15, 320, 130, 160


def to_terminal(audit: Audit) -> RenderableType:
    """Lay the audit out for a rich console: a line for each mistake, then one for each check, then what is wrong."""
    mistakes = Table(
        "mistake", "points", "charged at", "fails as well", "", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for row in audit.rows:
        charged, credited = ([c for c, cell in row.cells.items() if cell == kind] for kind in ("charged", "credited"))
        mark = Text("✗", style="red") if row.problems else Text("✓", style="green")
        lost = format_points(row.score - audit.max_score) if row.score < audit.max_score else "0"
        mistakes.add_row(row.trial.name, lost, ", ".join(charged), Text(", ".join(credited), style="dim"), mark)
    checks = Table("check", "catches", "alone", "", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for use in audit.uses:
        checks.add_row(use.check, str(len(use.catches)), str(len(use.alone)), remark(use))
    return Group(mistakes, Text(), checks, Text(), *(Text(line) for line in conclusion(audit)))


def conclusion(audit: Audit) -> list[str]:
    """Return the result of the audit in a few lines."""
    wrong = audit.mistakes
    ids = {row.trial.form.id for row in wrong if row.trial.form}
    sound = sum(not row.problems for row in wrong)
    lines = [
        f"{len(ids)} mistakes in {len(wrong)} ways: {sound} of them lose points where they should and are named correctly."
    ]
    if audit.left_out:
        lines.append(
            f"No mistakes in this network, since they change nothing in it, or return nothing: {', '.join(audit.left_out)}."
        )
    lines += [f"Wrong: {problem}" for problem in audit.problems]
    return lines if audit.problems else [*lines, "The rubric is sound."]


def remark(use: Use) -> str:
    """Return a remark on a check that no mistake needs."""
    if not use.about_network:
        return "judges the student's choice of hyperparameters, which no mistake in the network affects"
    if use.alone:
        return ""
    return f"redundant with {', '.join(use.covered_by)}" if use.covered_by else "catches nothing"


def to_json(audit: Audit) -> str:
    """Write the audit as JSON: title, max_score, rows with their cells, checks, problems."""
    data: dict[str, Any] = {
        "schema": "grader/audit/1",
        "title": audit.title,
        "max_score": audit.max_score,
        "sound": not audit.problems,
        "problems": audit.problems,
        "left_out": audit.left_out,
        "rows": [
            {
                "name": row.trial.name,
                "mistake": row.trial.form.id if row.trial.form else None,
                "harmless": row.trial.form is None or row.trial.form.harmless,
                "score": row.score,
                "named": row.named,
                "checks": dict(row.cells),
                "problems": row.problems,
            }
            for row in audit.rows
        ],
        "checks": [
            {"id": use.check, "catches": use.catches, "alone": use.alone, "covered_by": use.covered_by}
            for use in audit.uses
        ],
    }
    return json.dumps(data, indent=2) + "\n"


def to_html(audit: Audit) -> str:
    """Write the audit as one self-contained page."""
    groups = [
        {"title": STAGES[stage], "picture": draw(list(rows), [use.check for use in audit.uses])}
        for stage, rows in groupby(audit.mistakes, key=lambda row: row.trial.form.stage if row.trial.form else "")
    ]
    return fill_in(
        "audit.html.j2",
        assets=page_assets(("report.css",)),
        audit=audit,
        groups=groups,
        conclusion=conclusion(audit),
        remark=remark,
        marks=MARKS,
    )


def draw(rows: Sequence[Row], checks: Sequence[str]) -> Markup:
    """Return a picture of some rows: a square for each mistake and check, with a tooltip."""
    parts = [
        element("text", check, transform=f"translate({_x(at) + 11} {HEAD - 6}) rotate(-60)", class_="check")
        for at, check in enumerate(checks)
    ]
    for index, row in enumerate(rows):
        y = HEAD + SQUARE * index
        parts.append(element("text", row.trial.name, x=NAMES - 8, y=y + 11, class_="name"))
        parts += [_square(row, check, _x(at), y) for at, check in enumerate(checks)]
        if row.problems:
            named = ", ".join(row.named) or "not named"
            parts.append(element("text", f"✗ {named}", x=_x(len(checks)) + 6, y=y + 11, class_="wrong"))
    width, height = NAMES + SQUARE * len(checks) + MARGIN, HEAD + SQUARE * len(rows)
    label = {"viewBox": f"0 0 {width} {height}", "aria-label": f"{len(rows)} mistakes by {len(checks)} checks"}
    return picture("".join(parts), width=width, height=height, role="img", class_="matrix", **label)


def _square(row: Row, check: str, x: float, y: float) -> str:
    cell = row.cells.get(check, "passed")
    told = element("title", f"{row.trial.name}, {check}: {MARKS[cell]}")
    return element("rect", inside=told, x=x, y=y, width=SQUARE - 2, height=SQUARE - 2, class_=f"cell {cell}")


def _x(at: int) -> int:
    return NAMES + SQUARE * at
