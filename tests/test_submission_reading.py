"""A path is read whatever its layout, in memory, within its caps, and following nothing out of the submission."""

import io
import json
import os
import stat
import struct
import zipfile

import nbformat
import pytest

from grader.submission import companions, load, read_files, zip_members

CLASS = "import numpy as np\nclass TwoLayerNet:\n    def loss(self, X):\n        return np.sum(X)\n"


def notebook(*cells):
    """Make a valid notebook's text of code cells."""
    return nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]))


def read(path, **options):
    """Load as the bundled assignment would."""
    return load(path, class_name="TwoLayerNet", notebook="two_layer_net.ipynb", **options)


def zipped(path, members, **options):
    """Write a zip of name to text."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def refusal(path):
    """Return the status and message of a submission that cannot be run."""
    submission = read(path)
    assert submission.problem is not None
    assert submission.segments == ()
    return submission.problem.status, submission.problem.message


def test_notebook(tmp_path):
    """A notebook gives the cell with its class, labelled by its number among code cells, and its own line numbers."""
    path = tmp_path / "two_layer_net.ipynb"
    cells = [
        nbformat.v4.new_markdown_cell("# Net"),
        nbformat.v4.new_code_cell("%pylab\n"),
        nbformat.v4.new_code_cell(CLASS),
    ]
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    submission = read(path)
    assert submission.problem is None
    assert [(s.label, s.source, s.kept) for s in submission.segments] == [
        ("code cell 2", CLASS.rstrip("\n") + "\n", (0, 1))
    ]
    assert (submission.name, submission.graded_file, submission.source) == ("two_layer_net", path.name, str(path))


def test_py_file(tmp_path):
    """A .py file is one segment that bears its name."""
    path = tmp_path / "neural_net.py"
    path.write_text(CLASS, encoding="utf-8")
    assert [(s.label, s.kept) for s in read(path).segments] == [("neural_net.py", (0, 1))]


@pytest.mark.parametrize(
    "name",
    [
        "two_layer_net.ipynb",
        "assignment1/two_layer_net.ipynb",  # a git clone, as GitHub zips it
        "doe_12345_98765_two_layer_net-1.ipynb",  # Canvas
        "doejane_LATE_12345_98765_two_layer_net-2.ipynb",
        "Jane Doe_12345_assignsubmission_file_/two_layer_net.ipynb",  # Moodle
        "submission_1234/deep/er/two_layer_net.ipynb",  # Gradescope
        "two_layer_net (2).ipynb",
        "two_layer_net-Copy1.ipynb",
    ],
)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_layouts(tmp_path, name, kind):
    """The assignment's notebook is found by name, whatever platforms add to it, and preferred to another notebook."""
    members = {name: notebook(CLASS), "a_first_try.ipynb": notebook(CLASS + "\nother = 1")}
    if kind == "zip":
        path = zipped(tmp_path / "jane.zip", members)
    else:
        path = tmp_path / "jane"
        for member, text in members.items():
            (path / member).parent.mkdir(parents=True, exist_ok=True)
            (path / member).write_text(text, encoding="utf-8")
    submission = read(path)
    assert submission.graded_file == name
    assert submission.name == "jane"
    assert "not graded, though TwoLayerNet is also in: a_first_try.ipynb" in submission.notes


@pytest.mark.parametrize("kind", ["file", "folder", "zip"])
def test_what_browsers_add_to_a_name(tmp_path, kind):
    """Some save a notebook as .ipynb.json and a program as .py.txt: the files are what they were."""
    members = {"two_layer_net.ipynb.json": notebook("from helper import TwoLayerNet"), "helper.py.txt": CLASS}
    if kind == "file":
        (tmp_path / "helper.py.txt").write_text(CLASS, encoding="utf-8")
        assert read(tmp_path / "helper.py.txt").graded_file == "helper.py"
        return
    for member, text in members.items():
        (tmp_path / member).write_text(text, encoding="utf-8")
    submission = read(zipped(tmp_path / "jane.zip", members) if kind == "zip" else tmp_path)
    assert submission.problem is None
    assert submission.graded_file == "helper.py"


def test_canvas_lays_a_persons_files_side_by_side(tmp_path):
    """What the notebook imports is found under the name that the student gave it, and only what the same person handed in."""
    main = tmp_path / "doejane_101_5551_two_layer_net.ipynb"
    main.write_text(notebook("import numpy as np", "from net import TwoLayerNet"), encoding="utf-8")
    beside = {
        "doejane_101_5552_net.py": "from helper import relu\n" + CLASS,
        "doejane_101_5553_helper-1.py": "relu = abs\n",
        "doejane_101_5550_helper.py": "wrong\n",
        "muster_102_5559_net.py": "another's\n",
        "doejane_101_5554_unused.py": "unused\n",
    }
    for name, text in beside.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    submission = read(main)
    assert submission.problem is None
    assert submission.graded_file == "net.py"
    assert "doejane_101_5553_helper-1.py was handed in beside it and is read as helper.py." in submission.notes
    files = {str(file.path): file.data for file in read_files.read(main).files}
    assert set(files) == {main.name, "net.py", "helper.py"}
    assert files["helper.py"] == b"relu = abs\n"
    assert len(read_files.read(tmp_path / "doejane_101_5550_helper.py").files) == 1


def test_looking_for_a_persons_files_is_limited(tmp_path, monkeypatch):
    """A file of names without end, and files that import each other and are as large, took a minute."""
    read_so_far, looked_for = [], companions._imported
    monkeypatch.setattr(companions, "_imported", lambda data: read_so_far.append(len(data)) or looked_for(data))
    for number in range(5):
        text = f"import m{number + 1}\n" + "x" * companions._MOST
        (tmp_path / f"doejane_101_555{number}_m{number}.py").write_text(text, encoding="utf-8")
    main = tmp_path / "doejane_101_5550_m0.py"
    assert set(companions.find_companions(main, main.read_bytes())) == {"m1.py", "m2.py"}
    assert sum(read_so_far) == 2 * companions._MOST


def test_zip_in_a_folder(tmp_path):
    """Moodle gives a folder with the student's zip in it; that zip is read, a zip within it is not."""
    inner = io.BytesIO()
    zipped(inner, {"two_layer_net.ipynb": notebook(CLASS)})
    zipped(tmp_path / "work.zip", {"two_layer_net.ipynb": notebook(CLASS), "again.zip": inner.getvalue()})
    submission = read(tmp_path)
    assert submission.graded_file == "work/two_layer_net.ipynb"
    note = "not read from work.zip, because it is a zip within a zip: again.zip. Put its files into the one zip."
    assert note in submission.notes


def test_only_a_nested_zip(tmp_path):
    """Where all is inside a nested zip, the student is told so."""
    path = zipped(tmp_path / "a.zip", {"b.zip": b"PK"})
    status, message = refusal(path)
    assert status == "no_submission"
    assert "it is a zip within a zip: b.zip" in message


@pytest.mark.parametrize(
    "name", ["../two_layer_net.ipynb", "/etc/two_layer_net.ipynb", "C:/x/net.py", "a/../../net.py", "..\\net.py"]
)
def test_names_that_lead_out(tmp_path, name):
    """A member whose name leads out of the zip is not read, and the note says why."""
    path = zipped(tmp_path / "a.zip", {name: notebook(CLASS) if name.endswith("b") else CLASS, "ok.py": CLASS})
    submission = read(path)
    assert submission.graded_file == "ok.py"
    note = f"not read from a.zip, because the name leads out of the zip: {name.replace(chr(92), '/')}. Zip the folder"
    assert any(found.startswith(note) for found in submission.notes)


def test_link_in_a_zip(tmp_path):
    """A link in a zip is not read: its target would be another's file."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("two_layer_net.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("net.py", CLASS)
    submission = read(path)
    assert submission.graded_file == "net.py"
    note = "not read from a.zip, because it is a link: two_layer_net.ipynb. Put the file itself into the zip."
    assert note in submission.notes


@pytest.mark.parametrize("as_folder", [False, True])
def test_links_in_a_folder_are_not_followed(tmp_path, as_folder):
    """A link to another student's file or folder is not read: else the other's work would be graded."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "two_layer_net.ipynb").write_text(notebook(CLASS), encoding="utf-8")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "link").symlink_to(other) if as_folder else (mine / "x.ipynb").symlink_to(other / "two_layer_net.ipynb")
    status, message = refusal(mine)
    assert status == "no_submission"
    assert "links are not followed, because they may lead out of the submission" in message


def test_a_link_made_after_the_look_is_not_followed(tmp_path, monkeypatch):
    """The system itself refuses to open a link, even one that was a file when the folder was listed."""
    (tmp_path / "net.py").symlink_to("/etc/passwd")
    monkeypatch.setattr("pathlib.Path.is_symlink", lambda _: False)
    status, message = refusal(tmp_path)
    assert status == "no_submission"
    assert "net.py cannot be read: Too many levels of symbolic links" in message


def test_a_pipe_does_not_hang(tmp_path):
    """A named pipe would wait for ever for somebody to write into it."""
    os.mkfifo(tmp_path / "net.py")
    assert refusal(tmp_path)[1].endswith(
        "no .py file that can be read: net.py is not a regular file but a pipe or a device. Hand in the file itself. "
        "Hand in the notebook."
    )


def test_a_pipe_beside_the_class_costs_nothing(tmp_path):
    """What is no file is noted, and the file beside it is graded."""
    os.mkfifo(tmp_path / "net.ipynb")
    (tmp_path / "real.py").write_text("class TwoLayerNet:\n    pass\n", encoding="utf-8")
    found = load(tmp_path, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
    assert found.problem is None
    assert found.graded_file == "real.py"
    assert any("net.ipynb is not a regular file" in note for note in found.notes)


def test_what_tools_leave_behind_is_skipped(tmp_path):
    """Checkpoints, virtual environments, repositories and macOS shadows hold no submission."""
    for name in (
        ".ipynb_checkpoints/two_layer_net.ipynb",
        "__MACOSX/._two_layer_net.ipynb",
        "._two_layer_net.ipynb",
        ".git/x.py",
        "venv/lib/x.py",
        "my_env/lib/x.py",
        "lib/site-packages/x.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(CLASS, encoding="utf-8")
    (tmp_path / "my_env/pyvenv.cfg").write_text("", encoding="utf-8")
    assert refusal(tmp_path)[0] == "no_submission"
    members = {str(p.relative_to(tmp_path)): CLASS for p in tmp_path.rglob("*.py") if "my_env" not in p.parts}
    assert refusal(zipped(tmp_path / "all.zip", members))[0] == "no_submission"


@pytest.mark.parametrize(
    ("make", "status", "words"),
    [
        (lambda p: p / "missing.ipynb", "no_submission", "There is no file or folder at"),
        (
            lambda p: p,
            "no_submission",
            "holds no notebook (.ipynb) and no .py file: it is empty. Hand in the notebook.",
        ),
        (
            lambda p: _file(p / "a.docx", b"x"),
            "no_submission",
            "a.docx is not a notebook (.ipynb), a Python file (.py) or a zip",
        ),
        (
            lambda p: _file(p / "a.zip", b""),
            "failed_to_load",
            "a.zip cannot be opened: it is empty. Make the zip again",
        ),
        (lambda p: _file(p / "a.zip", b"Rar!abc" * 9), "failed_to_load", "it is not a zip, or its end is missing"),
        (
            lambda p: zipped(p / "a.zip", {}),
            "no_submission",
            "The zip a.zip holds no notebook (.ipynb) and no .py file: it is empty",
        ),
        (
            lambda p: zipped(p / "a.zip", {"a.pdf": "x", "b.docx": "x"}),
            "no_submission",
            "it holds a.pdf, b.docx. Hand in",
        ),
        (lambda p: _file(p / "a.ipynb", b""), "no_submission", "a.ipynb is empty. Open it in Jupyter, save it there"),
        (lambda p: _file(p / "a.ipynb", notebook().encode()), "no_submission", "a.ipynb holds no code"),
        (
            lambda p: _file(p / "a.py", b"\n"),
            "no_submission",
            "a.py holds no code. Hand in the notebook with your TwoLayerNet",
        ),
        (lambda p: p / "a\0b.py", "no_submission", "There is no file or folder at"),
    ],
)
def test_nothing_to_grade(tmp_path, make, status, words):
    """Whoever hands in nothing that can be graded is told what was found and what to hand in."""
    found = refusal(make(tmp_path))
    assert found[0] == status
    assert words in found[1]


def _file(path, data):
    path.write_bytes(data)
    return path


def test_unreadable_file(tmp_path, monkeypatch):
    """An error of the file system is told, not raised."""
    path = _file(tmp_path / "a.py", CLASS.encode())

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("grader.submission.read_files.os.open", refuse)
    message = "a.py cannot be read: Permission denied. Hand in a file that can be opened."
    assert refusal(path) == ("failed_to_load", message)


# ---------------------------------------------------------------- zips made to harm


def test_a_bomb_is_stopped_while_reading(tmp_path):
    """A member is counted as it unpacks: 30 MiB of zeros take 30 KB in the zip, whatever the header claims."""
    path = zipped(tmp_path / "a.zip", {"net.py": b"\0" * (30 << 20)}, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    claimed = struct.pack("<L", 30 << 20)
    assert data.count(claimed) == 2
    path.write_bytes(bytes(data).replace(claimed, struct.pack("<L", 10)))
    status, message = refusal(path)
    assert status == "failed_to_load"
    assert "damaged" in message or "larger than 12 MiB" in message
    path.write_bytes(bytes(data))
    assert "net.py is larger than 12 MiB. Hand in the notebook" in refusal(path)[1]


def test_many_members_together(tmp_path, monkeypatch):
    """What every member may hold, all together may not."""
    monkeypatch.setattr(read_files, "TOTAL_BYTES", 1 << 20)
    path = zipped(tmp_path / "a.zip", {f"{n}.py": "#" * (1 << 18) for n in range(5)}, compression=zipfile.ZIP_DEFLATED)
    assert "more than 1 MiB of notebooks and Python" in refusal(path)[1]


def test_too_many_members(tmp_path):
    """A list of members of any length is refused before it is read."""
    path = zipped(tmp_path / "a.zip", {f"{n}.txt": "" for n in range(zip_members.ENTRIES + 1)})
    assert refusal(path) == (
        "failed_to_load",
        "a.zip holds more than 2,000 files. Hand in the notebook and your .py files only, without data.",
    )
    data = path.read_bytes()
    lying = data[:-14] + struct.pack("<HH", 1, 1) + data[-10:]
    path.write_bytes(lying)
    assert read(path).problem is not None


def test_encrypted_zip(tmp_path):
    """A zip with a password says that it needs to be made again."""
    path = zipped(tmp_path / "a.zip", {"net.py": CLASS})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert refusal(path) == ("failed_to_load", "net.py is locked with a password. Make the zip again without one.")


def test_uncommon_compression(tmp_path):
    """LZMA could ask for gigabytes before its first byte, so it is refused by name of the file."""
    path = zipped(tmp_path / "a.zip", {"net.py": CLASS}, compression=zipfile.ZIP_LZMA)
    assert refusal(path)[1].startswith("net.py is compressed in an uncommon way (method 14). Make the zip again")


def test_damaged_zip(tmp_path):
    """A flipped byte in a member is found by its checksum."""
    path = zipped(tmp_path / "a.zip", {"net.py": CLASS})
    path.write_bytes(path.read_bytes().replace(b"np.sum", b"np.sun"))
    status, message = refusal(path)
    assert status == "failed_to_load"
    assert message.startswith("a.zip is damaged: Bad CRC-32")


# ---------------------------------------------------------------- encodings and broken notebooks


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("ending", [".py", ".ipynb"])
def test_encodings(tmp_path, encoding, ending):
    """Windows editors save UTF-16 and byte order marks; carriage returns do not move lines."""
    text = CLASS.replace("\n", "\r\n") + "name = 'Zoë'\r\n"
    path = tmp_path / f"net{ending}"
    path.write_bytes((text if ending == ".py" else notebook(text)).encode(encoding))
    submission = read(path)
    assert submission.problem is None
    assert submission.segments[0].source.split("\n")[1] == "class TwoLayerNet:"


def test_latin_text_is_noted(tmp_path):
    """A file in no Unicode is read all the same, with a note."""
    path = _file(tmp_path / "net.py", f"# Zoë\n{CLASS}".encode("cp1252"))
    submission = read(path)
    assert submission.segments[0].source.startswith("# Zoë")
    assert submission.notes[0] == "net.py is not UTF-8; it was read as Windows-1252"


def test_declared_encoding(tmp_path):
    """A .py file's own declaration counts."""
    path = _file(tmp_path / "net.py", f"# -*- coding: latin-1 -*-\n# Zoë\n{CLASS}".encode("latin-1"))
    assert "Zoë" in read(path).segments[0].source
    assert "UTF-8" not in " ".join(read(path).notes)


def test_version_3(tmp_path):
    """Notebooks of 2014 have worksheets, and `input` for `source`."""
    cell = {"cell_type": "code", "input": CLASS.splitlines(keepends=True), "outputs": [], "language": "python"}
    content = {
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": [cell], "metadata": {}}],
    }
    path = _file(tmp_path / "net.ipynb", json.dumps(content).encode())
    submission = read(path)
    assert submission.segments[0].label == "code cell 1"
    assert submission.notes == ()


@pytest.mark.parametrize(
    "content",
    [
        {"cells": [{"cell_type": "code", "source": CLASS}]},  # no version
        {"cells": [{"cell_type": "code", "source": CLASS.splitlines(keepends=True)}, 7, {"source": 3}], "nbformat": 4},
        {"cells": [{"source": CLASS}], "nbformat": "four"},
        {"worksheets": [{"cells": [{"cell_type": "code", "input": CLASS}]}, None], "nbformat": 3},
        {"cells": [{"cell_type": "code", "source": CLASS, "outputs": "junk"}], "nbformat": 99, "metadata": []},
    ],
)
def test_a_notebook_that_breaks_its_format_is_read_leniently(tmp_path, content):
    """What no longer is a valid notebook is read for its cells, and the note says so."""
    submission = read(_file(tmp_path / "net.ipynb", json.dumps(content).encode()))
    assert submission.problem is None
    assert submission.segments[0].label == "code cell 1"
    assert submission.notes[0].startswith("net.ipynb breaks the notebook format (")


@pytest.mark.parametrize("end", [-2, -30, -100])
def test_a_notebook_that_is_cut_off(tmp_path, end):
    """A download that stopped gives the cells that are whole, and says that there was more."""
    text = notebook("x = 1", CLASS, "y = 2" * 40)
    submission = read(_file(tmp_path / "net.ipynb", text[:end].encode()))
    assert submission.problem is None
    assert [(s.label, s.kept) for s in submission.segments] == [("code cell 2", (0, 1))]
    note = next(note for note in submission.notes if "is not valid JSON at line" in note)
    assert "It seems to be cut off. Open it in Jupyter" in note
    assert note.endswith(" whole cells were read anyway")


@pytest.mark.parametrize("other", [{}, {"old.py": CLASS}])
def test_a_notebook_that_is_cut_off_in_its_class(tmp_path, other):
    """Nothing older is graded in its stead, and half a class is none."""
    text = notebook("x = 1", CLASS)
    cut = text[: text.index("np.sum")]
    (tmp_path / "two_layer_net.ipynb").write_text(cut, encoding="utf-8")
    for name, content in other.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    problem = read(tmp_path).problem
    assert problem is not None
    assert problem.message.startswith("two_layer_net.ipynb is not valid JSON at line")
    assert "It seems to be cut off" in problem.message


def test_a_notebook_that_is_cut_off_before_its_class(tmp_path):
    """Where no class is left, the cut is why."""
    text = notebook("x = 1", CLASS)
    problem = read(_file(tmp_path / "net.ipynb", text[: text.index("class TwoLayerNet")].encode())).problem
    assert problem is not None
    assert "It seems to be cut off" in problem.message


@pytest.mark.parametrize("word", ["nul", "tru", "-"])
def test_a_notebook_that_is_cut_off_in_a_word(tmp_path, word):
    """JSON is found wrong where the word begins, which is not quite the end."""
    text = notebook(CLASS, "y = 2")
    end = text.rindex('"execution_count": ') + len('"execution_count": ')
    submission = read(_file(tmp_path / "net.ipynb", f"{text[:end]}{word}".encode()))
    assert submission.problem is None
    assert "Its one whole cell was read anyway" in submission.notes[0]


def test_a_notebook_with_marks_of_a_merge_is_not_cut_off(tmp_path):
    """What stands between the marks is twice there; nobody knows which is meant."""
    text = notebook(CLASS, "y = 2")
    problem = read(_file(tmp_path / "net.ipynb", f"{text[:-60]}\n<<<<<<< HEAD".encode())).problem
    assert problem is not None
    assert "resolve the merge first" in problem.message


def test_a_notebook_that_is_broken_in_the_middle_is_not_cut_off(tmp_path):
    """Where the text goes on, nobody knows what else is damaged."""
    text = notebook("x = 1", CLASS).replace('"x = 1"', '"x = 1', 1)
    problem = read(_file(tmp_path / "net.ipynb", text.encode())).problem
    assert problem is not None
    assert "cut off" not in problem.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (notebook(CLASS)[:200], ("not valid JSON at line", "It seems to be cut off. Open it in Jupyter")),
        (notebook(CLASS).replace('"metadata": {},', '"metadata": {},,', 1), ("not valid JSON at line 7, column 19",)),
        (
            "<!DOCTYPE html><html>TwoLayerNet",
            ("net.ipynb is not a notebook: it is a web page. Download the notebook itself",),
        ),
        ("version https://git-lfs.github.com/spec/v1\n", ("it is a Git LFS pointer",)),
        ("{\n<<<<<<< HEAD\n}", ("line 2, column 1", "resolve the merge first")),
        ("[1, 2]", ("net.ipynb is JSON but not a notebook: it has no list of cells.",)),
        ("[" * 100_000, ("net.ipynb is nested too deeply", "Open it in Jupyter, save it there")),
        ('{"cells": ' + "9" * 5000 + "}", ("cannot be read as JSON",)),
    ],
)
def test_what_is_no_notebook(tmp_path, text, words):
    """A file that is no JSON says at which line, and what it may be instead."""
    status, message = refusal(_file(tmp_path / "net.ipynb", text.encode()))
    assert status == "failed_to_load"
    for part in words:
        assert part in message


def test_a_notebook_with_the_ending_py(tmp_path):
    """Renaming a notebook to .py does not make it Python; it is read as what it is."""
    assert read(_file(tmp_path / "net.py", notebook(CLASS).encode())).segments[0].label == "code cell 1"


def test_stored_outputs_are_never_read(tmp_path):
    """A notebook's stored outputs prove nothing, and junk in them costs nothing."""
    content = json.loads(notebook("a = 1", CLASS))
    content["cells"][0]["outputs"] = [{"output_type": "stream", "text": {"class TwoLayerNet": [1] * 1000}}]
    assert read(_file(tmp_path / "net.ipynb", json.dumps(content).encode())).notes == (
        "left out: 1 statement that the class does not need (plots, training, tuning)",
    )


def test_half_a_surrogate_pair_is_replaced(tmp_path):
    """JSON may hold what UTF-8 cannot; the source must be fit to be sent on."""
    submission = read(_file(tmp_path / "net.ipynb", notebook(f"# QQ\n{CLASS}").replace("QQ", "\\ud800").encode()))
    assert submission.segments[0].source.startswith("# ?\n")
    assert "net.ipynb holds broken characters, which became question marks" in submission.notes


# ---------------------------------------------------------------- the digest


def test_digest_depends_on_what_was_read_only(tmp_path):
    """The same work has the same digest wherever it lies and whenever it was zipped; other work has another."""
    members = {"two_layer_net.ipynb": notebook(CLASS), "layers.py": "a = 1"}
    digests = set()
    for folder, names, date in (("x", sorted(members), 1990), ("y/z", sorted(members, reverse=True), 2020)):
        (tmp_path / folder).mkdir(parents=True)
        with zipfile.ZipFile(tmp_path / folder / "hand.zip", "w") as archive:
            for name in names:
                archive.writestr(zipfile.ZipInfo(name, (date, 1, 1, 0, 0, 0)), members[name])
        digests.add(read(tmp_path / folder / "hand.zip").digest)
    as_folder = tmp_path / "folder"
    as_folder.mkdir()
    for name, text in members.items():
        (as_folder / name).write_text(text, encoding="utf-8")
    digests.add(read(as_folder).digest)
    assert len(digests) == 1
    assert len(digests.pop()) == 64
    before = read(as_folder).digest
    (as_folder / "layers.py").write_text("a = 2", encoding="utf-8")
    assert read(as_folder).digest != before
    (as_folder / "layers.py").write_text("a = 1", encoding="utf-8")
    assert read(as_folder).digest == before
    (as_folder / "layers.py").rename(as_folder / "layer.py")
    assert read(as_folder).digest != before
