"""The published table tells of every attack that there is, and of no success."""

from __future__ import annotations

import ast
import re

from hostile.arena import ATTACKS
from hostile.table import FILE

ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| ([\d.]+) \| ([\d.]+) \| (.*) \|$", re.MULTILINE)


def test_the_table_tells_of_every_attack():
    """A new attack is in the table as soon as `python tests/hostile/table.py` has been run again, and only then."""
    listed = [row[0] for row in ROW.findall(FILE.read_text(encoding="utf-8"))]
    assert listed == [path.stem for path in ATTACKS], "run python tests/hostile/table.py again"


def test_the_table_tells_of_no_success():
    """No row has more points than its honest part, and none got through."""
    text = FILE.read_text(encoding="utf-8")
    for name, _, honest, points, met in ROW.findall(text):
        assert float(points) <= float(honest), name
        assert "GOT THROUGH" not in met, name
    assert f"{len(ATTACKS)} hostile submissions" in text


def test_there_are_attacks_of_every_family():
    """The suite speaks of all that a submission can try, with a sentence for each."""
    families = {path.stem.partition("_")[0] for path in ATTACKS}
    assert families >= {
        "answers",
        "files",
        "grading",
        "kernel",
        "network",
        "process",
        "protocol",
        "resource",
        "secrets",
    }
    for path in ATTACKS:
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert re.match(r"[A-Z][^\n]{20,200}\.$", said.partition("\n")[0]), f"{path.name}: {said!r}"
