"""Let an attack loose on the grader, and tell what it gained.

An attack is a file in `attacks/`: a submission of this assignment whose docstring says what it tries, with a function
`attack` that does it. Its honest part is the same file with `attack` doing nothing; what it scores above that, it stole.
An attack that thinks it has succeeded prints MARK and what it did: the suite then fails.
"""

from __future__ import annotations

import ast
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

from grader.grading import Grading, grade
from grader.model import Assignment, Limits, Questions, Sheet, Standing
from grader.reports.class_page import to_index
from grader.reports.export_rows import ExportOptions
from grader.reports.formats import REPORT_FORMATS
from grader.reports.gradebook_csv import to_gradebook
from grader.sandbox.host import StudentHost
from hostile.world import World

ATTACKS = sorted((Path(__file__).parent / "attacks").glob("*.py"))
MARK = "GOT THROUGH"
# Short, so that what hangs costs the suite little; the honest solution needs a tenth of them.
LIMITS = Limits(
    load_seconds=2.0, call_seconds=0.5, train_seconds=1.0, total_seconds=4.0, memory_mb=256, printed_characters=2_000
)
BEST = (
    "best_hyperparameters = dict(hidden_size=20, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3,"
    " num_iters=150, batch_size=50)"
)


def short(assignment: Assignment) -> Assignment:
    """Return the assignment with less to compute: what is attacked is the same, and the suite has a hundred attacks."""
    digits = replace(assignment.digits, num_iters=40, threshold=0.5, tuned_threshold=0.5)
    return replace(assignment, limits=LIMITS, digits=digits, sizes=assignment.sizes[:2], regs=assignment.regs[:2])


@dataclass(frozen=True)
class Outcome:
    """What came of one attack."""

    name: str
    family: str
    tries: str  # the first sentence of its docstring
    score: float
    honest: float  # what the same program scores without the attack
    breaches: tuple[str, ...]
    met: str  # what stopped it, in a few words
    seconds: float  # by the clock on the wall

    @property
    def gained(self) -> float:
        """Points above the honest part."""
        return max(0.0, self.score - self.honest)


class Arena:
    """A grader under attack: one host for all attacks, as in a class."""

    def __init__(
        self, assignment: Assignment, questions: Questions, host: StudentHost, world: World, folder: Path
    ) -> None:
        self._assignment = assignment
        self._probes = questions
        self._host = host
        self._world = world
        self._folder = folder
        self._honest: dict[str, float] = {}

    def attack(self, path: Path) -> Outcome:
        """Grade an attack and say what it gained."""
        source = path.read_text(encoding="utf-8")
        honest = self._honest_score(source)
        began = time.monotonic()
        grading = self.grade(path.stem, source)
        seconds = time.monotonic() - began
        breaches = self._world.breaches()
        seen = everything(grading, self._assignment)
        if self._world.token in seen:
            breaches.append("the secret came out")
        printed = _printed(grading)
        breaches += re.findall(rf"{MARK}[^\n]*", printed)
        description = ast.get_docstring(ast.parse(source)) or ""
        return Outcome(
            name=path.stem,
            family=path.stem.partition("_")[0],
            tries=description.partition("\n")[0],
            score=grading.report.score,
            honest=honest,
            breaches=tuple(breaches),
            met=_met(grading),
            seconds=seconds,
        )

    def grade(self, name: str, source: str) -> Grading:
        """Grade a program, with the module `world` beside it."""
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "two_layer_net.py").write_text(source, encoding="utf-8")
        (folder / "world.py").write_text(self._world.as_module(), encoding="utf-8")
        return grade(folder, name, self._assignment, self._probes, self._host)

    def _honest_score(self, source: str) -> float:
        honest = without_attack(source)
        if honest not in self._honest:
            self._honest[honest] = self.grade("honest", honest).report.score
            self._world.breaches()
        return self._honest[honest]


def without_attack(source: str) -> str:
    """Return the program with `attack` doing nothing: it returns its first argument, or None."""
    tree = ast.parse(source)
    tree.body = tree.body[1:] if ast.get_docstring(tree) else tree.body
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "attack"]
    assert len(found) == 1, "an attack file has one function `attack`"
    arguments = found[0].args.args
    value = ast.Name(arguments[0].arg, ast.Load()) if arguments else ast.Constant(None)
    found[0].body = [ast.Return(value)]
    return ast.unparse(ast.fix_missing_locations(tree))


def everything(grading: Grading, assignment: Assignment) -> str:
    """Return all that is kept or shown of a submission as one text."""
    report = grading.report
    sheet = Sheet(assignment.title, report.max_score, (Standing(report),))
    written = [form.write(report) for form in REPORT_FORMATS.values()]
    return "\n".join([repr(grading.run), *written, to_index(sheet), to_gradebook(sheet, ExportOptions())])


def _printed(grading: Grading) -> str:
    if grading.run is None:
        return ""
    replies = (grading.run.load, *grading.run.replies.values())
    return "\n".join(reply.printed for reply in replies)


def _met(grading: Grading) -> str:
    """Say what became of the attack, by the first reply that is no plain answer."""
    if grading.run is None:
        return f"not run: {grading.report.notes[0]}"
    for reply in (grading.run.load, *grading.run.replies.values()):
        # Most attacks name no hyperparameters, which says nothing of what they met.
        if reply.error is not None and reply.outcome != "not_asked" and reply.error.during != "best_hyperparameters":
            kind = f"{reply.error.type}: " if reply.error.type else ""
            return f"{kind}{reply.error.message}"
    return "answered, and judged like any other"
