"""A table about students that a person typed or a platform exported: which submission each line is about."""

from collections.abc import Mapping
from pathlib import Path

from grader.classroom.adjust import ask, check_decision
from grader.classroom.find_student import DecisionError, find_names, name_keys
from grader.classroom.gradebook import Gradebook, now
from grader.classroom.roster_text import Row, decode_roster, find_columns, parse_rows, squeeze
from grader.model import Decision, DecisionKind
from grader.submission.name_submissions import without_ending
from grader.text.sanitise import MESSAGE, one_line, plain_text

_KINDS: dict[str, DecisionKind] = {"comment": "comment", "request": "request", "regraderequest": "request"}


def read_table(book: Gradebook, path: Path) -> tuple[str, list[str], list[tuple[Row, str]]]:
    """Return a table's name to be shown, its squeezed headers, and its lines, each with its submission; "" where it names none.

    Raises RosterError for what is no table.
    """
    name = one_line(path.name, 100)
    text, _ = decode_roster(path, name)
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    header, *rows = (*parse_rows(text, separator, name), Row(1, ()))
    called, columns = find_names(book), find_columns(header.cells)
    return name, [squeeze(head) for head in header.cells], [(row, _find_row(row, columns, called)) for row in rows]


def _find_row(row: Row, columns: Mapping[str, int], called: Mapping[str, set[str]]) -> str:
    """Return the submission whose student a line tells, or ""."""
    cells = {field: row.cells[at] for field, at in columns.items() if at < len(row.cells)}
    cells["submission"] = without_ending(cells.get("submission", ""))
    cells["name"] = cells.get("name") or f"{cells.get('first_name', '')} {cells.get('last_name', '')}"
    order = ("submission", "id", "sis_id", "own_id", "login", "email", "github", "identifier", "name")
    for cell in (cells[field] for field in order if cells.get(field, "").strip()):
        fitting = {name for key in name_keys(cell) for name in called.get(key, ())}
        if len(fitting) == 1:
            return fitting.pop()
    return ""


def read_words(book: Gradebook, path: Path, who: str) -> tuple[list[tuple[str, Decision]], list[str]] | None:
    """Return the comments or requests in a table, each with its submission, and the lines that name none.

    None where it tells lateness, or has no such column. who : writes the comments. Raises RosterError for what is no
    table, and DecisionError for a line that cannot be saved.
    """
    table, heads, rows = read_table(book, path)
    at = next((at for at, head in enumerate(heads) if head in _KINDS), -1)
    if at < 0 or any("late" in head for head in heads):
        return None
    kind = _KINDS[heads[at]]
    on = heads.index("check") if "check" in heads else len(heads)
    made, unknown = [], []
    for row, name in rows:
        cells = dict(enumerate(row.cells))
        said, where = cells.get(at, "").strip(), f"{table}, line {row.line}: "
        if kind == "comment" and len(said) > MESSAGE:
            raise DecisionError(f"{where}{len(said):,} characters, and a report shows at most {MESSAGE:,}. Shorten it.")
        if said and name:
            comment = Decision(0, kind, cells.get(on, "").strip(), 0.0, plain_text(said), who, now(), "")
            made.append((name, comment if kind == "comment" else ask(said)))
            check_decision(made[-1][1], book.report(name), where)
        elif said:
            unknown.append(f"line {row.line}")
    return made, unknown
