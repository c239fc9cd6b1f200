"""Where commands print: any encoding, nobody who reads, a folder that is gone. None ends in a traceback or another exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from classroom.once import graded_once
from examples import in_part
from grader import __main__ as command
from grader.audit import view
from grader.cli import common
from grader.reports import terminal
from grader.text.standard_streams import SIGNS

NAME = "wrong_half_the_gradient"
COMMANDS = {
    "show": ["show", "graded", NAME],
    "history": ["history", "graded", NAME],
    "adjust": ["adjust", "graded", NAME, "--excuse", "--comment", "łóż ✓", "--by", "José"],
    "nobody": ["show", "graded", "josé_ł"],
    "no format": ["show", "graded", NAME, "--format", "ł"],
    "help": ["--help"],
}


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded."""
    return graded_once(tmp_path_factory, tmp_path, monkeypatch)


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Return a function that starts a command on streams of an encoding, and returns its exit code and what it wrote."""

    def start(words, encoding):
        with (
            (tmp_path / "out").open("w", encoding=encoding) as out,
            (tmp_path / "err").open("w", encoding=encoding) as err,
        ):
            monkeypatch.setattr(sys, "argv", ["grader", *words])
            monkeypatch.setattr(sys, "stdout", out)
            monkeypatch.setattr(sys, "stderr", err)
            monkeypatch.setattr(command, "_leave", lambda _code: None)  # it ends this very process
            with pytest.raises(SystemExit) as ended:
                command.run()
            sys.stdout.flush()
            sys.stderr.flush()
            monkeypatch.undo()
        # Strictly: what the encoding does not know cannot stand there.
        return ended.value.code or 0, *((tmp_path / name).read_bytes().decode(encoding) for name in ("out", "err"))

    return start


@pytest.mark.untraced
@pytest.mark.parametrize("encoding", in_part(["cp1252", "ascii", "latin-1", "cp437"], 4))
def test_what_a_terminal_cannot_show_is_written_plainly(here, started, monkeypatch, encoding):
    """Signs have plain ones, names their escapes; the exit codes are those of UTF-8."""
    codes = {}
    for name, words in COMMANDS.items():
        monkeypatch.chdir(here.path)
        codes[name], out, err = started(words, encoding)
        assert "Traceback" not in err
        if name == "show" and encoding != "cp437":
            assert "+ " in out
            assert "x " in out
        if name == "nobody":
            assert ("jos\\xe9" if encoding == "ascii" else "josé") + "_\\u0142: there is no" in err
    assert codes == {"show": 0, "history": 0, "adjust": 0, "nobody": 2, "no format": 2, "help": 0}


def test_every_sign_of_ours_has_a_plain_one():
    """Of one character, so that columns stay straight."""
    assert all(len(plain) == 1 and plain.isascii() for plain in SIGNS.values())
    for module in (terminal, common, view):
        text = Path(module.__file__).read_text(encoding="utf-8")
        assert {one for one in text if not one.isascii()} <= SIGNS.keys()


def shell(command, folder):
    """Return the exit code of a command and what it says beside its output."""
    env = os.environ | {"GRADER": f"{sys.executable} -m grader"}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("$GRADER show graded {} --format html | true; exit ${{PIPESTATUS[0]}}", 0),
        ("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $GRADER history graded {} && $GRADER show graded {} >&-", 0),
    ],
)
def test_where_nobody_reads_the_work_is_done(here, command, code):
    """A closed output, a reader that is gone, a locale that knows ASCII alone."""
    assert shell(command.format(NAME, NAME), here.path) == (code, "")


@pytest.mark.slow
@pytest.mark.untraced
def test_output_that_cannot_be_written_is_one_line(here):
    """A full disk: the work is done all the same, and whoever called learns of it."""
    code, said = shell(f"$GRADER adjust graded {NAME} --excuse --comment ill --by ada > /dev/full", here.path)
    assert (code, said) == (
        1,
        "Error: the output could not be written (No space left on device): a part of it is lost.\n",
    )
    assert "excused" in shell(f"$GRADER show graded {NAME} >&2", here.path)[1].lower()


@pytest.mark.parametrize("words", [["show", "a", "b"], ["grade", "a", "--out", "b"], ["doctor"], ["--help"]])
def test_a_working_folder_that_is_gone_is_one_line(started, monkeypatch, tmp_path, words):
    """Whatever the command, which could not find what it is to read."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    code, out, err = started(words, "utf-8")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("Error: the working folder cannot be found")
