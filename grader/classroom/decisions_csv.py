r"""`decisions.csv`: people's decisions once more, in a plain file beside the gradebook, for the day when that is damaged.

One decision a line, those taken back too. A text comes back exactly as it was, and is harmless meanwhile: a backslash
stands before what a spreadsheet would compute or a CI's runner obey, and before a backslash itself; what nobody sees is
written as ``\u001b``, and a new line as ``\n``.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import get_args

from grader.classroom.storage import LEDGER, write_text
from grader.model import Decision, DecisionKind
from grader.text.sanitise import one_line

COLUMNS = (
    "number", "submission", "kind", "check", "value", "of",
    "comment", "by", "at", "submission_digest", "withdrawn",
)  # fmt: skip
BYTES = 50_000_000

# Wider than what `untrusted.cell` neutralises: here no text depends on what stands before it but for one character.
_ACTIVE = re.compile(r"\\|(?<![^\W_])[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]|(?<=:):|(?<=#)#")
_ESCAPED = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class LedgerError(ValueError):
    """A file of decisions cannot be read; the text says where, what was found and what was expected."""


@dataclass(frozen=True)
class Ruled:
    """A decision as the history shows it."""

    name: str
    decision: Decision
    withdrawn: str  # who took it back, when and why; "" while it stands


def missing(there: Sequence[Ruled], here: Sequence[Ruled]) -> tuple[list[Ruled], dict[int, str]]:
    """Tell what of `there` is not `here`: decisions, and who took back which of those that are (by their numbers here).

    Numbers do not count: another gradebook counts anew.
    """
    known: dict[tuple[str, Decision], list[Ruled]] = {}
    for one in here:
        known.setdefault(_same(one), []).append(one)
    more, withdrawn = [], {}
    for one in there:
        if not (same := known.get(_same(one))):
            more.append(one)
        elif not (found := same.pop(0)).withdrawn and one.withdrawn:
            withdrawn[found.decision.number] = one.withdrawn
    return more, withdrawn


def _same(one: Ruled) -> tuple[str, Decision]:
    return one.name, replace(one.decision, number=0)


# ---------------------------------------------------------------- writing


def write(path: Path, ruled: Sequence[Ruled]) -> None:
    """Write decisions to a file, whole or not at all; what that file holds beyond them stays in it.

    A new gradebook in the place of a damaged one knows no decision yet, and the first that is made in it must not cost
    all others. Raises OSError.
    """
    there: tuple[Ruled, ...] = ()
    if path.exists():
        try:
            there = read(path)
        except LedgerError:
            # Somebody edited it, or it is another's: it is not ours to destroy.
            path.replace(_free(path))
    more, withdrawn = missing(there, ruled)
    own = [replace(one, withdrawn=one.withdrawn or withdrawn.get(one.decision.number, "")) for one in ruled]
    if not path.exists() or (*more, *own) != (*there,):
        write_text(path, to_csv([*more, *own]))


def _free(path: Path) -> Path:
    """Return a name that nothing has yet."""
    names = (path.with_name(f"{path.stem}.unreadable-{number}{path.suffix}") for number in count(1))
    return next(name for name in names if not name.exists())


def to_csv(ruled: Sequence[Ruled]) -> str:
    """Write decisions, those taken back too."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in ruled:
        decision = one.decision
        of = "" if decision.of is None else repr(decision.of)
        texts = (decision.comment, decision.by, decision.at, decision.submission_digest, one.withdrawn)
        numbers = (repr(decision.value), of)
        writer.writerow(
            (decision.number, _safe(one.name), decision.kind, _safe(decision.check), *numbers, *map(_safe, texts))
        )
    return buffer.getvalue()


def _safe(text: str) -> str:
    text = _ACTIVE.sub(r"\\\g<0>", text)
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    if character == "\n":
        return r"\n"
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


# ---------------------------------------------------------------- reading


def read(path: Path) -> tuple[Ruled, ...]:
    """Read the decisions that `to_csv` wrote.

    Raises LedgerError, and nothing else, for whatever the file may hold.
    """
    where = one_line(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise LedgerError(
            f"{where}: cannot be read ({reason}). Expected is a {LEDGER} as the grader writes it."
        ) from error
    if len(data) > BYTES:
        raise LedgerError(f"{where}: more than {BYTES // 1_000_000} MB. Expected is a {LEDGER}: is it another file?")
    try:
        # A spreadsheet that saved it as UTF-8 marks that at its beginning.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = data.count(10, 0, error.start) + 1
        raise LedgerError(f"{where}, line {place}: the bytes there are no UTF-8. Save it as `CSV UTF-8`.") from error
    return from_csv(text, where)


def from_csv(text: str, where: str = LEDGER) -> tuple[Ruled, ...]:
    """Read what `to_csv` wrote; where : the file's name, for the LedgerError that anything else raises."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    begin, found = 1, []
    try:
        header = next(rows, [])
        if header != list(COLUMNS):
            found_there = one_line(",".join(header)) if header else "nothing"
            apart = " Save it with commas between the cells." if ";" in found_there or "\t" in ",".join(header) else ""
            raise LedgerError(f"{where}, line 1: found {found_there}: expected the columns {','.join(COLUMNS)}.{apart}")
        begin = rows.line_num + 1
        for cells in rows:
            if cells:
                found.append(_ruled(cells, f"{where}, line {begin}"))
            begin = rows.line_num + 1
    except csv.Error as error:
        raise LedgerError(f"{where}, line {begin}: the row that begins there is no CSV ({error}).") from error
    return tuple(found)


def _ruled(cells: Sequence[str], where: str) -> Ruled:
    if len(cells) != len(COLUMNS):
        raise LedgerError(f"{where}: found {len(cells)} cells: expected {len(COLUMNS)}, one for each column.")
    row = {column: _plain(cell) for column, cell in zip(COLUMNS, cells, strict=True)}
    kinds: dict[str, DecisionKind] = {kind: kind for kind in get_args(DecisionKind)}
    if (kind := kinds.get(row["kind"])) is None:
        raise _refused(where, row, "kind", f"one of {', '.join(kinds)}")
    if not row["number"].isascii() or not row["number"].isdigit() or not 0 < int(row["number"]) < 1 << 53:
        raise _refused(where, row, "number", "a whole number, 1 or more")
    if not row["submission"]:
        raise _refused(where, row, "submission", "the name of a submission")
    if bool(row["check"]) != (kind == "points"):
        raise _refused(where, row, "check", "a check's id" if kind == "points" else f"nothing, since it is {kind}")
    if not _AT.fullmatch(row["at"]):
        raise _refused(where, row, "at", "a time such as 2026-11-22T15:19:03Z")
    return Ruled(
        row["submission"],
        Decision(
            number=int(row["number"]),
            kind=kind,
            check=row["check"],
            value=_number(where, row, "value"),
            comment=row["comment"],
            by=row["by"],
            at=row["at"],
            submission_digest=row["submission_digest"],
            of=_number(where, row, "of") if row["of"] else None,
        ),
        row["withdrawn"],
    )


def _plain(cell: str) -> str:
    """Return the text that `_safe` wrote."""
    return _ESCAPED.sub(_unescaped, cell) if "\\" in cell else cell


def _unescaped(found: re.Match[str]) -> str:
    if code := found[1] or found[2]:
        return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else found[0]
    return "\n" if found[3] == "n" else str(found[3])


def _number(where: str, row: dict[str, str], column: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise _refused(where, row, column, "a number, 0 or more")
    return value


def _refused(where: str, row: dict[str, str], column: str, expected: str) -> LedgerError:
    return LedgerError(f'{where}: {column} is "{one_line(row[column], 60)}": expected {expected}.')
