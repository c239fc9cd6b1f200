"""Every page meets WCAG 2.2 AA as far as axe-core can tell, in the light and in the dark scheme, with all its parts open."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from grader.audit.matrix import SOLUTION, Trial, audit
from grader.audit.view import to_html as to_audit
from grader.integrations.annotated_notebook import show_cells, to_annotated
from grader.model import Diagnosis, Environment, Report, Verdict
from grader.reports.class_page import to_index
from grader.reports.similar_page import to_similar
from reference.catalogue import LECTURES, describe_form, list_forms
from reports.test_class_page_browser import klass as graded_class
from reports.test_similar_browser import klass as compared_class
from reports.written import to_html

pytestmark = [pytest.mark.browser, pytest.mark.untraced, pytest.mark.slow]

NOTEBOOK = Path(__file__).resolve().parents[2] / "assignment" / "two_layer_net.ipynb"
AXE = "axe-core@4.14.1"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async (tags) => {
    const found = await axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']});
    return found.violations.flatMap((one) => one.nodes.map(
        (node) => `${one.id}: ${node.html.slice(0, 200)}: ${node.failureSummary.split('\\n').slice(1).join(' ')}`));
}"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """Return the text of axe-core, which npm fetches into a temporary folder."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine, so axe-core cannot be had")
    folder = tmp_path_factory.mktemp("axe")
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    done = subprocess.run([npm, "install", *options, AXE], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        pytest.skip(f"npm cannot fetch {AXE}: {done.stderr.strip()[-200:]}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def audited(assignment):
    """Return an audit of the solution and of two mistakes, one of which is not named."""
    known = {form.name: form for form in list_forms()}
    names, reports = ("relu_on_the_scores", "uphill"), {}
    wrong = [Trial(name, describe_form(known[name], LECTURES)) for name in names]
    trials = [Trial(SOLUTION, None), *wrong]
    for trial in trials:
        lost = {"relu_on_the_scores": {"scores"}, "uphill": {"update_rule"}}.get(trial.name, set())
        checks = tuple(
            Verdict(row.id, row.id, "loss", "failed" if row.id in lost else "passed",
                    0.0 if row.id in lost else row.points, row.points, False, "m")
            for row in assignment.checks
        )  # fmt: skip
        one = trial.form
        named = (Diagnosis(one.id, one.title, one.hint, one.source, tuple(lost)),) if trial.name == "uphill" else ()
        score = sum(check.points for check in checks)
        reports[trial.name] = Report(
            trial.name, trial.name, score, 100.0, "graded", checks, named, (), Environment({}, ()), {}
        )
    return audit(assignment, trials, reports)


@pytest.fixture
def pages(sample, ruled, unloadable, assignment):
    """Return each page by its name."""
    right = [replace(one, status="passed", points=one.max_points, figures=(), places=()) for one in sample.checks]
    return {
        "report": to_html(replace(sample, example=(7, 8, 9, 4))),
        "report after decisions": to_html(ruled),
        "report that did not load": to_html(unloadable),
        "right report": to_html(replace(sample, checks=tuple(right), diagnoses=(), steps=(), score=sample.max_score)),
        "annotated notebook": to_annotated(sample, show_cells(json.loads(NOTEBOOK.read_text(encoding="utf-8")))),
        "class": to_index(replace(graded_class(), notes=("Two hand-ins are one student's.",))),
        "similar": to_similar(compared_class()),
        "audit": to_audit(audited(assignment)),
    }


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_violates_wcag(visited, pages, axe, scheme, width):
    """What is folded is opened first, so that it is looked at as well."""
    found = []
    for name, html in pages.items():
        page = visited(html, f"{name}.html", scheme=scheme, width=width)
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        page.evaluate(axe)
        found += [f"{name}: {fault}" for fault in page.evaluate(RUN, TAGS)]
    assert not found, "\n".join(found)
