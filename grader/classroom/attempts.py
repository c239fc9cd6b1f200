"""Which of a student's hand-ins counts: the latest, the first or the best."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

from grader.classroom.gradebook import GradingRow
from grader.records import dataclass, field

Attempt = Literal["latest", "first", "best"]

# Platforms number what is handed in, or write its time. Canvas: doejane_LATE_101_5551_net.ipynb, 5551 being the file's.
_NUMBERED = {
    "canvas": re.compile(r"[^_]*(?:_LATE)?_\d+_(\d+)_.*", re.DOTALL),
    "blackboard": re.compile(r".+?_attempt_(\d{4}(?:-\d\d){5}).*", re.DOTALL),
    "gradescope": re.compile(r"submission_(\d+).*", re.DOTALL),
    "brightspace": re.compile(r"\d+-\d+ - .+? - (\w{3} \d+, \d{4} \d{3,4} [AP]M) - .*", re.DOTALL),
}


@dataclass(frozen=True)
class Attempts:
    """What is known of a class's hand-ins, to choose among those of one student."""

    policy: Attempt
    paths: Mapping[str, str]  # by the submissions' names
    graded: Mapping[str, GradingRow]  # their last gradings
    holds: Callable[[str], bool | None] = lambda _: None  # whether a path of today holds a program; None: not known
    _gradable: dict[str, bool] = field(default_factory=dict)

    def choose(self, names: Sequence[str]) -> str:
        """Return the one that counts of several hand-ins of one student. One without a program never competes."""
        in_order = sorted(names, key=self._order(names))
        ordered = list(filter(self.is_gradable, in_order)) or in_order
        if self.policy == "best":
            return max(ordered, key=lambda name: self.graded[name].score if name in self.graded else -1.0)
        return ordered[0 if self.policy == "first" else -1]

    def is_gradable(self, name: str) -> bool:
        """Return whether there is a program in it."""
        if name not in self._gradable:
            row = self.graded.get(name)
            told = self.holds(self.paths[name])
            self._gradable[name] = (row is None or row.status != "no_submission") if told is None else told
        return self._gradable[name]

    def _order(self, names: Sequence[str]) -> Callable[[str], tuple[float, ...]]:
        """Return a key that puts earlier hand-ins first: by the platform's numbers, or else by the files' times."""
        numbers = {name: _number(Path(self.paths[name]).name) for name in names}
        if len({kind for kind, _ in numbers.values()}) == 1 and "" not in dict(numbers.values()):
            return lambda name: (numbers[name][1],)
        return lambda name: (_time(Path(self.paths[name])), self.graded[name].id if name in self.graded else 1e18)


def _number(original: str) -> tuple[str, float]:
    """Return the platform and its number or time of a hand-in; ("", 0) where its name holds none."""
    for kind, pattern in _NUMBERED.items():
        if found := pattern.fullmatch(original):
            with suppress(ValueError):
                if kind == "brightspace":
                    return kind, datetime.strptime(found[1], "%b %d, %Y %I%M %p").timestamp()  # noqa: DTZ007 -- of one place
                return kind, float(found[1].replace("-", ""))
    return "", 0.0


def handed_in_at(path: Path) -> float:
    """Return when it was handed in, by the platform: from the name, or in Moodle's zips from its files; 0 where unknown."""
    kind, number = _number(path.name)
    if kind == "blackboard":
        return datetime.strptime(f"{number:014.0f}", "%Y%m%d%H%M%S").timestamp()  # noqa: DTZ007 -- of this place
    return number if kind == "brightspace" else _time(path) if "_assignsubmission_" in path.name else 0.0


def _time(path: Path) -> float:
    """Return when a file, or the newest file of a folder, was written; 0 where it is gone."""
    try:
        return (
            max((one.stat().st_mtime for one in path.iterdir()), default=0.0) if path.is_dir() else path.stat().st_mtime
        )
    except OSError:
        return 0.0
