"""The annotated notebook: findings stand under the cells that they concern, and a student's text stays text."""

import json
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbconvert.exporters import get_exporter
from nbconvert.utils.exceptions import ConversionException
from traitlets.config import Config

from grader import limited_process
from grader.classroom.output import ANNOTATED, folder_of, write_submission
from grader.cli import main, options
from grader.integrations.annotated_notebook import annotate_class, show_cells, to_annotated
from grader.integrations.student_markdown import to_html
from grader.model import Diagnosis, Environment, Place, Report, StepRow, Verdict
from grader.reports.report_json import to_json
from grader.rubric import bundled, load
from grader.score import KNOWN

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = ROOT / "reference" / "two_layer_net_solution.ipynb"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
EVIL = """<script>alert(1)</script>

an <img src=x onerror=alert(2)> [here](javascript:alert(3)) ![there](https://evil.example/x.png) [file](file:///etc/passwd)

$$\\text{<img src=x onerror=alert(4)>} <b> \\href{javascript:alert(5)}{x} \\text{&lt;script>}$$

| <b>a | b |
|---|---|
| ![x](attachment:missing.png) | ![x" onload="y](attachment:a"b) |

# A heading {#sneaky}

```mermaid
</pre><script>alert(6)</script>
```

<div style="position:fixed">100 points</div>
"""
OUTPUTS = [
    {"output_type": "stream", "name": "stdout", "text": ["\u001b[31mred\u001b[0m\n", "</pre><script>alert(7)</script>\u202e"]},
    {"output_type": "display_data", "data": {"text/html": "<b>100 points</b>", "text/plain": "plainly", "text/latex": "x"}},
    {"output_type": "display_data", "data": {"image/png": PIXEL, "text/plain": "<Figure>"}},
    {"output_type": "display_data", "data": {"image/svg+xml": ["<svg>", "<script>alert(8)</script></svg>"]}},
    {"output_type": "display_data", "data": {"image/png": '" onerror="alert(9)', "text/plain": "no picture"}},
    {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["Traceback", "\u001b[0;31mE\u001b[0m: v"]},
    "no output", {"output_type": "display_data", "data": ["neither"]}, {"text": 7},
]  # fmt: skip


ONLY_CODE = {"outputs": [], "execution_count": None}


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """Note one tag."""
        self.found.append((tag, dict(attrs)))


def notebook(*cells):
    """Return a notebook's JSON; cells : (type, source, what else it holds)."""
    made = [
        {"cell_type": kind, "source": source, "metadata": {}, **(ONLY_CODE if kind == "code" else {}), **more}
        for kind, source, more in cells
    ]
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


def without_relu():
    """Return the solution, whose gradient passes where the unit was off."""
    content = json.loads(SOLUTION.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"]).replace("    dhidden[hidden <= 0] = 0\n", "")
    return content


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return what `jupyter nbconvert --to feedback` writes for a wrong program with hostile texts."""
    content = without_relu()
    content["cells"][1:1] = [{"cell_type": "markdown", "source": EVIL, "metadata": {}, "id": "evil"}]
    first = next(cell for cell in content["cells"] if cell["cell_type"] == "code")
    first["outputs"] = [
        one for one in OUTPUTS if isinstance(one, dict) and len(one) > 1 and one.get("data") != ["neither"]
    ]
    for one in first["outputs"]:
        if one["output_type"] == "display_data":
            one["metadata"] = {}
    path = tmp_path_factory.mktemp("exported") / "mine.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    text, resources = get_exporter("feedback")().from_filename(str(path))
    assert resources["output_extension"] == ".html"
    return text


@pytest.fixture(scope="module")
def told():
    """Return a report on a notebook of two cells: a named mistake in the second, and a hidden check."""
    checks = (
        Verdict("scores", "The scores are right.", "loss", "passed", 8.0, 8.0, False, ""),
        Verdict("gradient_W1", "W1 is right.", "gradients", "failed", 0.0, 7.0, False, "63 entries are wrong."),
        Verdict("predict", "Secret title.", "predict", "failed", 0.0, 6.0, True, "Secret message."),
    )
    named = Diagnosis(
        "x", "No ReLU", "Which?", "notes", ("gradient_W1",), {"gradient_W1": 7.0}, (Place("code cell 2", 2, "  pass"),)
    )
    secret = Diagnosis(
        "y", "Secret mistake", "Secret hint", "notes", ("predict",), {"predict": 6.0}, (Place("code cell 1", 1, "a"),)
    )
    steps = (StepRow(Place("code cell 2", 1, "def backward(): pass"), "g", (2, 3), "differs", "differs from it"),)
    return Report(
        "ada", "ada.ipynb", 8.0, 21.0, "graded", checks, (named,), (), Environment({}, ()), {}, steps=steps
    ), secret


CELLS = notebook(
    ("code", "def forward(): pass", {}), ("markdown", "words", {}), ("code", "def backward():\n  pass", {})
)


def between(page, first, last):
    """Return what stands under one cell."""
    return page[page.index(f'id="{first}"') : page.index(f'id="{last}"')]


# ---------------------------------------------------------------- where things stand


def test_jupyter_finds_the_exporter():
    """`--to feedback` is looked up among nbconvert's entry points."""
    (found,) = entry_points(group="nbconvert.exporters", name="feedback")
    assert found.value == "grader.integrations.exporter:FeedbackExporter"


def test_what_is_wrong_stands_under_its_cell(page):
    """The mistake with its hint, the table of steps, the verdicts with pictures; the wrong line is marked in the cell."""
    under = between(page, "code-cell-10", "code-cell-11")
    assert "The ReLU is missing in the backward pass" in under
    assert "What is its derivative there?" in under
    assert "Your values, step by step" in under
    assert "<figure>" in under
    assert '<code class="named"><span class="number">17</span>    grads[' in under
    assert "Public checks: 15 of 18 pass" in page
    assert '<a href="#code-cell-10">code cell 10</a>: The ReLU is missing' in page
    assert "argmax" not in under
    assert "What is told about predict" not in under
    assert 'aria-label="The grader on code cell 16"' in page


def test_every_link_leads_somewhere(page):
    """From the glance and the mistakes to what stands under the cells; no id is there twice."""
    tags = Tags(page).found
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {attrs["href"][1:] for tag, attrs in tags if tag == "a" and attrs["href"].startswith("#")}
    assert links <= set(ids)


def test_a_report_of_a_class_is_told_without_checking_again(told, tmp_path):
    """--FeedbackExporter.report names the report.json; what hidden checks found is not in the page, and neither is their title."""
    report, secret = told
    (tmp_path / "report.json").write_text(
        to_json(replace(report, diagnoses=(*report.diagnoses, secret))), encoding="utf-8"
    )
    (tmp_path / "ada.ipynb").write_text(json.dumps(CELLS), encoding="utf-8")
    config = Config({"FeedbackExporter": {"report": str(tmp_path / "report.json")}})
    text, _ = get_exporter("feedback")(config=config).from_filename(str(tmp_path / "ada.ipynb"))
    assert "63 entries are wrong." in text[text.index('id="code-cell-2"') :]
    assert "The scores are right." in text[text.index('id="code-cell-1"') : text.index('id="code-cell-2"')]
    assert "ecret" not in text
    assert "1 hidden check counts towards the points and is not shown here." in text


def test_a_method_is_found_under_the_name_that_the_titles_say(told):
    """What no line tells stands under the cell that defines the method, whatever the assignment calls it."""
    checks = (
        Verdict("update_rule", "fit() moves each parameter.", "train", "failed", 0.0, 9.0, False, "It moves none."),
    )
    cells = show_cells(notebook(("code", "def train(): pass", {}), ("code", "def fit(): pass", {}), ("code", "x", {})))
    page = to_annotated(replace(told[0], checks=checks, diagnoses=(), steps=()), cells)
    assert "It moves none." in between(page, "code-cell-2", "code-cell-3")


def test_questions_that_are_missing_are_named(tmp_path):
    """In one line, by nbconvert's own error."""
    (tmp_path / "ada.ipynb").write_text(json.dumps(CELLS), encoding="utf-8")
    for option in ("report", "questions"):
        config = Config({"FeedbackExporter": {option: str(tmp_path / "none.npz")}})
        with pytest.raises(ConversionException, match=r"none\.npz"):
            get_exporter("feedback")(config=config).from_filename(str(tmp_path / "ada.ipynb"))


def test_a_notebook_without_the_class_says_so(tmp_path):
    """The page is there all the same, with the reason above the cells."""
    (tmp_path / "ada.ipynb").write_text(json.dumps(CELLS), encoding="utf-8")
    text, _ = get_exporter("feedback")().from_filename(str(tmp_path / "ada.ipynb"))
    assert "Nothing was found to grade" in text
    assert "def backward():" in text


def test_a_page_over_the_limits_is_refused(told, tmp_path, monkeypatch):
    """Whose texts take too long to show gets one line with the mend; the exporter's own process is not held up."""
    monkeypatch.setattr(limited_process, "SECONDS", 0.05)
    (tmp_path / "report.json").write_text(to_json(told[0]), encoding="utf-8")
    cells = [("markdown", "*a_ [" * 4_000, {})] * 300
    (tmp_path / "ada.ipynb").write_text(json.dumps(notebook(*cells)), encoding="utf-8")
    config = Config({"FeedbackExporter": {"report": str(tmp_path / "report.json")}})
    with pytest.raises(
        ConversionException, match=r"ada\.ipynb: making its page took more than 0\.05 s .* Clear the outputs"
    ):
        get_exporter("feedback")(config=config).from_filename(str(tmp_path / "ada.ipynb"))


# ---------------------------------------------------------------- the student's side


def test_a_students_text_stays_text(page):
    """No script, no handler, no address but links and pictures that the page holds; the policy allows nothing else."""
    for tag, attrs in Tags(page).found:
        assert tag not in {"script", "iframe", "object", "embed", "link", "form", "base", "foreignobject"}
        assert not [name for name in attrs if name.startswith("on") or name in {"style", "srcset", "action"}], (
            tag,
            attrs,
        )
        assert attrs.get("src", "data:image/").startswith("data:image/")
        assert attrs.get("href", "#").startswith(("#", "https://", "mailto:"))
    (policy,) = [
        attrs["content"] for tag, attrs in Tags(page).found if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "img-src data:;" in policy
    assert "evil.example" not in "".join(str(attrs) for _, attrs in Tags(page).found)
    assert "[picture: there]" in page


def test_outputs_are_pictures_or_plain_text(page):
    """Never the HTML that an output holds, no terminal codes, nothing unseen."""
    under = between(page, "code-cell-1", "code-cell-2")
    assert f'src="data:image/png;base64,{PIXEL}"' in under
    assert "red\n&lt;/pre&gt;&lt;script&gt;alert(7)&lt;/script&gt;\\u202e" in under
    assert "plainly" in under
    assert "<b>100 points</b>" not in page
    assert "no picture" in under
    assert "Traceback\nE: v" in under
    assert under.count("<img") == 2
    assert show_cells(notebook(("code", "x", {"outputs": OUTPUTS})))[0].outputs


@pytest.mark.parametrize("held", [7, ["no cell"], {"source": ["a", 7]}, {"cell_type": "markdown", "source": None}])
def test_strange_cells_are_left_out(held):
    """As the reader of submissions does, so that the numbers stay the same."""
    cells = show_cells({"cells": [held, {"cell_type": "code", "source": "x", "outputs": 7}], "nbformat": 4})
    assert [cell.label for cell in cells] == ["code cell 1"]


def test_formulas_can_be_read_without_scripts():
    """As MathML, whose texts are escaped; what cannot be read as a formula is shown as it is written."""
    assert "<mfrac><mn>1</mn><mn>2</mn></mfrac>" in to_html("$\\frac12$")
    assert to_html("$\\text{<b>}$").count("<b>") == 0
    assert "\\" not in to_html("$$a\\\n+ \\arg\\max_j b$$")
    assert "<code>x^2^&lt;</code>" in to_html("$x^2^<$")


@pytest.mark.slow
def test_without_the_formulas_library_every_exporter_can_be_listed():
    """JupyterLab imports all of them for its menu, and one that fails takes the menu away; formulas stay as they are written."""
    program = """
import sys
sys.modules["latex2mathml"] = None
from nbconvert.exporters import get_export_names
from grader.integrations.student_markdown import to_html
assert "feedback" in get_export_names()
print(to_html(r"It is $\\frac12 < 1$."))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "<code>\\frac12 &lt; 1</code>" in done.stdout


def test_pictures_that_the_notebook_holds_are_shown(page):
    """The lesson's own are SVGs, attached or in their addresses: in an <img> they run nothing."""
    assert page.count('<img src="data:image/svg+xml;base64,') == 3


@pytest.mark.browser
@pytest.mark.slow
def test_the_page_runs_and_loads_nothing(visited, page):
    """A browser that may run scripts says nothing of it, and asks for nothing."""
    shown = visited(page, "annotated.html")
    assert shown.get_by_text("The ReLU is missing").count() >= 2
    assert shown.evaluate("document.documentElement.scrollWidth") <= 1200


# ---------------------------------------------------------------- a class


def test_a_class_has_it_beside_each_report(told, tmp_path):
    """A notebook, a .py file and what cannot be read; a new report takes the page away, which told of the one before."""
    report, _ = told
    (tmp_path / "ada.ipynb").write_text(json.dumps(CELLS), encoding="utf-8")
    (tmp_path / "bob.py").write_text("class TwoLayerNet:\n    def backward(self): pass\n", encoding="utf-8")
    (tmp_path / "eve.ipynb").write_text("{", encoding="utf-8")
    out, paths = (
        tmp_path / "graded",
        {name.partition(".")[0]: tmp_path / name for name in ("ada.ipynb", "bob.py", "eve.ipynb")},
    )
    for name in paths:
        folder_of(out, name).mkdir(parents=True)
    assert annotate_class(out, paths, [replace(report, submission=name) for name in paths], load(bundled(), KNOWN)) == 3
    ada, bob, eve = ((folder_of(out, name) / ANNOTATED).read_text(encoding="utf-8") for name in paths)
    assert "No ReLU" in ada[ada.index('id="code-cell-2"') :]
    assert "63 entries are wrong." in bob[bob.index("class TwoLayerNet") :]
    assert "No ReLU" in eve
    write_submission(out, "ada", {"report.html": "new"})
    assert not (folder_of(out, "ada") / ANNOTATED).exists()


def test_a_missing_package_is_named_before_anything_is_graded(monkeypatch, tmp_path):
    """In one line, with the command."""
    monkeypatch.setattr(options, "find_spec", lambda name: None if name == "nbconvert" else name)
    done = CliRunner().invoke(main, ["grade", str(SOLUTION), "--out", str(tmp_path / "out"), "--annotate"])
    assert done.exit_code == 2
    assert "nbconvert is missing" in done.output
    assert "pip install 'twolayer-grader[instructor]'" in done.output
    assert not (tmp_path / "out").exists()


def test_without_cells_all_is_told_at_the_top(told):
    """As where the text took too long to be shown."""
    assert "No ReLU" in to_annotated(told[0], [])


@pytest.mark.parametrize(
    "address",
    [
        "data:text/html;base64,PGI+",
        "data:image/svg+xml,<svg>",
        'data:image/png;base64,AAAA"onerror="x',
        "https://x.example/a.png",
    ],
)
def test_no_other_address_is_a_picture(address):
    """Pages load nothing, and only pictures stand in an address."""
    assert "<img" not in to_html(f"![a]({address})")
