"""A report as data, for the instructor: `report.json`, schema "grader/report/2", published beside this file as JSON Schema.

The same report gives the same bytes: keys in one order, numbers rounded, ASCII only. What the schema refuses is refused
when it is read, with the place and what was found there. Figures stay out: they are for people, and a regrade makes them
again from the saved replies. Both ways follow the types of the records' fields, so that a field is written in one place.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache, partial
from typing import Any, Literal, NamedTuple, NoReturn, get_args, get_origin, get_type_hints

from grader.model import Decision, Place, Report, Ruling, StepRow, Verdict
from grader.text.sanitise import STEPS

SCHEMA = "grader/report/2"
FIRST = "grader/report/1"  # without student, steps, review and places, and "carried" was called "passed"
DIGITS = 6  # after the point: finer than any points table, coarser than the noise of a sum
LARGEST = 1e300  # an integer beyond every float is valid JSON; no points table comes near

_REPORT = (
    "submission", "student", "source", "score", "max_score", "status",
    "checks", "diagnoses", "steps", "review", "notes", "environment", "timing",
)  # fmt: skip
# Where nobody decided anything, these are left out: the bytes are those of a grader that knew no decisions.
_DECIDED = ("rulings", "penalty", "late_days", "excused")
_OPTIONAL = {*_DECIDED, "adjusted_from", "costs"}  # reports from before mistakes had costs are still read
_LEFT_OUT, _SORTED = {"figures", "credited", "of"}, {"versions", "timing"}
# Records whose keys stand among those of the record that holds them.
_INLINE: dict[type, tuple[str, type]] = {StepRow: ("place", Place), Ruling: ("decision", Decision)}
_NONE = ("", Report)
_MOST = {"steps": STEPS, "shape": 64}  # items; an array of numpy's has no more dimensions
_CELL = re.compile(r"code cell ([1-9][0-9]{0,5})")
# What reports of schema 1 say of a check that is called passed, and that failed by a mistake charged elsewhere.
_CARRIED = re.compile(r"^Not charged (?:here|again): |which is charged elsewhere\.$", re.MULTILINE)


def to_json(report: Report) -> str:
    """Return a report as JSON, by the schema "grader/report/2".

    Raises ValueError where a number is negative or not finite, or a shape is none: they come from the grader, so that is
    its own mistake.
    """
    data = {"schema": SCHEMA, **_write(Report, report, "")}
    if not any(data[key] for key in _DECIDED):
        for key in _DECIDED:
            del data[key]
    # ASCII: the bytes do not depend on the encoding that whoever writes the file happens to choose.
    return json.dumps(data, ensure_ascii=True, allow_nan=False, indent=2) + "\n"


def from_json(text: str) -> Report:
    """Return the report that `to_json` wrote, of this schema or of the first; its verdicts have no figures.

    Raises ValueError, with the place and what was found there, for anything that the schema refuses.
    """
    try:
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_a_number)
    except RecursionError:
        raise ValueError("the report is not readable: it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the report is not JSON: {error}") from None
    first = isinstance(data, dict) and data.get("schema", SCHEMA) == FIRST
    if first:
        data = _second_of_first(data)
    if isinstance(data, dict) and data.get("schema", SCHEMA) != SCHEMA:
        raise ValueError(f"the report's schema is {_quote(data['schema'])}: this grader reads {SCHEMA!r}")
    _check_keys(data, "the report", ("schema", *_keys(Report, False)))
    report: Report = _read(Report, data, "")
    return replace(report, checks=tuple(map(carried_now, report.checks))) if first else report


def _second_of_first(data: dict[str, Any]) -> dict[str, Any]:
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


# ---------------------------------------------------------------- records


class _Codec(NamedTuple):
    """How values of one type are read from JSON's own, and written; the text is the place, for errors."""

    read: Callable[[Any, str], Any]
    write: Callable[[Any, str], Any]
    as_is: type | None = None  # values of this type are the same in JSON, and need no place for errors


@cache
def _fields(kind: type) -> dict[str, _Codec]:
    """Return the fields of a record in the order of the schema, with the codec of each."""
    hints = get_type_hints(kind)
    names = (*_REPORT, *_DECIDED) if kind is Report else [one.name for one in fields(kind)]
    return {name: _codec(hints[name], name) for name in names if name not in _LEFT_OUT}


def _codec(kind: Any, name: str) -> _Codec:
    """Return the codec of a field's type."""
    inside, origin = get_args(kind), get_origin(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if origin is Literal:
        return _Codec(partial(_choice, inside), lambda value, _: value)
    if origin is tuple:
        item = _codec(_SIZE if inside[0] is int else inside[0], name)
        return _Codec(partial(_read_list, item, _MOST.get(name)), partial(_write_list, item, _MOST.get(name)))
    if origin is Mapping:
        item = _codec(inside[1], name)
        return _Codec(partial(_read_mapping, item), partial(_write_mapping, item, name in _SORTED))
    if type(None) in inside:
        item = _codec(inside[0], name)
        # Only what has to be there may be null.
        read = item.read if name in _OPTIONAL else lambda data, where: None if data is None else item.read(data, where)
        return _Codec(read, lambda value, where: None if value is None else item.write(value, where), item.as_is)
    return _Codec(partial(_read_record, kind), partial(_write, kind))


def _write(kind: type, record: Any, where: str) -> dict[str, Any]:
    if kind is Place:
        cell = _CELL.fullmatch(record.label)
        label = {"cell": int(cell[1])} if cell else {"file": record.label}
        return {**label, "line": record.line, "text": record.text}
    data: dict[str, Any] = {}
    inline, _ = _INLINE.get(kind, _NONE)
    for name, codec in _fields(kind).items():
        value = getattr(record, name)
        if type(value) is codec.as_is:
            data[name] = value
        elif name == inline:
            data |= codec.write(value, where)
        elif name == "places":
            # One without a line is the remark that some were left out.
            data[name] = codec.write([place for place in value if place.line], where)
        elif value is not None or name not in _OPTIONAL:
            data[name] = codec.write(value, f"{where}.{name}" if where else name)
    return data


def _read_record(kind: type, data: Any, where: str) -> Any:
    _check_keys(data, where, _keys(kind, isinstance(data, dict) and "cell" in data))
    return _read(kind, data, where)


@cache
def _keys(kind: type, in_cell: bool) -> tuple[str, ...]:  # noqa: FBT001 -- a fact of the data
    """Return the keys that a record has in JSON; in_cell : its place is in a notebook's cell."""
    if kind is Place:
        return ("cell" if in_cell else "file", "line", "text")
    inline, record = _INLINE.get(kind, _NONE)
    return tuple(key for name in _fields(kind) for key in (_keys(record, in_cell) if name == inline else (name,)))


def _read(kind: type, data: Any, where: str) -> Any:
    """Return the record of an object whose keys are right."""
    prefix = f"{where}." if where else ""
    if kind is Place:
        in_cell = "cell" in data
        cell = _count(data["cell"], f"{prefix}cell") if in_cell else 0
        label = f"code cell {cell}" if in_cell else _text(data["file"], f"{prefix}file")
        return Place(label, _count(data["line"], f"{prefix}line"), _text(data["text"], f"{prefix}text"))
    values: dict[str, Any] = {}
    inline, record = _INLINE.get(kind, _NONE)
    for name, codec in _fields(kind).items():
        if name == inline:
            values[name] = _read(record, data, where)
        elif name in data:
            value = data[name]
            values[name] = value if type(value) is codec.as_is else codec.read(value, prefix + name)
    return kind(**values)


def _check_keys(data: Any, where: str, keys: Sequence[str]) -> None:
    _expect(dict, "an object", data, where)
    if missing := [key for key in keys if key not in data and key not in _OPTIONAL]:
        raise ValueError(f"{where} lacks {', '.join(map(repr, missing))}")
    if extra := [key for key in data if key not in keys]:
        raise ValueError(f"{where} has {', '.join(map(_quote, extra))}, which {SCHEMA!r} does not know")


# ---------------------------------------------------------------- values


def _read_list(item: _Codec, most: int | None, data: Any, where: str) -> tuple[Any, ...]:
    _expect(list, "an array", data, where)
    _check_length(data, most, where)
    return tuple(item.read(one, f"{where}[{index}]") for index, one in enumerate(data))


def _write_list(item: _Codec, most: int | None, value: Sequence[Any], where: str) -> list[Any]:
    _check_length(value, most, where)
    return [item.write(one, f"{where}[{index}]") for index, one in enumerate(value)]


def _check_length(value: Sequence[Any], most: int | None, where: str) -> None:
    if most is not None and len(value) > most:
        raise ValueError(f"{where} has {len(value):,} items: expected at most {most}")


def _read_mapping(item: _Codec, data: Any, where: str) -> dict[str, Any]:
    _expect(dict, "an object", data, where)
    return {key: item.read(value, f"{where}[{key!r}]") for key, value in data.items()}


def _write_mapping(item: _Codec, in_order: bool, value: Mapping[str, Any], where: str) -> dict[str, Any]:  # noqa: FBT001 -- of a partial
    pairs = sorted(value.items()) if in_order else value.items()
    return {key: item.write(one, f"{where}[{key!r}]") for key, one in pairs}


def _expect(kind: type, called: str, data: Any, where: str) -> Any:
    if not isinstance(data, kind):
        raise _refused(data, where, called)
    return data


_text = partial(_expect, str, "a string")


def _number(data: Any, where: str) -> float:
    # bool is an int to Python and no number to JSON; a very long integer is beyond every float.
    if isinstance(data, bool) or not isinstance(data, int | float):
        raise _refused(data, where, "a number")
    if not 0 <= data <= LARGEST:
        raise _refused(data, where, "a finite number, 0 or more")
    return float(data)


def _count(data: Any, where: str, least: int = 1) -> int:
    number = _number(data, where)
    # JSON has one kind of number, and 3.0 is a whole one.
    if number != int(number) or number < least:
        raise _refused(data, where, f"a whole number, {least} or more")
    return int(data)


def _choice(known: Sequence[str], data: Any, where: str) -> Any:
    if data not in known:
        raise _refused(data, where, f"one of {', '.join(known)}")
    return data


def _rounded(number: float, where: str) -> float:
    if not 0 <= number <= LARGEST:  # false for NaN too
        raise ValueError(f"{where} is {number}: a report holds finite numbers only, 0 or more")
    return round(float(number), DIGITS) + 0.0  # adding 0.0 turns -0.0 into 0.0


_SIZE = object()  # stands for a number of a shape, which may be 0; all other whole numbers count from 1
_PLAIN: dict[Any, _Codec] = {
    str: _Codec(_text, lambda value, _: value, str),
    bool: _Codec(partial(_expect, bool, "true or false"), lambda value, _: value, bool),
    float: _Codec(_number, _rounded),
    int: _Codec(_count, lambda value, _: value),
    _SIZE: _Codec(partial(_count, least=0), lambda size, where: _count(int(size), where, least=0)),
}


def _refused(data: Any, where: str, expected: str) -> ValueError:
    return ValueError(f"{where} is {_quote(data)}: expected {expected}")


def _quote(data: Any) -> str:
    shown = json.dumps(data)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the report is not readable: {_quote(twice)} stands twice in one object")
    return data


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"the report is not readable: it holds {constant}, which JSON does not know")
