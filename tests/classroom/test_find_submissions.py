"""A class's own download is a class, whatever it is packed in; several people's programs are never one submission."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.classroom.find_submissions import find_submissions
from grader.cli import main
from grader.rubric import bundled, load
from grader.score import KNOWN
from grader.submission import read

PROGRAM = "class TwoLayerNet:\n    pass\n"
RUBRIC = load(bundled(), KNOWN)
CANVAS = ("doejane_101_5551_two_layer_net.py", "mustermax_LATE_102_5552_two_layer_net-1.py")
MOODLE = ("Jane Doe_101_assignsubmission_file_/net.py", "Max Muster_102_assignsubmission_file_/net.py")
HIDDEN = ("Participant_101_assignsubmission_file_/net.py", "Participant_102_assignsubmission_file_/net.py")
GRADESCOPE = ("assignment_7_export/submission_91/net.py", "assignment_7_export/submission_92/net.py")
BLACKBOARD = ("Net_jdoe_attempt_2024-03-01-12-00-59_net.py", "Net_mm_attempt_2024-03-01-12-00-59_net.py")
BRIGHTSPACE = ("1-2 - Jane Doe - Mar 1, 2024 1200 PM/net.py", "1-3 - Max Muster - Mar 1, 2024 1200 PM/net.py")


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """Work in a folder of one's own."""
    monkeypatch.chdir(tmp_path)


def write(folder, *names, text=PROGRAM):
    """Write files into a folder."""
    for name in names:
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Path(folder)


def pack(name, *members, text=PROGRAM):
    """Write a zip."""
    with zipfile.ZipFile(name, "w") as archive:
        for member in members:
            archive.writestr(zipfile.ZipInfo(member, (2024, 3, 1, 12, 0, 0)), text)
    return Path(name)


def found(*paths, one=False):
    """Return the names of the submissions at some paths."""
    return [path.name for path in find_submissions(paths, Path("graded"), RUBRIC, one=one)[0]]


def refusal(path):
    """Return why a path is not taken for one submission."""
    with pytest.raises(ValueError, match="one person's") as caught:
        found(path)
    return str(caught.value)


@pytest.mark.parametrize("members", [CANVAS, MOODLE, HIDDEN, GRADESCOPE, BLACKBOARD])
@pytest.mark.parametrize("around", ["", "Homework 2/"])
def test_a_platforms_zip_is_a_class(members, around):
    """Alone, in a folder with other files, or unpacked into a folder: each person's part is a submission."""
    names = sorted({member.removeprefix("assignment_7_export/").split("/")[0] for member in members})
    packed = pack("download.zip", *(f"{around}{member}" for member in members))
    assert found(packed) == names
    folder = write("folder", "notes.txt")
    (folder / "download.zip").write_bytes(packed.read_bytes())
    assert found(folder) == names
    assert found(write("unpacked", *(f"in/{around}{member}" for member in members))) == names


@pytest.mark.parametrize("own", ["annsmith_103_5553_net.zip", "ann.zip"])
def test_a_students_zip_of_other_peoples_names_is_that_students(own):
    """Else it would replace the hand-ins of others, being later by the numbers that its author chose."""
    folder = write("folder", *CANVAS)
    pack(folder / own, *(f"{name.replace('_555', '_999')}" for name in CANVAS))
    names = sorted([own, *CANVAS])
    assert sorted(found(folder)) == names
    assert sorted(found(*folder.iterdir())) == names
    write("folder/zoe", *CANVAS)
    assert sorted(found(folder)) == sorted([*names, "zoe"])
    if own != "ann.zip":
        assert found(folder / own) == [own]


def test_what_is_unpacked_is_what_was_handed_in():
    """Files keep their bytes and their times; of others the name is kept, and a link leads nowhere."""
    members = [*MOODLE, "Max Muster_102_assignsubmission_file_/report.pdf", "../../out.py", "/out.py"]
    paths, _ = find_submissions([pack("download.zip", *members)], Path("graded"), RUBRIC, one=False)
    jane, muster = paths
    assert jane.parent == Path("graded/handed-in/download")
    assert read(jane).files[0].data == PROGRAM.encode()
    assert (jane / "net.py").stat().st_mtime == time.mktime((2024, 3, 1, 12, 0, 0, 0, 0, -1))
    assert (muster / "report.pdf").read_bytes() == b""
    assert not list(Path().rglob("out.py"))
    assert found(pack("download.zip", *CANVAS)) == list(CANVAS)  # nothing of the earlier one is left


def test_what_canvas_lays_beside_a_notebook_is_no_submission_of_its_own():
    """A person's helpers are read with the notebook that imports them; files that import each other leave one."""
    folder = write("class", "doejane_101_5551_net.ipynb", text="from helper import TwoLayerNet\n")
    write(folder, "doejane_101_5552_helper.py", "roe_102_5553_helper.py", "roe_102_5554_net.py")
    write(folder, "low_103_5555_a.py", text="import b\n")
    write(folder, "low_103_5556_b.py", text="import a\n")
    assert found(folder) == [
        "doejane_101_5551_net.ipynb",
        "low_103_5555_a.py",
        "roe_102_5553_helper.py",
        "roe_102_5554_net.py",
    ]


def test_a_repository_with_a_folder_of_submissions_is_that_class():
    """What lies beside it is nobody's hand-in, and is told."""
    repository = write("repo", "submissions/alice.py", "submissions/bob/net.py", "solution/net.py", "README.md")
    paths, ignored = find_submissions([repository], Path("graded"), RUBRIC, one=False)
    assert [path.name for path in paths] == ["alice.py", "bob"]
    assert ignored == ["solution", "README.md"]
    write("repo", "zoe/net.py")
    assert found(repository) == ["solution", "submissions", "zoe"]  # a class, and one person's folder of that name
    assert found(pack("submissions.zip", "alice.py", "bob/net.py")) == ["alice.py", "bob"]
    assert found(write("clone", "net-submissions/net-alice/a.py", "net-submissions/net-bob/a.py")) == [
        "net-alice",
        "net-bob",
    ]


def test_several_peoples_programs_are_never_one_submission():
    """What may be a class or one person's tries is refused, and both commands are said."""
    folder = write("course", "hw2/alice.py", "hw2/bob.py", "data/x.txt")
    assert refusal(folder) == (
        "course/hw2 holds programs of several people, it seems (alice.py, bob.py), and would be graded as one submission."
        " To grade each of them, use `grader grade course/hw2 --out graded`; where all is one person's, use"
        " `grader grade course/hw2 --one --out graded`."
    )
    assert found(folder / "hw2") == ["alice.py", "bob.py"]
    assert found(folder / "hw2", one=True) == ["hw2"]
    packed = pack("hw2.zip", "alice/net.py", "bob/net.py")
    assert "use `unzip hw2.zip -d hw2` and `grader grade hw2 --out graded`" in refusal(packed)
    assert found(packed, one=True) == ["hw2.zip"]
    done = CliRunner().invoke(main, ["grade", "hw2.zip", "--out", "graded"])
    assert done.exit_code == 2
    assert "where all is one person's, use `grader grade hw2.zip --one --out graded`" in " ".join(done.output.split())


@pytest.mark.parametrize(
    "members",
    [
        ("two_layer_net.ipynb", "neural_net.py"),  # the assignment's own notebook
        ("src/net.py", "tests/test_net.txt"),
        ("net.py", "net-Copy1.py", "net (2).py"),
        ("net.py", "net_old.py"),
        ("hw_2_1_net.py", "hw_2_1_net_b.py"),
        ("deep/er/net.py", "deep/er/net_final.py"),
    ],
)
def test_one_persons_work_stays_one(members):
    """Copies, older tries and helpers beside the program make no class of it."""
    packed = pack("alice.zip", *members)
    assert found(packed) == ["alice.zip"]
    folder = write("class", *(f"alice/{member}" for member in members))
    assert found(folder) == ["alice"]


def test_a_class_of_a_few_is_not_refused_for_one_with_two_programs():
    """Where others handed in something too, the folder is a class for certain."""
    assert found(write("class", "alice/a.py", "alice/b.py", "bob.py")) == ["alice", "bob.py"]
