"""Hostile hand-ins graded end to end: whatever stands in them, it commands nobody who reads any of the reports."""

import io
import json
import os
import stat
import unicodedata
import warnings
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import in_part
from grader.grading import grade
from grader.reports.report_json import from_json
from grader.submission import safe_names
from grader.text.sanitise import one_line

# The pages are parsed here, which takes a tracer five times as long; what writes them is traced beside it.
pytestmark = pytest.mark.untraced

# One text for all who read: browsers, terminals, CI runners, template engines, spreadsheets.
TEXT = (
    "</title></pre><script>alert(1)</script><img src=x onerror=alert(2)>\"'><a href=javascript:alert(3)>\n"
    "::set-output name=score::100\n##[error]owned ##vso[task.complete]x\r\x1b]0;owned\x07\x1b[2J\u202e{{ 7*7 }}[red]x[/]]]>&lol;"
)
NAME = TEXT.replace("/", "\u2215")[:75] + "\n::error::x\x1b[2J##[error]y"  # a file system takes all but the slash
LINE = TEXT.replace("\n", " ").replace("\r", " ")
NET = "class TwoLayerNet:\n    def __init__(self, *sizes):\n        raise ValueError('no more')\n"
OTHER = "SECRET-OF-ANOTHER"  # stands in files that the submission must not reach
# What the two pages are made of; nothing else may come of a student's text.
CONTROLS = "script nav line kbd select option optgroup legend input fieldset form label button"
TEMPLATES = files("grader.reports") / "templates"
OURS = "\n".join((TEMPLATES / name).read_text(encoding="utf-8").rstrip("\n") for name in ("index.js", "find.js"))
TAGS = """
html head meta title style body main article header section footer div p span b a h1 h2 h3 dl dt dd ul li table thead tbody tr th td
details summary pre code figure figcaption svg symbol pattern circle path rect text g desc use
"""


def cell(source, **parts):
    """Make a code cell."""
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None} | parts


def notebook(*cells, **parts):
    """Make a notebook's text; parts replace those of a good one."""
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | parts)


def zipped(path, *members):
    """Write a zip of (name, data, mode); a name may be there twice, and "NUL!" is a null character, as zipfile never writes it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, data, mode in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    path.write_bytes(path.read_bytes().replace(b"NUL!", b"\0UL!"))
    return path


def written(path, text):
    """Write a file of text or bytes and give its path."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# ---------------------------------------------------------------- hand-ins that are run


def raising(folder):
    """Return a class whose exception's name and text are hostile."""
    return written(
        folder / "net.py", NET.replace("ValueError('no more')", f"type({TEXT!r}, (Exception,), {{}})({TEXT!r})")
    )


def str_attacks(folder):
    """Return an exception whose __str__ and __repr__ are hostile, and a result that does not travel."""
    bad = f"class Bad(Exception):\n    def __str__(self): return {TEXT!r}\n    __repr__ = __str__\n"
    rest = "class TwoLayerNet:\n    def __init__(self, *s): self.params = {}\n    def loss(self, **k): raise Bad\n"
    more = f"    def predict(self, **k):\n        Bad.__name__ = {TEXT!r}\n        return Bad()\n"
    return written(folder / "net.py", bad + rest + more)


def talking(folder):
    """Return a class that prints, warns, names parameters and shapes with hostile texts."""
    return written(
        folder / "net.py",
        f"import sys, warnings\nT = {TEXT!r}\nclass TwoLayerNet:\n    def __init__(self, *s):\n"
        "        self.params = {T: 1}\n        print(T); print(T, file=sys.stderr); warnings.warn(T)\n"
        "    def loss(self, X, y=None, reg=0.0):\n        return T, {T: T}\n"
        "    def train(self, **k):\n        return {T: T}\n    def predict(self, X):\n        return T\n"
        "best_hyperparameters = {T: T}\n",
    )


def quoted_line(folder):
    """Return a class whose lines, which messages quote, are hostile."""
    return written(folder / "net.py", f"{NET[:-1]}; {LINE!r}  # {LINE}\n")


def strange_notebook(folder):
    """Return a notebook with hostile metadata, ids, outputs, attachments and tags, and a file to be written outside."""
    output = {"output_type": "stream", "name": TEXT, "text": [TEXT]}
    page = {"output_type": "display_data", "data": {"text/html": TEXT, TEXT: TEXT}, "metadata": {TEXT: TEXT}}
    cells = (
        cell(f"%%writefile ../../{NAME}.py\nx = 1"),
        cell(f"!rm -rf / {TEXT}\n", id=TEXT, metadata={"name": TEXT, "tags": [TEXT]}, outputs=[output, page]),
        {"cell_type": "markdown", "source": TEXT, "metadata": {}, "attachments": {"../x": {TEXT: TEXT}}},
        {"cell_type": TEXT, "source": TEXT, "metadata": {}},
        cell(NET, id="../../x"),
    )
    kernel = {"kernelspec": {"name": TEXT, "display_name": TEXT, "language": TEXT}, "title": TEXT, "authors": [TEXT]}
    return written(folder / "net.ipynb", notebook(*cells, metadata=kernel))


def broken_notebook(folder):
    """Return a notebook whose format is a hostile text, so that the library's complaint quotes it."""
    return written(folder / "net.ipynb", notebook(cell(NET), nbformat=TEXT))


def tricky_name(folder):
    """Return a class whose full-width name Python itself reads as the plain one."""
    return written(folder / "net.py", NET.replace("TwoLayerNet", "\uff34wo\uff2cayer\uff2eet"))


def file_name(folder):
    """Return files with hostile names; one is imported and quoted, one is not graded, one is no Unicode."""
    written(folder / f"{NAME}.py", NET)
    written(folder / f"b{NAME}.py", NET)
    written(folder / f"{NAME}.txt", OTHER)
    # Latin-1, as an old Windows writes it.
    written(folder / os.fsdecode(b"\xff<script>::error::x.py"), NET)
    return folder


def zip_names(folder):
    """Return a zip in which every kind of hostile name stands beside the class."""
    outside = ("../../x.py", "/etc/passwd.py", "C:\\x.py", "a/../../x.py", "..\\..\\x.ipynb", "//server/share/x.py")
    link = stat.S_IFLNK | 0o777
    return zipped(
        folder / f"{NAME}.zip",
        *((name, OTHER, 0o644) for name in outside),
        ("link.py", "/etc/passwd", link),
        ("links/x.ipynb", "../../other.ipynb", link),
        (f"{NAME}.py", NET, 0o644),
        (f"b/{TEXT}.py", NET, 0o644),
        ("net.pyNUL!.txt", NET, 0o644),
        ("twice.py", f"x = '{OTHER}", 0o644),
        ("twice.py", "x = 1", 0o644),
        ("n" * 60_000 + ".py", OTHER, 0o644),
        ("again.zip", b"PK", 0o644),
        (f"{NAME}.txt", OTHER, 0o644),
        ("pipe.py", "x = 1", stat.S_IFIFO | 0o644),
    )


def folder_of_links(folder):
    """Return a folder with links that lead out of it, a pipe, and where the system allows it a device, beside the class."""
    written(folder.parent / "other.py", f"x = '{OTHER}'\n{NET}")
    (folder / f"{NAME}.py").symlink_to(folder.parent / "other.py")
    (folder / "up").symlink_to(folder.parent)
    (folder / "etc").symlink_to("/etc")
    (folder / "gone.ipynb").symlink_to("::error::x")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / f"pipe{NAME}.ipynb")
    try:
        os.mknod(folder / "zero.py", stat.S_IFCHR | 0o644, os.makedev(1, 5))
    except PermissionError:
        os.mkfifo(folder / "zero.py")
    written(folder / "net.py", f"from other import x\n{NET}")
    return folder


RUN = [
    raising,
    str_attacks,
    talking,
    quoted_line,
    strange_notebook,
    broken_notebook,
    tricky_name,
    file_name,
    zip_names,
    folder_of_links,
]


# ---------------------------------------------------------------- hand-ins that are refused


def only_outside(folder):
    """Return a zip whose only class leads out of it."""
    return zipped(folder / "a.zip", ("../../net.py", NET, 0o644), (f"/{NAME}.py", NET, 0o644))


def only_links(folder):
    """Return a folder whose only class is a link to another's."""
    written(folder.parent / "other.py", f"x = '{OTHER}'\n{NET}")
    (folder / f"{NAME}.py").symlink_to(folder.parent / "other.py")
    return folder


def nested_zips(folder):
    """Return a zip within a zip within a zip."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("net.py", NET)
    return zipped(folder / "a.zip", (f"{NAME}.zip", inner.getvalue(), 0o644))


def broken_member(folder):
    """Return a zip whose damaged member has a hostile name, which the library's complaint quotes."""
    path = zipped(folder / "a.zip", (f"{NAME}.py", NET * 9, 0o644))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 16] ^= 1  # the checksum
    return written(path, bytes(data))


def broken_json(folder):
    """Return a notebook that stops being JSON in a hostile line."""
    return written(folder / f"{NAME}.ipynb", f'{{"cells": [\n{TEXT}')


def deep_json(folder):
    """Return a notebook nested beyond any reader."""
    return written(folder / f"{NAME}.ipynb", notebook(cell(NET), metadata={}).replace("{}", "[" * 50_000, 1))


def python_2(folder):
    """Return Python 2 in a hostile line."""
    return written(folder / f"{NAME}.py", f"{NET}print '{LINE}'\n")


def bad_syntax(folder):
    """Return a hostile line that no Python reads."""
    return written(folder / "net.py", f"{NET}    ::set-output name=score::100 ##[error]x <script>\u202e\x1b[2J")


def other_class(folder):
    """Return a class whose name looks like the one that is asked, and others as long as a page."""
    names = "".join(f"class {'x' * 9_000}{n}: pass\n" for n in range(9))
    return written(folder / "net.py", f"{names}class TwoLay\u0435rNet: pass\n")  # a Cyrillic e


def missing_module(folder):
    """Return an import from a module with a name as long as a page, which was not handed in."""
    return written(folder / f"{NAME}.py", f"from {'.'.join(['x' * 99] * 99)} import TwoLayerNet\n")


def no_python(folder):
    """Return a folder of other files."""
    written(folder / f"{NAME}.docx", OTHER)
    return folder


def pipe(folder):
    """Return a pipe as the submission itself."""
    os.mkfifo(folder / f"{NAME}.py")
    return folder / f"{NAME}.py"


REFUSED = [
    only_outside,
    only_links,
    nested_zips,
    broken_member,
    broken_json,
    deep_json,
    bad_syntax,
    other_class,
    missing_module,
    no_python,
    pipe,
]


class _Page(HTMLParser):
    """What a browser makes of a page: its elements, and whatever could run, load or lead away."""

    def __init__(self):
        super().__init__()
        self.tags, self.dangers, self.scripts = set(), [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "script":
            self.scripts.append("")
        for name, value in attrs:
            leads = name in {"href", "xlink:href", "src", "action"} and not value.startswith(("#", "submissions/"))
            if leads or name.startswith("on") or name in {"style", "srcdoc"}:
                self.dangers.append((tag, name, value))

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] += data

    def handle_comment(self, data):
        self.dangers.append(data)

    def handle_pi(self, data):
        self.dangers.append(data)


def assert_harmless(report, everywhere, obeyed):
    """Read each way of writing a report as its reader does."""
    texts = everywhere(report, 60)
    for name, text in texts.items():
        text.encode()
        unseen = {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c != "\n"}
        assert unseen == set(), name
        assert OTHER not in text, name
        assert "root:x:0" not in text, name
        allowed = {"error", "warning", "notice"} if name == "github" else set()
        assert set(obeyed(text)) <= allowed, name
    for name in ("html", "index"):
        page = _Page()
        page.feed(texts[name])
        page.close()
        assert page.dangers == []
        # The class page is sorted, filtered and searched by a script made of two files, ours to the letter.
        assert page.scripts == ([] if name == "html" else [OURS])
        assert page.tags <= set(TAGS.split()) | (set(CONTROLS.split()) if name == "index" else set())
    suite = ET.fromstring(texts["junit"])[0]  # noqa: S314 -- our own file, and the test's point
    assert {element.tag for element in suite.iter()} <= {
        *("testsuite", "testcase", "failure", "error", "skipped", "properties", "property", "system-out")
    }
    assert from_json(texts["json"]).status == report.status
    return texts


@pytest.fixture
def graded(tmp_path, assignment, questions, host):
    """Return a function that makes a hand-in and grades it as the command would."""

    def run(make, chosen=assignment):
        folder = tmp_path / "class" / "ann"
        folder.mkdir(parents=True, exist_ok=True)
        path = make(folder)
        return grade(path, safe_names([path])[path], chosen, questions, host).report

    return run


@pytest.mark.parametrize("make", in_part([*RUN, python_2], 4), ids=lambda make: make.__name__)
def test_what_runs_commands_nobody(make, graded, everywhere, obeyed):
    """A submission that is run reaches every format as text only, and nothing outside of it is in any."""
    report = graded(make)
    assert report.status == "graded"
    assert_harmless(report, everywhere, obeyed)


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_what_is_refused_commands_nobody(make, graded, everywhere, obeyed):
    """The message of a refusal quotes what it refuses as text only, and however long that is, says how to mend it."""
    report = graded(make)
    assert report.status in {"no_submission", "failed_to_load"}
    texts = assert_harmless(report, everywhere, obeyed)
    told = json.loads(texts["json"])["notes"][0]
    assert any(
        word in told for word in ("Hand in", "hand in", "Write", "write", "rename", "Make the zip", "Python says")
    )


def test_the_texts_are_still_there(graded, everywhere):
    """Neutralised is not swallowed: the exception's text can be read in every format that tells messages."""
    texts = everywhere(graded(raising), 300)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in texts["html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in texts["junit"]
    for name in ("json", "terminal", "github"):
        assert "<script>alert(1)</script>" in texts[name].replace("\n", "").replace("  ", ""), name
    assert ": :set-output name=score::100" in texts["html"]


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/\0"), min_size=1) | st.sampled_from(["##", ":", "["]), min_size=1
    )
)
def test_a_name_is_told_as_it_is(parts):
    """What a submission's folder is called needs no mending in a report, so that the one is found by the other."""
    name = safe_names([Path("".join(parts))]).popitem()[1]
    assert one_line(name) == name


@pytest.mark.parametrize("make", [raising, str_attacks], ids=lambda make: make.__name__)
def test_a_hidden_check_tells_no_student_text(make, graded, assignment, everywhere, obeyed):
    """With every check hidden, no message, line or figure of one is in any format but the instructor's."""
    hidden = replace(assignment, checks=tuple(replace(row, hidden=True) for row in assignment.checks))
    report = replace(graded(make, hidden), notes=())
    texts = assert_harmless(report, everywhere, obeyed)
    assert any("alert(1)" in check.message for check in report.checks)
    for name, text in texts.items():
        if name not in {"json", "index"}:
            assert "alert(1)" not in text, name
            assert "raised" not in text, name
