"""`report.json` read back: all that its schema refuses is refused here, with the place and what was found there.

Reports of schema 1 are still read.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args

from grader.model import (
    Decision,
    DecisionKind,
    Diagnosis,
    Environment,
    Group,
    Place,
    Report,
    ReportStatus,
    Ruling,
    StepRow,
    StepStatus,
    Verdict,
    VerdictStatus,
)
from grader.reports.report_json import DIMENSIONS, LARGEST, SCHEMA
from grader.text.sanitise import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

FIRST = "grader/report/1"  # without student, steps, review and places, and "carried" was called "passed"

_REPORT = (
    "schema", "submission", "student", "source", "score", "max_score", "status",
    "checks", "diagnoses", "steps", "review", "notes", "environment", "timing",
)  # fmt: skip
# Where nobody decided anything, these are left out: the bytes are those of a grader that knew no decisions.
_DECIDED = ("rulings", "penalty", "late_days", "excused")
_CHECK = ("id", "title", "group", "status", "points", "max_points", "hidden", "message", "places")
_DIAGNOSIS = ("id", "title", "hint", "source", "checks", "places")
_STEP = ("name", "shape", "status", "verdict")  # besides its place
_RULING = (
    "number", "kind", "check", "value", "comment", "by", "at", "submission_digest", "effect", "applies",
)  # fmt: skip
_ENVIRONMENT = ("versions", "isolation")
# What reports of schema 1 say of a check that is called passed, and that failed by a mistake charged elsewhere.
_CARRIED = re.compile(r"^Not charged (?:here|again): |which is charged elsewhere\.$", re.MULTILINE)


def from_json(text: str) -> Report:
    """Read a report that `to_json` wrote, of this schema or of the first; its verdicts have no figures.

    Raises ValueError, with the place and what was found there, for anything that the schema refuses.
    """
    try:
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_a_number)
    except RecursionError:
        raise ValueError("the report is not readable: it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the report is not JSON: {error}") from None
    if isinstance(data, dict) and data.get("schema", SCHEMA) == FIRST:
        report = _read(_of_first(data))
        return replace(report, checks=tuple(map(carried_now, report.checks)))
    return _read(data)


def _of_first(data: dict[str, Any]) -> dict[str, Any]:
    """Return a report of schema 1 with what schema 2 asks besides; what is broken in it stays so."""
    lists = {key: data[key] for key in ("checks", "diagnoses") if isinstance(data.get(key), list)}
    with_places = {
        key: [{**one, "places": []} if isinstance(one, dict) else one for one in some] for key, some in lists.items()
    }
    return {**data, "schema": SCHEMA, "student": None, "steps": [], "review": [], **with_places}


def carried_now(verdict: Verdict) -> Verdict:
    """Return a verdict of an older grader by today's word: one that was called passed, and failed, is carried."""
    failed = verdict.status == "passed" and verdict.adjusted_from is None and _CARRIED.search(verdict.message)
    return replace(verdict, status="carried") if failed else verdict


def _read(data: Any) -> Report:
    if isinstance(data, dict) and data.get("schema", SCHEMA) != SCHEMA:
        raise ValueError(f"the report's schema is {_found(data['schema'])}: this grader reads {SCHEMA!r}")
    whole = _object(data, "the report", _REPORT, _DECIDED)
    environment = _object(whole["environment"], "environment", _ENVIRONMENT)
    return Report(
        submission=_text(whole["submission"], "submission"),
        source=_text(whole["source"], "source"),
        score=_number(whole["score"], "score"),
        max_score=_number(whole["max_score"], "max_score"),
        status=_one_of(whole["status"], "status", get_args(ReportStatus)),
        checks=_list(whole["checks"], "checks", _read_check),
        diagnoses=_list(whole["diagnoses"], "diagnoses", _read_diagnosis),
        notes=_list(whole["notes"], "notes", _text),
        environment=Environment(
            versions=_mapping(environment["versions"], "environment.versions", _text),
            isolation=_list(environment["isolation"], "environment.isolation", _text),
        ),
        timing=_mapping(whole["timing"], "timing", _number),
        rulings=_list(whole.get("rulings", []), "rulings", _read_ruling),
        penalty=_number(whole.get("penalty", 0.0), "penalty"),
        late_days=_number(whole.get("late_days", 0.0), "late_days"),
        excused=_boolean(whole.get("excused", False), "excused"),
        review=_list(whole["review"], "review", _text),
        student=None if whole["student"] is None else _text(whole["student"], "student"),
        steps=_at_most(STEPS, whole["steps"], "steps", _read_step),
    )


def _read_check(data: Any, where: str) -> Verdict:
    check = _object(data, where, _CHECK, ("adjusted_from",))
    verdict = Verdict(
        id=_text(check["id"], f"{where}.id"),
        title=_text(check["title"], f"{where}.title"),
        group=_one_of(check["group"], f"{where}.group", get_args(Group)),
        status=_one_of(check["status"], f"{where}.status", get_args(VerdictStatus)),
        points=_number(check["points"], f"{where}.points"),
        max_points=_number(check["max_points"], f"{where}.max_points"),
        hidden=_boolean(check["hidden"], f"{where}.hidden"),
        message=_text(check["message"], f"{where}.message"),
        places=_list(check["places"], f"{where}.places", _read_place),
        adjusted_from=_number(check["adjusted_from"], f"{where}.adjusted_from") if "adjusted_from" in check else None,
    )
    if verdict.hidden and verdict.message:
        raise ValueError(f"{where}.message is {_found(verdict.message)}: a hidden check's message is empty")
    if verdict.hidden and verdict.places:
        raise ValueError(f"{where}.places is {_found(check['places'])}: a hidden check's places are empty")
    return verdict


def _read_diagnosis(data: Any, where: str) -> Diagnosis:
    # Reports from before mistakes had costs are still read.
    diagnosis = _object(data, where, _DIAGNOSIS, ("costs",))
    return Diagnosis(
        id=_text(diagnosis["id"], f"{where}.id"),
        title=_text(diagnosis["title"], f"{where}.title"),
        hint=_text(diagnosis["hint"], f"{where}.hint"),
        source=_text(diagnosis["source"], f"{where}.source"),
        checks=_list(diagnosis["checks"], f"{where}.checks", _text),
        costs=_mapping(diagnosis.get("costs", {}), f"{where}.costs", _number),
        places=_list(diagnosis["places"], f"{where}.places", _read_place),
    )


def _read_place(data: Any, where: str) -> Place:
    return _placed(data, where, ())[1]


def _read_step(data: Any, where: str) -> StepRow:
    step, place = _placed(data, where, _STEP)
    return StepRow(
        place=place,
        name=_text(step["name"], f"{where}.name"),
        shape=_at_most(DIMENSIONS, step["shape"], f"{where}.shape", _whole),
        status=_one_of(step["status"], f"{where}.status", get_args(StepStatus)),
        verdict=_text(step["verdict"], f"{where}.verdict"),
    )


def _placed(data: Any, where: str, more: Sequence[str]) -> tuple[dict[str, Any], Place]:
    """Return an object that says where it stands, of these keys besides, and its place."""
    in_cell = isinstance(data, dict) and "cell" in data
    one = _object(data, where, ("cell" if in_cell else "file", "line", "text", *more))
    label = f"code cell {_count(one['cell'], f'{where}.cell')}" if in_cell else _text(one["file"], f"{where}.file")
    return one, Place(label, _count(one["line"], f"{where}.line"), _text(one["text"], f"{where}.text"))


def _read_ruling(data: Any, where: str) -> Ruling:
    ruling = _object(data, where, _RULING)
    decision = Decision(
        number=_count(ruling["number"], f"{where}.number"),
        kind=_one_of(ruling["kind"], f"{where}.kind", get_args(DecisionKind)),
        check=_text(ruling["check"], f"{where}.check"),
        value=_number(ruling["value"], f"{where}.value"),
        comment=_text(ruling["comment"], f"{where}.comment"),
        by=_text(ruling["by"], f"{where}.by"),
        at=_text(ruling["at"], f"{where}.at"),
        submission_digest=_text(ruling["submission_digest"], f"{where}.submission_digest"),
    )
    return Ruling(decision, _text(ruling["effect"], f"{where}.effect"), _boolean(ruling["applies"], f"{where}.applies"))


def _object(data: Any, where: str, keys: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _refused(data, where, "an object")
    if missing := [key for key in keys if key not in data]:
        raise ValueError(f"{where} lacks {', '.join(map(repr, missing))}")
    if extra := [key for key in data if key not in keys and key not in optional]:
        raise ValueError(f"{where} has {', '.join(map(_found, extra))}, which {SCHEMA!r} does not know")
    return data


def _list(data: Any, where: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    if not isinstance(data, list):
        raise _refused(data, where, "an array")
    return tuple(read(item, f"{where}[{index}]") for index, item in enumerate(data))


def _at_most(most: int, data: Any, where: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    if isinstance(data, list) and len(data) > most:
        raise ValueError(f"{where} has {len(data):,} items: expected at most {most}")
    return _list(data, where, read)


def _mapping(data: Any, where: str, read: Callable[[Any, str], T]) -> dict[str, T]:
    if not isinstance(data, dict):
        raise _refused(data, where, "an object")
    return {key: read(value, f"{where}[{key!r}]") for key, value in data.items()}


def _text(data: Any, where: str) -> str:
    if not isinstance(data, str):
        raise _refused(data, where, "a string")
    return data


def _number(data: Any, where: str) -> float:
    # bool is an int to Python and no number to JSON; a very long integer is beyond every float.
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise _refused(data, where, "a number")
    if not 0 <= data <= LARGEST:
        raise _refused(data, where, "a finite number, 0 or more")
    return float(data)


def _count(data: Any, where: str) -> int:
    return _whole(data, where, 1)


def _whole(data: Any, where: str, least: int = 0) -> int:
    number = _number(data, where)
    # JSON has one kind of number, and 3.0 is a whole one.
    if number != int(number) or number < least:
        raise _refused(data, where, f"a whole number, {least} or more")
    return int(data)


def _boolean(data: Any, where: str) -> bool:
    if not isinstance(data, bool):
        raise _refused(data, where, "true or false")
    return data


def _one_of(data: Any, where: str, known: Sequence[str]) -> Any:
    if data not in known:
        raise _refused(data, where, f"one of {', '.join(known)}")
    return data


def _refused(data: Any, where: str, expected: str) -> ValueError:
    return ValueError(f"{where} is {_found(data)}: expected {expected}")


def _found(data: Any) -> str:
    shown = json.dumps(data)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the report is not readable: {_found(twice)} stands twice in one object")
    return data


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"the report is not readable: it holds {constant}, which JSON does not know")
