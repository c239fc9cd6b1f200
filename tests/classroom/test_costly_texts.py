"""A text that would hold up the grader is refused, and the class goes on: graded, graded again, regraded and compared."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main

SAMPLES = Path(__file__).resolve().parents[1] / "submissions"
FAULTY = "wrong_half_the_gradient"


def costly_methods():
    """Return methods that Python's compiler writes out 4,096 times each."""
    lines = [f"{' ' * depth}try: self()\n{' ' * depth}finally:" for depth in range(12)]
    nested = "\n".join("\n".join(f"        {line}" for line in one.split("\n")) for one in lines)
    return "\n".join(f"    def m{n}(self):\n{nested}\n{' ' * 20}self()" for n in range(380))


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_text_that_costs_too_much_holds_up_nobody(tmp_path, jobs):
    """The kernel ends what reads it, whether in this process's child or in a worker's."""
    folder, out = tmp_path / "class", str(tmp_path / "out")
    folder.mkdir()
    (folder / "costly.py").write_text(f"class TwoLayerNet:\n{costly_methods()}\n", "utf-8")
    for name in ("right_einsum", FAULTY):
        (folder / f"{name}.py").write_bytes((SAMPLES / f"{name}.py").read_bytes())

    def reports():
        paths = (tmp_path / "out" / "submissions").glob("*/report.json")
        return {path.parent.name: json.loads(path.read_text("utf-8")) for path in paths}

    commands = [
        ["grade", str(folder), "--out", out, "--jobs", jobs],
        ["grade", str(folder), "--out", out, "--jobs", jobs, "--force"],
        ["regrade", out],
        ["similar", out],
    ]
    for command in commands:
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, (command, result.output)
        found = reports()
        assert found["right_einsum"]["score"] == 100
        assert any(check["places"] for check in found[FAULTY]["checks"])
        assert found["costly"]["status"] == "failed_to_load"
        (said,) = [note for note in found["costly"]["notes"] if "Reading what was handed in" in note] or [
            str(found["costly"])
        ]
        assert "took more than 3 s of processor time" in said or "took more than 120 MiB of memory" in said
