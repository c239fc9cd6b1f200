"""Read an assignment.toml into an Assignment, or say on which line it is wrong and how to mend it."""

import builtins
import hashlib
import re
import tomllib
from collections.abc import Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Any

from grader.model import (
    TAKEN,
    Assignment,
    Bounds,
    CheckRow,
    DigitsTask,
    LatePolicy,
    Limits,
    Methods,
    Rules,
    Tolerances,
    Variant,
)
from grader.rubric_values import (
    CHECK_RULES,
    NAMES,
    NUMBER_OF,
    OPTIONAL,
    RULES,
    Rule,
    refuse_methods,
    sizes_of,
    what_hinders,
)
from grader.text.nearest import nearest
from grader.text.phrases import plural

FILE = "assignment.toml"


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
        variants = ", ".join(str(one.parent) for one in sorted(folder.glob(f"*/{FILE}"))[:3])
        mend = (
            f"This takes one assignment: {variants}"
            if variants
            else f"--assignment takes a folder that holds an {FILE}"
        )
        raise AssignmentError(f"{path}: cannot be read ({error.strerror}). {mend}.") from error
    try:
        text = raw.decode("utf-8")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise AssignmentError(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(f"{path}: this is not TOML: {error}.") from error
    return _Reader(path, text).read(table, folder, known_checks, hashlib.sha256(raw).hexdigest())


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
        self._value("probes", "sizes", questions["sizes"], sizes_of(self._depth(table)))
        return Assignment(
            folder=folder,
            title=table["title"],
            class_name=self._identifier(table["class_name"]),
            notebook=table["notebook"],
            variant=self._variant(table["variant"], table["class_name"]),
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
            checks=self._checks(table.get("checks"), known_checks, self._depth(table)),
            digest=digest,
            late=LatePolicy(**table["late"]) if "late" in table else None,
            rules=Rules(**table.get("rules", {})),
        )

    def _variant(self, table: dict[str, Any], class_name: str) -> Variant:
        methods = Methods(**table.get("methods", {}))
        if why := refuse_methods(vars(methods), table["names"], class_name):
            raise AssignmentError(f"{self._line_of('variant', 'methods')}: methods: {why}")
        variant = Variant(**{**table, "names": tuple(table["names"]), "methods": methods})
        key, hindrance = what_hinders(variant)
        if hindrance:
            raise AssignmentError(f"{self._line_of('variant', key)}: {hindrance}")
        return variant

    def _depth(self, table: dict[str, Any]) -> int:
        """Return how many layers the names are of; 2 where they are none, which is refused later."""
        variant = table.get("variant")
        names = variant.get("names") if isinstance(variant, dict) else None
        return len(names) // 2 if isinstance(names, list) and NAMES[0](names) else 2

    def _checks(self, rows: Any, known: tuple[str, ...], depth: int) -> tuple[CheckRow, ...]:
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
            self._one_check(row["id"], self._line_of("[[checks]]", "id", count), known, depth)
            if row["id"] in seen:
                raise AssignmentError(
                    f"{self._line_of('[[checks]]', 'id', count)}: the check {row['id']!r} stands here a second time."
                    " Remove one of the two rows."
                )
            seen.add(row["id"])
        return tuple(CheckRow(row["id"], float(row["points"]), row.get("hidden", False)) for row in rows)

    def _one_check(self, identity: str, where: str, known: tuple[str, ...], depth: int) -> None:
        """Refuse a check that does not exist, or of a layer that the network does not have."""
        if identity not in known:
            raise AssignmentError(f"{where}: unknown check {identity!r}{_suggestion(identity, known)}.")
        layer = re.fullmatch(r"gradient_[Wb](\d+)", identity)
        if layer and int(layer[1]) > depth:
            raise AssignmentError(
                f"{where}: {identity!r} is the check of layer {layer[1]}, but the names in [variant] are of"
                f" {plural(depth, 'layer')}. Remove the row."
            )

    def _identifier(self, name: str) -> str:
        if not name.isidentifier() or iskeyword(name) or hasattr(builtins, name) or name in TAKEN:
            raise AssignmentError(
                f"{self._line_of('', 'class_name')}: class_name is {name!r}, which is no Python name, or one with another use."
                ' Write the name of the class, such as "TwoLayerNet".'
            )
        return name

    def _section(self, section: str, table: dict[str, Any], rules: Mapping[str, Rule]) -> None:
        self._known_keys(section, table, list(rules))
        for key, rule in rules.items():
            if key not in table and (key in NUMBER_OF or key in OPTIONAL):
                continue
            if key not in table:
                where = f"in [{section}]" if section else "at the top"
                raise AssignmentError(f"{self.path}: the key {key!r} is missing {where}. Add it: {rule[1]}.")
            self._value(section, key, table[key], rule)
            axis, choice = NUMBER_OF.get(key, ("", ""))
            if axis and table[axis] != choice:
                raise AssignmentError(
                    f'{self._line_of(section, key)}: {key} is the number of {axis} = "{choice}", but {axis} is'
                    f' "{table[axis]}". Leave it out, or choose "{choice}".'
                )

    def _known_keys(self, section: str, table: dict[str, Any], known: list[str]) -> None:
        for key in table:
            if key not in known:
                inside = f" in [{section}]" if section else ""
                raise AssignmentError(
                    f"{self._line_of(section, key)}: unknown key {key!r}{inside}{_suggestion(key, known)}."
                )

    def _value(self, section: str, key: str, value: Any, rule: Rule, count: int = 0) -> None:
        if not rule[0](value):
            near = "".join(f" Did you mean {one!r}?" for one in nearest(str(value), re.findall(r'"(\w+)"', rule[1])))
            raise AssignmentError(
                f"{self._line_of(section, key, count)}: {key} is {value!r}; it must be {rule[1]}.{near}"
            )

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
