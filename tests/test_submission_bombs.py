"""Small hand-ins that unfold into much: each is refused before it costs memory or time, and its author is told why."""

import dis
import json
import struct
import zipfile

import pytest

from grader.submission import documents, load, statements
from grader.submission.read_files import read as hand_in
from grader.submission.syntax import LARGEST
from hanging import must_end

NET = "class TwoLayerNet:\n    pass\n"
MIB = 1 << 20
DATA_FREE = "Hand in the notebook and your .py files only, without data."


def read(path):
    """Load as the bundled assignment would, which must not hang."""
    with must_end():
        return load(path, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")


def refusal(path):
    """Return the message of a submission that cannot be run."""
    submission = read(path)
    assert submission.problem is not None
    assert submission.problem.status == "failed_to_load"
    return submission.problem.message


def zipped(path, members):
    """Write a compressed zip of name to text."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def notebook(path, cells, metadata="{}"):
    """Write a notebook of cells and metadata that are JSON already."""
    path.write_text(f'{{"cells": [{cells}], "metadata": {metadata}, "nbformat": 4, "nbformat_minor": 4}}', "utf-8")
    return path


CELL = json.dumps({"cell_type": "code", "source": NET, "metadata": {}, "outputs": [], "execution_count": None})


# ---------------------------------------------------------------- zips


def directory_of(data):
    """Return where a zip's list of members begins, and its end record."""
    at = data.rindex(b"PK\x05\x06")
    return struct.unpack_from("<L", data, at + 16)[0], at


def with_directory(data, directory, entries):
    """Return a zip with another list of members, and an end record that fits it."""
    start, at = directory_of(data)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, entries, entries, len(directory), start, 0)
    assert data[at:][:4] == b"PK\x05\x06"
    return data[:start] + directory + end


def test_overlapping_members(tmp_path):
    """A thousand members that share the same compressed bytes unfold to 9 GB: reading stops at the cap for all."""
    path = zipped(tmp_path / "a.zip", {"net.py": b"\0" * (9 * MIB)})
    data = path.read_bytes()
    start, at = directory_of(data)
    path.write_bytes(with_directory(data, data[start:at] * 1000, 1000))
    message = refusal(path)
    # Later Pythons see the overlap themselves.
    assert message.startswith(("The submission holds more than 16 MiB of notebooks", "a.zip is damaged: Overlapped"))
    assert "Hand in the notebook" in message or "hand in the notebook" in message


def test_members_that_claim_another_size(tmp_path):
    """A member is what it unpacks to: neither a claim of 4 GiB nor one of nothing is believed."""
    path = zipped(tmp_path / "a.zip", {"net.py": NET * 50})
    data = path.read_bytes()
    start, at = directory_of(data)

    def claiming(size):
        directory = bytearray(data[start:at])
        struct.pack_into("<L", directory, 24, size)
        path.write_bytes(with_directory(data, bytes(directory), 1))
        return path

    submission = read(claiming(0xFFFFFFF0))
    assert [segment.source for segment in submission.segments] == [NET * 50]
    assert refusal(claiming(0)).startswith("a.zip is damaged: Bad CRC-32 for file 'net.py'. Make the zip again")


def test_no_member_is_unpacked_beyond_the_cap(tmp_path, monkeypatch):
    """However much a member unfolds to, one byte more than the cap is asked for, and nothing of what nobody needs."""
    asked = []
    real = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda member, n=-1: asked.append(n) or real(member, n))
    path = zipped(tmp_path / "a.zip", {"data.csv": b"\0" * MIB, "net.py": b"\0" * (25 * MIB)})
    assert refusal(path).startswith("net.py is larger than 12 MiB. Hand in the notebook and your .py files only")
    assert asked == [12 * MIB + 1]


def test_a_member_under_two_names(tmp_path):
    """A name of 60,000 characters at the member itself, and another in the list, makes no message of that length."""
    path = zipped(tmp_path / "a.zip", {f"{'x' * 60_000}.py": NET})
    data = path.read_bytes()
    start, at = directory_of(data)
    directory = bytearray(data[start:at].replace(b"x" * 60_000, b"net"))
    struct.pack_into("<H", directory, 28, len("net.py"))
    path.write_bytes(with_directory(data, bytes(directory), 1))
    message = refusal(path)
    assert message.startswith("a.zip is damaged: File name in directory 'net.py' and header b'xxx")
    assert message.endswith("x. Make the zip again, or hand in the notebook itself.")
    assert len(message) < 300


def test_a_list_of_members_that_claims_to_be_short(tmp_path):
    """Two thousand members that the zip's end counts as one are counted when they are read."""
    path = zipped(tmp_path / "a.zip", {"a.py": ""})
    data = path.read_bytes()
    start, at = directory_of(data)
    path.write_bytes(with_directory(data, data[start:at] * 2_000, 1))
    message = refusal(path)
    assert message.startswith(
        ("The submission holds more than 300 notebooks and .py files. Hand in", "a.zip is damaged: Overlapped")
    )


def test_a_list_of_members_that_is_long(tmp_path):
    """Names of 60,000 characters make a list of megabytes, which is not even read."""
    path = zipped(tmp_path / "a.zip", {f"{n}{'x' * 60_000}.txt": "" for n in range(20)} | {"net.py": NET})
    assert refusal(path) == (
        f"a.zip has a list of files that is 1,172 KiB long, and the grader reads at most 1,024. {DATA_FREE}"
    )


def test_the_form_for_gigabytes(tmp_path):
    """A zip64 record could claim any number; nobody needs one for a notebook."""
    path = zipped(tmp_path / "a.zip", {"net.py": NET})
    data = path.read_bytes()
    _, at = directory_of(data)
    path.write_bytes(data[:at] + b"PK\x06\x07" + bytes(16) + data[at:])
    assert refusal(path) == f"a.zip is a zip64, a format for more than 65,535 files or 4 GiB. {DATA_FREE}"


def test_a_name_that_is_too_long(tmp_path):
    """A member's name may have 65,535 characters: beyond 500 it is not read, the note is short, and the class is graded."""
    submission = read(zipped(tmp_path / "a.zip", {f"{'x' * 60_000}.py": NET, "net.py": NET}))
    assert submission.graded_file == "net.py"
    name = f"{'x' * 33}... (59,959 characters left out) ...{'x' * 8}.py"
    assert submission.notes == (
        f"not read from a.zip, because the name is longer than 500 characters: {name}. Give it a shorter name.",
    )


def test_only_names_that_lead_out(tmp_path):
    """Where nothing else is in it, the message says what was found, what was asked for, and how to mend it."""
    submission = read(zipped(tmp_path / "a.zip", {"../../net.py": NET, "/net.ipynb": "{}", "data.csv": ""}))
    assert submission.problem.message == (
        "The zip a.zip holds no notebook (.ipynb) and no .py file that can be read: it holds data.csv; not read from "
        "a.zip, because the name leads out of the zip: ../../net.py, /net.ipynb. Zip the folder itself, so that every "
        "name stays inside it. Hand in the notebook."
    )


# ---------------------------------------------------------------- notebooks


@pytest.mark.parametrize("value", ["[],", '{"a":{}},', '"a",', "0,"])
def test_a_notebook_of_millions_of_values(tmp_path, monkeypatch, value):
    """12 MiB of empty lists would take 320 MB: they are counted in the text, before JSON is read."""
    monkeypatch.setattr(documents.json, "loads", lambda _: pytest.fail("it was read"))
    path = notebook(tmp_path / "a.ipynb", CELL, f"[{value * 310_000}0]")
    assert refusal(path) == (
        "a.ipynb holds more than 300,000 values, while a notebook has a few thousand. "
        "Clear the outputs, save it, and hand in that file."
    )


def test_a_text_with_millions_of_commas_is_one_value(tmp_path):
    """What a stored output prints is not counted, whatever stands in it."""
    printed = json.dumps('[1, 2], {"a": 3}, \\\\", \n' * 100_000)
    submission = read(notebook(tmp_path / "a.ipynb", CELL.replace("[]", f"[{printed}]", 1)))
    assert submission.problem is None
    assert submission.notes == ()


def test_texts_without_an_end_take_little_time(tmp_path):
    """Counting outside of texts is linear, even where no quotation mark has its partner."""
    for text in ('"\\' * 300_000, '\\"' * 300_000, '"' + "\\" * 600_001):
        path = tmp_path / "a.ipynb"
        path.write_text("," * 300_001 + text, "utf-8")
        assert "holds more than 300,000 values" in refusal(path)


def test_a_notebook_of_thousands_of_cells(tmp_path):
    """Each cell costs some 30 microseconds and a kilobyte, whether it holds anything or not."""
    path = notebook(tmp_path / "a.ipynb", "0," * 5_000 + CELL)
    assert refusal(path) == "a.ipynb holds more than 5,000 cells. Hand in a notebook with only your own work."
    submission = read(notebook(tmp_path / "a.ipynb", "0," * 4_999 + CELL))
    assert submission.problem is None


def test_a_long_cell_is_not_looked_through(tmp_path, monkeypatch):
    """A cell that is too long to be parsed is not searched for magics first; the class beside it is graded."""
    seen = []
    real = documents.translate
    monkeypatch.setattr(documents, "translate", lambda source: seen.append(len(source)) or real(source))
    long = json.dumps({"cell_type": "code", "source": "%x\n" + "'\n" * LARGEST, "metadata": {}})
    submission = read(notebook(tmp_path / "a.ipynb", f"{long},{CELL}"))
    assert seen == [len(NET)]
    assert submission.problem is None
    assert "code cell 1 holds 512 KiB of code, and the grader reads at most 256 KiB" in submission.notes[-1]
    # Of many cells that are just short enough, no more than would be parsed.
    seen.clear()
    many = ",".join([json.dumps({"cell_type": "code", "source": "#" * LARGEST, "metadata": {}})] * 8)
    assert "more than 512 KiB of code" in refusal(notebook(tmp_path / "a.ipynb", f"{many},{CELL}"))
    assert len(seen) == 2


def test_empty_lines_of_prose_take_little_time(tmp_path):
    """A lost class is looked for in prose line by line: 60,000 empty lines took seven seconds, twelve million for ever."""
    prose = json.dumps({"cell_type": "markdown", "source": "\n" * 600_000, "metadata": {}})
    other = CELL.replace("TwoLayerNet", "Other")
    submission = read(notebook(tmp_path / "a.ipynb", f"{prose},{other}"))
    assert submission.problem.message.startswith("No class TwoLayerNet in a.ipynb. It defines class Other.")


def test_a_long_name_of_a_written_module_takes_little_time(tmp_path):
    """What Canvas puts before a name is looked for once: in 20,000 letters the search took eight seconds, in these minutes."""
    cell = json.dumps({"cell_type": "code", "source": f"%%writefile {'x' * 200_000}.py\n{NET}", "metadata": {}})
    assert read(notebook(tmp_path / "a.ipynb", f"{cell},{CELL}")).problem is None


def test_a_deep_notebook_that_can_be_read(tmp_path):
    """Hundreds of levels, which JSON's reader takes and the format's library may not, cost the class nothing."""
    for depth in (100, 500, 900):
        submission = read(notebook(tmp_path / "a.ipynb", CELL, f'{{"x": {"[" * depth}{"]" * depth}}}'))
        assert submission.problem is None or "is nested too deeply" in submission.problem.message


def test_a_deep_folder_is_left_where_it_gets_too_deep(tmp_path):
    """Folders within folders are followed thirty levels down, and the class at the top is graded."""
    inner = tmp_path
    for _ in range(40):
        inner /= "d"
        inner.mkdir()
        (inner / "helper.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    submission = read(tmp_path)
    assert submission.graded_file == "net.py"
    assert max(len(file.path.parts) for file in hand_in(tmp_path).files) == 30


# ---------------------------------------------------------------- files that import each other, and what they are written in


def folder(path, files):
    """Write a folder of files."""
    for name, text in files.items():
        (path / name).parent.mkdir(exist_ok=True, parents=True)
        (path / name).write_text(text, "utf-8")
    return path


def test_names_of_modules_that_grow_at_each_import(tmp_path):
    """Two packages of one line each that import each other from inside themselves: a, a.b, a.b.a, and so on for ever."""
    files = {"a/__init__.py": "from . import b\n", "b/__init__.py": "from . import a\n"}
    net = "import a\nclass TwoLayerNet:\n    given = a\n"
    assert refusal(folder(tmp_path / "one", files | {"net.py": net})) == (
        "The files that were handed in import each other under more than 200 names. Import each file by one name, and no "
        "two from each other."
    )


@pytest.mark.parametrize("what", ["TwoLayerNet", "*"])
def test_files_that_all_import_from_each_other(tmp_path, what):
    """Of six files each imports from all: there are 6^50 ways from one to another, and each file is asked once."""
    files = {f"a{n}.py": "".join(f"from a{m} import {what}\n" for m in range(6) if m != n) for n in range(6)}
    assert read(folder(tmp_path, files)).problem is not None
    submission = read(folder(tmp_path, files | {"a5.py": NET}))
    assert (submission.problem, submission.graded_file) == (None, "a5.py")


def test_one_name_for_hundreds_of_files(tmp_path):
    """Each import chooses among them: so 300 is the most that is read, and a course's whole folder has thirty."""
    files = {f"d{n}/a.py": "from a import x\n" for n in range(300)} | {"net.py": f"from a import *\n{NET}"}
    assert refusal(zipped(tmp_path / "a.zip", files)).startswith("The submission holds more than 300 notebooks and .py")
    del files["d0/a.py"]
    assert read(zipped(tmp_path / "a.zip", files)).problem is None


def test_zips_in_a_folder_are_counted_together(tmp_path):
    """Each zip may list two thousand files, and all of a submission five thousand."""
    data = zipped(tmp_path / "a.zip", {f"{n}.txt": "" for n in range(2000)}).read_bytes()
    for number in range(2):
        (tmp_path / f"{number}.zip").write_bytes(data)
    assert refusal(tmp_path) == f"The submission holds more than 5,000 files and folders. {DATA_FREE}"


def test_a_source_encoding_that_takes_for_ever(tmp_path):
    """Decoding "punycode" takes the square of the length: what is no text encoding of old is read as UTF-8."""
    path = tmp_path / "net.py"
    path.write_bytes(b"# coding: punycode\n" + NET.encode() + b"#" + b"a" * 250_000)
    submission = read(path)
    assert submission.problem is None
    assert submission.segments[0].source.startswith("# coding: punycode\nclass")


@pytest.mark.parametrize(
    "encoding", ["latin-1", "iso-8859-15", "cp1251", "gbk", "shift_jis", "euc-kr", "koi8-r", "utf-8"]
)
def test_encodings_that_people_write_in(tmp_path, encoding):
    """A declaration of any of them is believed."""
    letter = {"cp1251": "ж", "koi8-r": "ж", "gbk": "网", "shift_jis": "網", "euc-kr": "망"}.get(encoding, "ë")
    path = tmp_path / "net.py"
    path.write_bytes(f"# coding: {encoding}\n# {letter}\n{NET}".encode(encoding))
    assert f"# {letter}\n" in read(path).segments[0].source


def test_a_py_file_of_megabytes_is_not_decoded(tmp_path):
    """Ten megabytes of carriage returns would be as many lines: beyond four bytes for each character nothing is decoded."""
    path = zipped(tmp_path / "a.zip", {"net.py": NET + "\r" * (10 * MIB)})
    assert refusal(path) == (
        "net.py holds 10,240 KiB, and at most 256 KiB of code are read. Load data from files instead of writing them into "
        "the code."
    )


def test_names_are_read_off_instructions_as_dis_does():
    """Each global name that compiled code reads or sets, with wide arguments too."""
    wide = "".join(f"def f{n}(): global a{n}; a{n} = b{n}.c{n}; del a{n}\n" for n in range(400))
    for source in (wide, "x = [y for y in z]\nclass A: b = c\n", "def f():\n    if a: b()\n    else: c.d\n"):
        waiting = [compile(source, "a", "exec")]
        while waiting:
            code = waiting.pop()
            waiting += [inner for inner in code.co_consts if hasattr(inner, "co_code")]
            for kinds in (statements._READS, statements._SETS):
                told = {one.argval for one in dis.get_instructions(code) if one.opcode in kinds}
                assert statements._names_of(code, kinds) == told


@pytest.mark.slow
def test_a_function_of_thousands_of_functions(tmp_path):
    """Python's compiler copies all names of a function for each function in it: eight thousand take seconds."""
    inner = "".join(f"        def f{n}(): pass\n" for n in range(8_000))
    path = folder(tmp_path, {"net.py": f"class TwoLayerNet:\n    def loss(self):\n{inner}"}) / "net.py"
    assert refusal(path) == (
        "net.py holds 8,002 functions and comprehensions with 8,002 names in one statement, and a solution has some tens. "
        "Write what repeats as a loop."
    )
