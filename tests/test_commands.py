"""The list of commands: what `grader --help` says, and that saying it imports next to nothing."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from grader.cli import COMMANDS, main


def test_the_list_says_what_each_command_says_of_itself():
    """The list is read from the commands' files: it shows the first sentence that each command would show."""
    said = CliRunner().invoke(main, ["--help"], env={"COLUMNS": "100"}).output
    context = click.Context(main)
    for name in COMMANDS:
        (line,) = [one for one in said.splitlines() if one.startswith(f"  {name} ")]
        summary = line.split(maxsplit=1)[1]
        assert summary.removesuffix("...") in main.get_command(context, name).get_short_help_str(200)
        assert len(summary) > 20


@pytest.mark.parametrize("words", ["--help", "--version", "check --help", "grade --help"])
def test_help_and_version_import_no_numpy(words):
    """Whoever asks what there is waits for click alone; the two commands start their processes before they import more."""
    code = f"import sys; from grader.cli import main; main({words.split()}, standalone_mode=False); print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in names if name.startswith("grader.cli.")} if words.startswith("-") else set()
    assert not ours | ({"numpy", "rich", "jinja2", "sqlite3", "reference", "grader.model"} & set(names))
