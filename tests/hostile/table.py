"""Write the table of attacks and outcomes: `python tests/hostile/table.py` runs every attack and writes OUTCOMES.md.

`test_outcomes.py` holds the table against the attacks that there are.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]  # run by name, outside pytest

from grader.checks import CHECKS  # noqa: E402 -- the same
from grader.rubric import bundled, load  # noqa: E402 -- needs the path
from grader.sandbox.host import StudentHost  # noqa: E402 -- the same
from hostile.arena import ATTACKS, LIMITS, Arena, Outcome, short  # noqa: E402 -- the same
from hostile.world import World  # noqa: E402 -- the same
from reference.questions import draw  # noqa: E402 -- the same

FILE = HERE / "OUTCOMES.md"


def run() -> tuple[list[Outcome], str]:
    """Let every attack loose once; give the outcomes, and the layers that were in force."""
    assignment = short(load(bundled(), tuple(CHECKS)))
    world = World()
    try:
        with StudentHost(LIMITS) as host, tempfile.TemporaryDirectory() as folder:
            arena = Arena(assignment, draw(assignment, assignment.seed), host, world, Path(folder))
            layers = arena.grade("layers", "class TwoLayerNet: pass").report.environment.isolation
            return [arena.attack(path) for path in ATTACKS], ", ".join(layers)
    finally:
        world.close()


def write(outcomes: Sequence[Outcome], layers: str) -> str:
    """Write the table."""
    won = [outcome for outcome in outcomes if outcome.gained or outcome.breaches]
    user = "root" if os.geteuid() == 0 else "an ordinary user"
    verdict = f"{len(won)} of them won something" if won else "none gained a point, and none got through"
    lines = [
        "# Attacks, and what came of them",
        "",
        f"{len(outcomes)} hostile submissions were graded one after another by one grader; {verdict}. Made by",
        f"`python tests/hostile/table.py` on {platform.system()} {platform.release().partition('-')[0]}, started as {user};",
        f"layers in force: {layers}. The slow tests repeat this (`.ci/run slow`), the default run a part of it.",
        "",
        "Points are those of the shortened assignment that the suite uses (of 100); *honest* is what the same program scores",
        "with its attack taken out.",
    ]
    for family, members in groupby(outcomes, key=lambda outcome: outcome.family):
        lines += [
            "",
            f"## {family}",
            "",
            "| attack | tries | honest | points | what came of it |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| `{one.name}` | {one.tries} | {one.honest:g} | {one.score:g} | {_cell(_outcome(one))} |"
            for one in members
        ]
    return "\n".join(lines) + "\n"


def _outcome(outcome: Outcome) -> str:
    if outcome.breaches:
        return f"GOT THROUGH: {'; '.join(outcome.breaches)}"
    return outcome.met


def _cell(text: str) -> str:
    """Make a text fit for one cell: an attack chose what its exception says."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    # Names that differ from run to run.
    plain = re.sub(r"/tmp/[\w/.-]+", "FILE", plain)  # noqa: S108 -- only looked for
    plain = re.sub(r"/\S*(?=/(?:grader|reference|assignment|lib)/)", "...", plain)
    plain = plain if len(plain) <= 160 else f"{plain[:157]}..."
    # As code, in which nothing is markup.
    return "`" + plain.replace("`", "'").replace("|", "/").strip() + "`"


if __name__ == "__main__":
    FILE.write_text(write(*run()), encoding="utf-8")
    sys.stdout.write(f"Wrote {FILE}\n")
