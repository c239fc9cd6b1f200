"""What comparing a class costs: run by hand, `python tests/benchmarks/bench_similar.py [--submissions 400] [--copies 4]`.

Makes up a class: each program is written by one hand with up to four mistakes of its own choice, some constants and some
statements of its own, so that no two are equal; a few are copies, with every variable renamed. Prints the time of one
comparison and the peak of its memory, measured in a second run, and how many of the copies it found.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import time
import tracemalloc
from pathlib import Path

from grader.checks import CHECKS
from grader.classroom.reference_api import Author, author
from grader.model.similar_programs import Program, Text
from grader.rubric import bundled, load
from grader.similarity import compare_programs
from grader.submission.cells import translate

ROOT = Path(__file__).resolve().parents[2]
# What students write besides: each draws some, with numbers of their own.
EXTRAS = (
    "        shuffled = np.random.permutation({0})[:{1}]\n        self.order = np.sort(shuffled * {0})\n",
    "        self.scale = np.sqrt({0} / max({1}, np.abs(np.arange({0}) - {1}).sum()))\n",
    "        for step in range({0}):\n            self.steps = np.cumsum(np.ones({1}) * step)[::{0}]\n",
    "        self.best = {{}}\n        for rate in np.linspace({0}, {1}, {0}):\n            self.best[rate] = np.log({1} + rate)\n",
    "        while len(self.history) > {0}:\n            self.history = np.concatenate([self.history[{1}:], np.zeros({0})])\n",
)


def write(known: Author, dice: random.Random) -> str:
    """Write one program that no other is equal to."""
    while True:
        forms = dice.sample([*known.forms], dice.randrange(5))
        try:
            source = known.write(forms)
            break
        except ValueError:
            continue  # two mistakes of one step
    drawn = "".join(
        extra.format(dice.randrange(2, 500), dice.randrange(2, 500)) for extra in dice.sample(EXTRAS, dice.randrange(4))
    )
    return source + (f"\n\nclass Own:\n    def extra(self):\n{drawn}" if drawn else "")


def renamed(source: str) -> str:
    """Rename every variable."""
    tree = ast.parse(source)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for node in names:
        node.id = f"my_{node.id}" if node.id in stored else node.id
    return ast.unparse(tree)


def program(name: str, source: str) -> Program:
    """Return a program of one text, all of which is compared."""
    return Program(name, (Text(f"{name}.py", source),), (tuple(range(len(ast.parse(source).body))),))


def skeleton() -> Program:
    """Return the assignment's notebook."""
    cells = json.loads((ROOT / "assignment" / "two_layer_net.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = [translate("".join(cell["source"])).source for cell in cells if cell["cell_type"] == "code"]
    texts = tuple(Text(f"code cell {number}", source) for number, source in enumerate(sources, 1))
    return Program("skeleton", texts, tuple(tuple(range(len(ast.parse(source).body))) for source in sources))


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--submissions", type=int, default=400)
    parser.add_argument("--copies", type=int, default=4)
    given = parser.parse_args()
    dice = random.Random(7)
    known = author(load(bundled(), tuple(CHECKS)))
    sources = [write(known, dice) for _ in range(given.submissions - given.copies)]
    sources += [renamed(source) for source in sources[: given.copies]]
    programs = [program(f"student_{number:04}", source) for number, source in enumerate(sources)]
    start = skeleton()
    before = time.perf_counter()
    found = compare_programs(programs, start)
    seconds = time.perf_counter() - before
    tracemalloc.start()
    compare_programs(programs, start)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    copies = {
        (f"student_{number:04}", f"student_{given.submissions - given.copies + number:04}")
        for number in range(given.copies)
    }
    pairs = given.submissions * (given.submissions - 1) // 2
    print(f"compared {given.submissions} programs, {pairs:,} pairs: {seconds:.2f} s, {peak:.0f} MiB at most")
    print(f"usual {found.usual:.3f}, worth a look from {found.limit:.3f}; left out {len(found.left)}")
    print(f"spread {found.spread}")
    listed = {(pair.first, pair.second) for pair in found.pairs}
    print(f"listed {len(listed)} and {found.unlisted} more; of {given.copies} copies {len(listed & copies)}")


if __name__ == "__main__":
    main()
