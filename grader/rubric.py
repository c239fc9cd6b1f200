"""Read an assignment.toml into an Assignment, or say on which line it is wrong and how to mend it."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from keyword import iskeyword
from pathlib import Path
from typing import Any

from grader.model import TAKEN, Assignment, Bounds, CheckRow, DigitsTask, LatePolicy, Limits, Rules, Tolerances, Variant
from grader.text.nearest import nearest

FILE = "assignment.toml"
DEEPEST = 6  # layers of weights: there is a check for each of their gradients


class AssignmentError(Exception):
    """The assignment.toml cannot be used; the text says where and how to mend it."""


def bundled() -> Path:
    """Return the folder of the assignment that comes with the grader."""
    return Path(__file__).resolve().parent.parent / "assignment"


def load(folder: Path, known_checks: tuple[str, ...]) -> Assignment:
    """Read and check ``folder/assignment.toml``.

    Raises AssignmentError, whose text names file, line, what was found and what was expected.
    """
    path = folder / FILE
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise AssignmentError(
            f"{path}: cannot be read ({error.strerror}). --assignment takes a folder that holds an {FILE}."
        ) from error
    try:
        text = raw.decode("utf-8")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise AssignmentError(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(f"{path}: this is not TOML: {error}.") from error
    return _Reader(path, text).read(table, folder, known_checks, hashlib.sha256(raw).hexdigest())


# What each value may be: a test, and the words for it.
Rule = tuple[Callable[[Any], bool], str]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


LIST: Rule = (lambda v: isinstance(v, list), "a list")
TEXT: Rule = (lambda v: isinstance(v, str) and bool(v.strip()), "a text in quotes")
SEED: Rule = (lambda v: _whole(v) and 0 <= v < 2**32, "a whole number from 0 to 4294967295")
COUNT: Rule = (lambda v: _whole(v) and v > 0, "a whole number above 0")
POSITIVE: Rule = (lambda v: _number(v) and v > 0, "a number above 0")
WHOLE: Rule = (lambda v: _whole(v) and v >= 0, "a whole number, 0 or above")
PERCENT: Rule = (lambda v: _number(v) and 0 <= v <= 100, "a number from 0 to 100")
NOT_NEGATIVE: Rule = (lambda v: _number(v) and v >= 0, "a number, 0 or above")
FRACTION: Rule = (lambda v: _number(v) and 0 < v <= 1, "a number above 0 and at most 1")
YES_NO: Rule = (lambda v: isinstance(v, bool), "true or false")
PAIR: Rule = (
    lambda v: isinstance(v, list) and len(v) == 2 and all(map(_number, v)) and v[0] <= v[1],
    "[low, high]: two numbers, the smaller first",
)
NAMES: Rule = (
    lambda v: (
        isinstance(v, list)
        and len(v) in range(2, 2 * DEEPEST + 1, 2)
        and all(isinstance(n, str) and n.isidentifier() and not iskeyword(n) and n not in TAKEN for n in v)
        and len(set(v)) == len(v)
    ),
    f"different names, weights and bias of each layer in turn, for {DEEPEST} layers at most; none of {', '.join(sorted(TAKEN))}",
)
# 0 and 1 are other networks, and nearer to either the answers hardly differ from those.
SLOPE: Rule = (
    lambda v: _number(v) and 0.001 <= v <= 0.9,
    "a number from 0.001 to 0.9: 0 is the ReLU, and 1 leaves the network linear",
)
ALPHA: Rule = (
    lambda v: _number(v) and 0.05 <= v <= 20,
    "a number from 0.05 to 20: 0 is the ReLU, and below 0 the unit rises to the left",
)
# Beyond 5 nearly every wrong class costs something, and the max(0, ...) cannot be told from none.
MARGIN: Rule = (
    lambda v: _number(v) and 0.05 <= v <= 5,
    "a number from 0.05 to 5: at 0 and below equal scores cost nothing; far above, a missing max(0, ...) is not seen",
)


def _sizes(depth: int) -> Rule:
    """Return what the cases' sizes may be where the network has so many layers."""
    letters = ", ".join(["N", "D", *(["H"] if depth == 2 else [f"H{k}" for k in range(1, depth)]), "C"])
    return (
        lambda v: (
            isinstance(v, list)
            and len(v) >= 2
            and all(isinstance(s, list) and len(s) == depth + 2 and all(_whole(n) and n > 1 for n in s) for s in v)
            and all(len(set(s)) == len(s) and 3 <= s[-1] < s[0] for s in v)
        ),
        f"at least two cases [{letters}] of different whole numbers above 1, 3 <= C < N: each class needs a row",
    )


REGS: Rule = (
    lambda v: isinstance(v, list) and all(map(_number, v)) and 0 in v and len(set(v)) >= 3 and min(v) >= 0,
    "at least three different numbers, 0 among them and none below it",
)


def _one_of(*choices: str) -> Rule:
    return (lambda v: v in choices, "one of " + ", ".join(f'"{choice}"' for choice in choices))


RULES: Mapping[str, Mapping[str, Rule]] = {
    "": {"title": TEXT, "class_name": TEXT, "notebook": TEXT, "seed": SEED},
    "variant": {
        "activation": _one_of("relu", "leaky_relu", "sigmoid", "tanh", "elu", "maxout"),
        "loss": _one_of("softmax", "svm", "sigmoid"),
        "regulariser": _one_of("half", "full", "either", "every"),
        "names": NAMES,
        "slope": SLOPE,
        "alpha": ALPHA,
        "margin": MARGIN,
    },
    "probes": {"sizes": LIST, "regs": REGS, "biases": NOT_NEGATIVE},
    "tolerances": {f.name: POSITIVE for f in fields(Tolerances)},
    "limits": {
        "load_seconds": POSITIVE,
        "call_seconds": POSITIVE,
        "train_seconds": POSITIVE,
        "total_seconds": POSITIVE,
        "memory_mb": COUNT,
        "printed_characters": COUNT,
    },
    "digits": {
        "hidden_size": COUNT,
        "initial_std": POSITIVE,
        "learning_rate": POSITIVE,
        "learning_rate_decay": FRACTION,
        "reg": NOT_NEGATIVE,
        "num_iters": COUNT,
        "batch_size": COUNT,
        "threshold": FRACTION,
        "tuned_threshold": FRACTION,
        "calibration": TEXT,
    },
    "hyperparameters": dict.fromkeys(
        ("hidden_size", "learning_rate", "learning_rate_decay", "reg", "num_iters", "batch_size"), PAIR
    ),
    "late": {
        "free_days": WHOLE,
        "percent_a_day": PERCENT,
        "of": _one_of("maximum", "earned"),
        "lowest_percent": PERCENT,
    },
    "rules": {"backpropagation": _one_of("any", "required")},
}
OPTIONAL = frozenset({"late", "rules"})
# Numbers that one choice of [variant] has: what is chosen, and where. Without the key the lectures' number holds.
NUMBER_OF = {"slope": ("activation", "leaky_relu"), "alpha": ("activation", "elu"), "margin": ("loss", "svm")}
CHECK_RULES: Mapping[str, Rule] = {"id": TEXT, "points": POSITIVE, "hidden": YES_NO}


class _Reader:
    """One file being read: its text is kept because TOML values do not know their lines."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def read(self, table: dict[str, Any], folder: Path, known_checks: tuple[str, ...], digest: str) -> Assignment:
        """Check every section, then build the record."""
        sections = [name for name in RULES if name]
        self._known_keys("", table, [*RULES[""], *sections, "checks"])
        linear = self._depth(table) == 1
        self._section("", {key: value for key, value in table.items() if key in RULES[""]}, RULES[""])
        for name in sections:
            if name in table:
                self._value("", name, table[name], (lambda v: isinstance(v, dict), f"a section, [{name}]"))
                rules = {key: rule for key, rule in RULES[name].items() if not (linear and key == "hidden_size")}
                self._section(name, table[name], rules)
            elif name not in OPTIONAL:
                raise AssignmentError(f"{self.path}: the section [{name}] is missing. Add it, or copy the bundled one.")
        digits, questions = table["digits"], table["probes"]
        self._value("probes", "sizes", questions["sizes"], _sizes(self._depth(table)))
        return Assignment(
            folder=folder,
            title=table["title"],
            class_name=self._identifier(table["class_name"]),
            notebook=table["notebook"],
            variant=Variant(**{**table["variant"], "names": tuple(table["variant"]["names"])}),
            seed=table["seed"],
            sizes=tuple(map(tuple, questions["sizes"])),
            regs=tuple(float(reg) for reg in questions["regs"]),
            biases=float(questions["biases"]),
            tolerances=Tolerances(**table["tolerances"]),
            limits=Limits(**table["limits"]),
            digits=DigitsTask(**{"hidden_size": 0, **digits}),
            hyperparameters={
                key: Bounds(low, high, isinstance(low, int) and isinstance(high, int))
                for key, (low, high) in table["hyperparameters"].items()
            },
            checks=self._checks(table.get("checks"), known_checks),
            digest=digest,
            late=LatePolicy(**table["late"]) if "late" in table else None,
            rules=Rules(**table.get("rules", {})),
        )

    def _depth(self, table: dict[str, Any]) -> int:
        """Return how many layers the names are of; 2 where they are none, which is refused later."""
        variant = table.get("variant")
        names = variant.get("names") if isinstance(variant, dict) else None
        return len(names) // 2 if isinstance(names, list) and NAMES[0](names) else 2

    def _checks(self, rows: Any, known: tuple[str, ...]) -> tuple[CheckRow, ...]:
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise AssignmentError(f"{self.path}: there is no [[checks]] row. Add at least one: id and points.")
        seen: set[str] = set()
        for count, row in enumerate(rows):
            where = self._line_of("[[checks]]", "", count)
            for key in row:
                if key not in CHECK_RULES:
                    line = self._line_of("[[checks]]", key, count)
                    raise AssignmentError(f"{line}: unknown key {key!r} in [[checks]]{_suggestion(key, CHECK_RULES)}.")
            for key in ("id", "points"):
                if key not in row:
                    raise AssignmentError(f"{where}: this [[checks]] row has no {key!r}. Add it.")
            for key, value in row.items():
                self._value("[[checks]]", key, value, CHECK_RULES[key], count)
            identity = row["id"]
            if identity not in known:
                raise AssignmentError(
                    f"{self._line_of('[[checks]]', 'id', count)}: unknown check {identity!r}{_suggestion(identity, known)}."
                )
            if identity in seen:
                raise AssignmentError(
                    f"{self._line_of('[[checks]]', 'id', count)}: the check {identity!r} stands here a second time."
                    " Remove one of the two rows."
                )
            seen.add(identity)
        return tuple(CheckRow(row["id"], float(row["points"]), row.get("hidden", False)) for row in rows)

    def _identifier(self, name: str) -> str:
        if not name.isidentifier():
            raise AssignmentError(
                f"{self._line_of('', 'class_name')}: class_name is {name!r}, which is no Python name."
                ' Write the name of the class, such as "TwoLayerNet".'
            )
        return name

    def _section(self, section: str, table: dict[str, Any], rules: Mapping[str, Rule]) -> None:
        self._known_keys(section, table, list(rules))
        for key, rule in rules.items():
            if key not in table and key in NUMBER_OF:
                continue
            if key not in table:
                where = f"in [{section}]" if section else "at the top"
                raise AssignmentError(f"{self.path}: the key {key!r} is missing {where}. Add it: {rule[1]}.")
            self._value(section, key, table[key], rule)
            axis, choice = NUMBER_OF.get(key, ("", ""))
            if axis and table[axis] != choice:
                raise AssignmentError(
                    f'{self._line_of(section, key)}: {key} is the number of {axis} = "{choice}", but {axis} is'
                    f' "{table[axis]}". Remove the line, or choose "{choice}".'
                )

    def _known_keys(self, section: str, table: dict[str, Any], known: list[str]) -> None:
        for key in table:
            if key not in known:
                inside = f" in [{section}]" if section else ""
                raise AssignmentError(
                    f"{self._line_of(section, key)}: unknown key {key!r}{inside}{_suggestion(key, known)}."
                )

    def _value(self, section: str, key: str, value: Any, rule: Rule, count: int = 0) -> None:
        test, words = rule
        if not test(value):
            raise AssignmentError(f"{self._line_of(section, key, count)}: {key} is {value!r}; it must be {words}.")

    def _line_of(self, section: str, key: str, count: int = 0) -> str:
        """Return ``path, line K`` of a key: the `count`-th section of that name, then the key below it."""
        header = section if section.startswith("[[") else f"[{section}]"
        current, seen, header_line = "", -1, 0
        for number, line in enumerate(self.lines, start=1):
            stripped = line.split("#")[0].strip()
            if stripped.startswith("["):
                current = stripped
                if current == header:
                    seen += 1
                    header_line = number if seen == count else header_line
                if not section and stripped in {f"[{key}]", f"[[{key}]]"}:
                    return f"{self.path}, line {number}"
            inside = (current == header and seen == count) if section else not current
            if inside and key and re.match(rf"""["']?{re.escape(key)}["']?\s*=""", stripped):
                return f"{self.path}, line {number}"
        return f"{self.path}, line {header_line}" if header_line else str(self.path)


def _suggestion(word: str, known: Any) -> str:
    near = nearest(word, known)
    return f": did you mean {near[0]!r}?" if near else f". Known: {', '.join(known)}"
