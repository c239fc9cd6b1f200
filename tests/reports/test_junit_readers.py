"""Our JUnit files in the hands of real readers, pinned: each shows the messages, the places and the counts."""

import json
import os
import shutil
import subprocess
import venv
from html import unescape

import pytest

from grader.model import Place
from grader.reports.export_rows import ExportOptions
from grader.reports.formats import CLASS_FORMATS, REPORT_FORMATS
from reports import factory
from reports.test_report_ci import check, report_of

PYTHON = ("junitparser==5.0.3", "junit2html==31.1.4")
NODE = ("xunit-viewer@10.6.1", "junit-to-ctrf@0.0.14")
MESSAGE = "77 of 77 entries of grads['W1'] are <wrong> & \\u001b[31m"
READ = """
import json, sys
from junitparser import JUnitXml
found = JUnitXml.fromfile(sys.argv[1])
cases = [(case.name, case._elem.get("line"), case._elem.get("file"), case.time, [(one.message, one.text) for one in case.result])
         for suite in found for case in suite]
print(json.dumps([found.tests, found.failures, found.errors, found.time, cases]))
"""

pytestmark = pytest.mark.slow


def run(*words):
    """Run a reader and give what it says."""
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "CI": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return the folder of commands of an environment that holds Python's readers."""
    folder = tmp_path_factory.mktemp("readers") / "venv"
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "python", "-m", "pip", "install", "-q", *PYTHON)
    return folder / "bin"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """Return the folder of commands that npm installs."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine, so Node's readers cannot be had")
    folder = tmp_path_factory.mktemp("node")
    run(npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, *NODE)
    return folder / "node_modules" / ".bin"


@pytest.fixture(scope="module", params=["gitlab", "jenkins", "class"])
def written(request, tmp_path_factory, unloadable):
    """Return a file: of a program with a mistake, a part that is not written and a check that is carried; or of a class."""
    report = report_of(
        check(2, message=MESSAGE.replace("\\u001b", "\x1b"), places=(Place("net.py", 58, "dW1 = 0"),)),
        check(3, "skipped", message="Not started: predict(X) returned None."),
        check(4, "carried", points=4),
        check(5, "passed", points=5),
    )
    path = tmp_path_factory.mktemp("written") / "junit.xml"
    if request.param == "class":
        text = CLASS_FORMATS["junit"].write(factory.sheet(report, unloadable), ExportOptions())["junit.xml"]
    else:
        text = REPORT_FORMATS["junit"].write(report, schema=request.param)
    path.write_text(text, encoding="utf-8")
    return request.param, path


def test_junitparser(python, written):
    """Counts, times, messages; file and line where the schema has a place for them."""
    kind, path = written
    tests, failures, errors, seconds, cases = json.loads(run(python / "python", "-c", READ, path))
    counted = (4 + 15, 2 + 15, 0) if kind == "class" else (4, 2, 0)
    assert (tests, failures, errors, seconds) == (*counted, 1.5)
    (_, line, file, share, ((message, content),)) = cases[0]
    assert (line, file) == ((None, None) if kind == "jenkins" else ("58", "x/net.py"))
    assert share == 0.375
    assert message == MESSAGE
    assert content.splitlines() == ["0 of 2 points.", MESSAGE, "  net.py, line 58: `dW1 = 0`"]
    assert cases[1][-1][0][0] == "Not started: predict(X) returned None."


def test_junit2html(python, written, tmp_path):
    """The page shows the message, and a student's text stays text in it."""
    run(python / "junit2html", written[1], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"<td>{MESSAGE}</td>" in unescape(page).replace("\n", "")
    assert "<wrong>" not in page
    assert "net.py, line 58" in page


def test_xunit_viewer(node, written, tmp_path):
    """The console lists what failed, with message, line and sums."""
    said = run(node / "xunit-viewer", "-r", written[1], "-c", "-o", tmp_path / "page.html")
    assert f"- {MESSAGE}" in said
    assert "net.py, line 58: `dW1 = 0`" in said
    assert ("2 passed, 17 failure" if written[0] == "class" else "2 passed, 2 failure") in said


def test_junit_to_ctrf(node, written, tmp_path):
    """It keeps a failure's text only beside failure@message, and calls no unfinished part skipped."""
    run(node / "junit-to-ctrf", written[1], "-o", tmp_path / "ctrf.json")
    found = json.loads((tmp_path / "ctrf.json").read_text(encoding="utf-8"))["results"]
    counted = {name: found["summary"][name] for name in ("passed", "failed", "skipped", "other")}
    assert counted == {"passed": 2, "failed": 17 if written[0] == "class" else 2, "skipped": 0, "other": 0}
    first = found["tests"][0]
    assert (first["status"], first["message"], first["duration"]) == ("failed", MESSAGE, 375)
    assert "net.py, line 58: `dW1 = 0`" in first["trace"]
