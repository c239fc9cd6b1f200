"""`grader package`: what the zip holds and where its seed is kept, what is refused, and what setup.sh does on other images."""

import json
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from examples import in_part
from grader.classroom.gradebook import FILE as GRADEBOOK
from grader.classroom.seed_file import FILE as SEED
from grader.cli import common, main
from grader.frozen import FILE, load_frozen
from grader.frozen.freeze import freeze
from grader.integrations import autograder_zip, gradescope_run
from grader.model import LatePolicy
from grader.rubric import bundled
from grader.sandbox.forkserver import ServerLostError
from grader.sandbox.host import StudentHost
from grader.sandbox.policy import DisabledLayers

ROOT = Path(__file__).resolve().parent.parent
SETUP = ROOT / "grader" / "integrations" / "gradescope" / "setup.sh"


@pytest.fixture
def package(tmp_path, monkeypatch, assignment):
    """Return a function that runs the command where neither a wheel is built nor mistakes are worked out."""
    wheel = tmp_path / "made" / "grader-1-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.write_bytes(b"wheel")
    late = replace(assignment, late=LatePolicy(0, 10.0, "maximum", 0.0))
    monkeypatch.setattr(common, "assignment_of", lambda _folder: late)
    monkeypatch.setattr("grader.cli.package.build_wheel", lambda _folder: wheel)
    drawn = []

    def freeze_nothing(_assignment, seed, *, with_hidden=False):
        drawn.append(seed)
        return b"with hidden" if with_hidden else b""

    monkeypatch.setattr("grader.cli.package.freeze_with_progress", freeze_nothing)

    def run(*words, status=0, env=None):
        done = CliRunner().invoke(main, ["package", "--for", "gradescope", *map(str, words)], env=env)
        assert done.exit_code == status, done.output
        return done.output

    run.drawn, run.out = drawn, tmp_path / "class" / "autograder.zip"
    return run


def mode(path):
    """Return the rights of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_zip_and_its_seed_are_their_owner_s_alone(package):
    """The two scripts can be run, the questions are root's; the seed is drawn once, kept, and asked again later."""
    said = package("--out", package.out)
    with zipfile.ZipFile(package.out) as opened:
        rights = {one.filename: one.external_attr >> 16 for one in opened.infolist()}
        assert opened.read(gradescope_run.QUESTIONS) == b"with hidden"
    assert rights == {
        "setup.sh": 0o755, "run_autograder": 0o755, "requirements.txt": 0o644, "no_grade.json": 0o644,
        "grader-1-py3-none-any.whl": 0o644, "hidden_questions.npz": 0o600,
    }  # fmt: skip
    kept = package.out.with_name(SEED)
    assert (mode(package.out), mode(kept)) == (0o600, 0o600)
    assert f"It is saved in {kept}." in said
    assert "1280 MB of memory and a timeout of 21 minutes" in said
    assert "rule for late days is not applied there" in said
    package.out.unlink()
    assert "saved in" not in package("--out", package.out)
    assert package.drawn == [int(kept.read_text().split()[0])] * 2


def test_a_seed_that_is_given_is_kept_and_never_replaced(package, assignment):
    """By option or by the environment; another one is refused, and so is the public one."""
    package("--out", package.out, env={"GRADER_SEED": "12"})
    package.out.unlink()
    assert package.drawn == [12]
    assert "keeps another seed" in package("--out", package.out, "--seed", 13, status=2)
    assert package.out.with_name(SEED).read_text().startswith("12 ")
    other = package.out.parent / "other" / "a.zip"
    assert "students may know" in package("--out", other, "--seed", assignment.seed, status=2)
    assert not other.with_name(SEED).exists()
    (other.parent / GRADEBOOK).touch()
    assert "has no secret seed" in package("--out", other, status=2)


def test_what_is_there_is_not_written_over(package, tmp_path):
    """A file, a folder and a link; and a folder that cannot be made is told."""
    (tmp_path / "link").symlink_to("nowhere")
    for taken in (Path(__file__), tmp_path, tmp_path / "link"):
        assert f"{taken}: it exists already. Remove it" in package("--out", taken, status=2)
    assert "cannot be made" in package("--out", Path(__file__) / "a.zip", status=2)


def test_a_full_disk_leaves_no_half_of_a_zip(package, monkeypatch):
    """It is told in one line."""

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail)
    assert "No space left on device. Name another file" in package("--out", package.out, status=1)
    assert not package.out.exists()


def test_a_platform_must_be_named():
    """The only one so far is Gradescope."""
    done = CliRunner().invoke(main, ["package"])
    assert (done.exit_code, "Missing option '--for'" in done.output) == (2, True)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("/venv/bin/python: No module named pip", "/venv/bin/python: No module named pip"),
        (
            "  ERROR: No matching hatchling\nerror: subprocess-exited\nnote: Not pip's fault",
            "ERROR: No matching hatchling",
        ),
        ("", "pip says nothing"),
    ],
)
def test_a_wheel_that_cannot_be_built_is_told_in_one_line(package, monkeypatch, tmp_path, said, reason):
    """With pip's first error, and what the build needs; no mistake was worked out before."""
    write_command(tmp_path / "python", f'#!/bin/sh\nprintf "{said}" >&2\nexit 1\n')
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr("grader.cli.package.build_wheel", autograder_zip.build_wheel)
    last = package("--out", package.out, status=1).splitlines()[-1]
    assert last.startswith(f"Error: The grader's wheel cannot be built: {reason}. That takes pip, which")
    assert not package.drawn
    assert not package.out.exists()


def test_versions_are_those_that_are_installed_here():
    """Of all packages that a check needs, with those that these need; nothing of what instructors need besides."""
    first, *pins = autograder_zip.pin_versions().splitlines()
    assert first == f"# python{sys.version_info.major}.{sys.version_info.minor}"
    named = dict(re.fullmatch(r"([\w.-]+)==(\S+?)(?:;.*)?", one).groups() for one in pins)
    assert {"numpy", "jinja2", "click", "rich", "MarkupSafe", "pygments"} <= {*named}
    assert all(metadata.version(name) == version for name, version in named.items())
    assert not {"nbformat", "pytest", "ruff", "distributed"} & {*named}


def test_hidden_checks_are_kept_where_no_student_reads(assignment, questions, tmp_path):
    """With their points, and without seed and folder."""
    hiding = replace(assignment, checks=(replace(assignment.checks[0], hidden=True), *assignment.checks[1:]))
    known = replace(questions, catalogue=replace(questions.catalogue, forms=()))
    (tmp_path / "q.npz").write_bytes(freeze(hiding, known, with_hidden=True))
    frozen = load_frozen(tmp_path / "q.npz").assignment
    assert (frozen.checks, frozen.seed) == (hiding.checks, 0)


# ---------------------------------------------------------------- setup.sh on other images

TOOLS = ("bash", "dirname", "chmod", "sed", "mkdir", "cp")
PYTHON = '#!/bin/bash\n[ "$1" = -c ] && exit {old}\nmkdir -p ../venv/bin && cp {pip} ../venv/bin/python\n'


def write_command(path, text):
    """Write a command."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def set_up(folder, pythons, apt="", pip=0):
    """Run setup.sh where only these commands are, and return its status and what it says; pythons : name -> too old."""
    source, commands, pip_stub = folder / "source", folder / "bin", folder / "made" / "pip"
    write_command(source / "setup.sh", SETUP.read_text(encoding="utf-8"))
    (source / "requirements.txt").write_text("# python3.12\nnumpy==2\n")
    (source / "a.whl").write_bytes(b"")
    write_command(pip_stub, f'#!/bin/bash\necho "pip: $*"\nexit {pip}\n')
    write_command(folder / "made" / "python3.11", PYTHON.format(old=0, pip=pip_stub))
    for name, old in pythons.items():
        write_command(commands / name, PYTHON.format(old=int(old), pip=pip_stub))
    if apt:
        write_command(commands / "apt-get", apt)
    for name in TOOLS:
        (commands / name).symlink_to(shutil.which(name))
    done = subprocess.run(
        [commands / "bash", source / "setup.sh"],
        env={"PATH": str(commands)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_setup_takes_the_python_of_the_versions_first(tmp_path):
    """Then any that is new enough; the folder with the questions is closed to others."""
    status, said = set_up(tmp_path, {"python3": False, "python3.12": False})
    assert (status, "installed, with python3.12" in said) == (0, True), said
    assert "pip: -m pip install -q --no-cache-dir -r requirements.txt ./a.whl" in said
    assert mode(tmp_path / "source") & 0o077 == 0


def test_setup_installs_a_newer_python_where_the_image_s_is_old(tmp_path):
    """Ubuntu 22.04 has Python 3.10, and 3.11 to install; what it does not have to install stops nothing."""
    apt = (
        f'#!/bin/bash\necho "apt: $*"\n[ "$1" = update ] && exit 0\n[ "$4" = python3.11-venv ] || exit 100\n'
        f"cp {tmp_path}/made/python3.11 {tmp_path}/bin/\n"
    )
    status, said = set_up(tmp_path, {"python3": True}, apt)
    assert (status, "installed, with python3.11" in said) == (0, True), said
    assert re.findall("apt: (.*)", said) == [
        "update -qq", *(f"install -y -qq {one}" for one in ("python3.12-venv", "python3-venv", "python3.11-venv"))
    ]  # fmt: skip


def test_setup_says_what_is_missing(tmp_path):
    """No Python to be had, and no network for pip: the build on Gradescope fails with the reason as its last line."""
    for name, pythons, pip, reason in (
        ("old", {"python3": True}, 0, "no Python 3.11 or newer with venv"),
        ("offline", {"python3": False}, 1, "Without a network nothing can be installed"),
    ):
        (tmp_path / name).mkdir()
        status, said = set_up(tmp_path / name, pythons, pip=pip)
        assert status == 1
        assert reason in said.splitlines()[-1]


# ---------------------------------------------------------------- where there is no grade


@pytest.fixture
def unpacked(tmp_path):
    """Return a folder laid out as /autograder, with the public questions, readable by all, and a submission."""
    for name in ("source", "submission", "results"):
        (tmp_path / name).mkdir()
    shutil.copyfile(bundled() / FILE, tmp_path / "source" / gradescope_run.QUESTIONS)
    (tmp_path / "submission" / "a.py").write_text("class TwoLayerNet: pass\n")
    return tmp_path


def refusal(folder):
    """Return what the student reads and what the instructor does where there is no grade."""
    with pytest.raises(SystemExit) as ended:
        gradescope_run.main(folder)
    data = json.loads((folder / "results" / "results.json").read_text(encoding="ascii"))
    assert set(data) == {"output", "output_format", "stdout_visibility"}
    assert data["output"].startswith("Infrastructure: ")
    return data["output"], str(ended.value)


@pytest.mark.parametrize("layer", in_part(["landlock", "seccomp", "process"], every=3))
def test_where_the_sandbox_does_not_hold_nothing_is_run(unpacked, monkeypatch, layer):
    """Its self-test finds it out; students read no detail, and there is no score of 0."""
    monkeypatch.setattr(gradescope_run, "StudentHost", partial(StudentHost, disabled=DisabledLayers((layer,))))
    monkeypatch.setattr(gradescope_run, "grade", None)  # it would fail if it was called
    student, instructor = refusal(unpacked)
    assert "The sandbox that student code needs does not work on this machine." in student
    assert "a test process could" in instructor
    assert "a test process could" not in student


def test_without_processes_nothing_is_run(unpacked, monkeypatch):
    """A zygote that does not start is told the same."""

    def fail(_limits):
        raise ServerLostError("the zygote ended")

    monkeypatch.setattr(gradescope_run, "StudentHost", fail)
    student, instructor = refusal(unpacked)
    assert "The sandbox that student code needs" in student
    assert "the zygote ended" in instructor


def test_without_a_hand_in_or_questions_there_is_no_grade(unpacked):
    """An empty repository, a folder that is missing, questions that are damaged or gone."""
    (unpacked / "submission" / "a.py").unlink()
    assert "No file was handed in" in refusal(unpacked)[0]
    (unpacked / "submission").rmdir()
    assert "No file was handed in" in refusal(unpacked)[0]
    file = unpacked / "source" / gradescope_run.QUESTIONS
    file.write_bytes(file.read_bytes()[:-100_000])
    assert "questions cannot be read" in refusal(unpacked)[0]
    file.unlink()
    student, instructor = refusal(unpacked)
    assert "questions cannot be read" in student
    assert "there are no frozen questions" in instructor


def test_the_questions_are_closed_before_student_code_runs(unpacked, monkeypatch):
    """Mistakes and all are in memory by then, and only root may read the file."""
    file = unpacked / "source" / gradescope_run.QUESTIONS
    file.chmod(0o644)

    def start(_limits):
        assert mode(file) == 0o600
        file.unlink()
        raise ServerLostError("that far")

    monkeypatch.setattr(gradescope_run, "StudentHost", start)
    assert "that far" in refusal(unpacked)[1]
