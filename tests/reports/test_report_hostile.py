"""Texts that attack whoever reads the report: none of them becomes markup, a terminal's command, or a leak."""

import io
import json
import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from examples import examples
from grader.model import Curves, Decision, Diagnosis, Environment, HeatMap, Place, Report, Ruling, StepRow, Verdict
from grader.reports.formats import REPORT_FORMATS
from grader.reports.page_assets import prose
from grader.text.sanitise import one_line, plain_text, sanitise_report
from reports.written import render, summary

# The same lines over and over: a tracer doubles the time and learns nothing.
pytestmark = pytest.mark.untraced

ATTACKS = [
    "<script>alert(1)</script>",
    "</style></title></svg></pre></main><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "<a href='https://evil.example/'>full marks</a>",
    "`<iframe src=javascript:alert(1)>`",
    "`a` <b>`</code><style>*{display:none}</style>`",
    "{{ report.score }}{% include 'report.css' %}{# #}",
    "&lt;script&gt;&#x3c;b&#62;",
    "<!-- --><![CDATA[ x ]]><?php ?><!doctype x>",
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b1m\x1bP\x1b\\",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "[bold red]markup[/] [link=https://evil.example]x[/link] :skull:",
    "score \u202e001/001\u202c \u2066x\u2069 \u200bzero\u200d\ufeff",
    "lone \ud800 surrogate \udfff and \udc80",
    "one\rtwo\x0bthree\x0cfour\x85five\u2028six\u2029seven",
    "\x00\x01\x02\x7f\x80\x9f\ufffe\uffff\U000e0041",
    "a\u0300" * 500,
    "x" * 50_000,
    "\n" * 200,
    "::set-output name=score::100",
    "\u3000 ::error file=a.py,line=1::x\n\t::stop-commands::x\r\n::add-mask::a",
    "word " * 12 + "::warning::x " + "word" * 30 + "::notice::x",
    ":::error::x ::::error::x :\u200b:error::x :\ufe0f:error\ufe0f::x",
    "##[error]x ###[group]x ##vso[task.setvariable variable=a]b ##teamcity[message text='x']",
    "",
]


def hostile(text):
    """Put a text everywhere that a student can put one, and what people say of their decisions, who may quote it."""
    figures = (
        HeatMap(text, np.array([[0.5, 20.0]]), (0, 1)),
        Curves(text, ((text, np.arange(3.0)), ("r", np.ones(3)))),
    )
    places = (Place(text, 3, text), Place("code cell 5", 4, text))
    check = Verdict("a", "Title", "loss", "failed", 0, 2, False, f"x{text}", figures, places)
    return Report(
        submission=text,
        source=text,
        score=1,
        max_score=3,
        status="graded",
        checks=(check, Verdict("b", "Hidden", "train", "passed", 1, 1, True, text, figures, places)),
        diagnoses=(Diagnosis("d", text, text, f"s{text}", ("a",)),),
        notes=(text, text),
        environment=Environment({"numpy": text}, ("process", "rlimits")),
        timing={"run": 1.0},
        rulings=(
            Ruling(Decision(1, "points", f"c{text}", 1, f"x{text}", text, text, text), f"x{text}", applies=True),
            Ruling(Decision(2, "excused", f"c{text}", 1, f"x{text}", text, text, text), f"x{text}", applies=False),
        ),
        steps=(
            StepRow(Place(text, 3, text), f"n{text}", (7, 3), "right", f"right: {text}"),
            StepRow(Place("code cell 5", 4, text), f"n{text}", (10**18,) * 64, "differs", f"v{text}"),
            StepRow(Place("code cell 5", 5, text), f"n{text}", (), "unknown", ""),
        ),
    )


class _Skeleton(HTMLParser):
    """Tags with their attributes, without the texts; `code`, which backticks may make, is left out."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.others = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag != "code" or attrs:
            # Only a legend's places in the picture follow the length of a text.
            self.tags.append((tag, tuple((name, value) for name, value in attrs if name not in {"x", "d"})))

    def handle_endtag(self, tag):
        if tag != "code":
            self.tags.append((f"/{tag}",))

    def handle_data(self, data):
        self.text.append(data)

    def handle_comment(self, data):
        self.others.append(data)

    def handle_decl(self, decl):
        self.others.append(decl)

    def handle_pi(self, data):
        self.others.append(data)

    def unknown_decl(self, data):
        self.others.append(data)


def skeleton(html):
    """Parse a page."""
    parser = _Skeleton()
    parser.feed(html)
    parser.close()
    return parser


def _assert_harmless(text):
    page = REPORT_FORMATS["html"].write(hostile(text))
    seen, harmless = skeleton(page), skeleton(REPORT_FORMATS["html"].write(hostile("harmless")))
    assert seen.tags == harmless.tags
    assert seen.others == ["doctype html"]
    page.encode()  # a lone surrogate would stop the file from being written
    assert not [c for c in page if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c != "\n"]


@pytest.mark.parametrize("text", ATTACKS, ids=[ascii(attack)[:30] for attack in ATTACKS])
def test_no_attack_becomes_markup(text):
    """The page has the same tags and attributes as with a harmless text, in the same order."""
    _assert_harmless(text)


@given(st.text(st.characters(), max_size=80) | st.text("<>&\"'`/=!-{}%# \nascript", max_size=80))
def test_no_text_at_all_becomes_markup(text):
    """The same for texts that nobody thought of."""
    _assert_harmless(text)


def test_the_text_itself_is_still_there():
    """Neutralised is not swallowed: the student's line can be read on the page."""
    text = "".join(skeleton(REPORT_FORMATS["html"].write(hostile("<script>alert(1)</script>"))).text)
    assert "x<script>alert(1)</script>" in text


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("text", ATTACKS, ids=[ascii(attack)[:30] for attack in ATTACKS])
def test_no_attack_commands_the_terminal(text, colour):
    """Without colour no escape code is printed at all; with colour only our own, which set colours."""
    printed = render(hostile(text), colour=colour)
    if colour:
        printed = re.sub(r"\x1b\[[\d;]*m", "", printed)
    assert not [c for c in printed if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c != "\n"]


@given(st.text(st.characters(), max_size=60))
def test_no_text_at_all_commands_the_terminal(text):
    """The same for texts that nobody thought of."""
    assert not [c for c in render(hostile(text)) if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c != "\n"]


def _assert_obeyed_by_no_runner(report, width, obeyed, everywhere):
    texts = everywhere(report, width)
    own = obeyed(texts.pop("github"))
    assert own == ["error"] * own.count("error") + ["notice"]
    assert {name: found for name, text in texts.items() if (found := obeyed(text))} == {}


@pytest.mark.parametrize("text", ATTACKS, ids=[ascii(attack)[:30] for attack in ATTACKS])
def test_no_attack_commands_a_ci_job(text, obeyed, everywhere):
    """Whatever format is printed in a job, wide or narrow, its runner finds no command but our annotations."""
    _assert_obeyed_by_no_runner(hostile(text), 20, obeyed, everywhere)


_PARTS = [
    "::",
    ":",
    "##",
    "#",
    "[",
    "]",
    "error",
    "set-env name=a",
    "vso",
    " ",
    "  ",
    "\n",
    "\u3000",
    "\ufe0f",
    "\x1b",
    "x" * 9,
]


@examples(30)
@given(st.lists(st.sampled_from(_PARTS), max_size=30).map("".join), st.integers(12, 60))
def test_no_text_at_all_commands_a_ci_job(obeyed, everywhere, text, width):
    """The same for texts that nobody thought of, wrapped at any width."""
    _assert_obeyed_by_no_runner(hostile(text), width, obeyed, everywhere)


def test_the_reader_of_commands_finds_them(obeyed):
    """The two tests above would see a command: each form of them is found where it stands by itself."""
    text = "a\n  ::error file=x::y\r::set-output name=a::b\nx ##[group]y ##vso[task.x]z\n##teamcity[a]\na[::2, ::3] ::x"
    assert obeyed(text) == ["error", "set-output", "##[", "##vso[", "##teamcity["]


def test_slices_are_quoted_as_they_are():
    """Parted are commands only: the commonest slices stand as the student wrote them."""
    kept = "a[::2] b[::-1] c[1::, ::3] d[:, :] # ## [x] x::  #[y]"
    assert one_line(kept) == kept
    assert one_line("a[::step] ::error::x ##[x] ##vso[x]") == "a[: :step] : :error: :x # #[x] # #vso[x]"


def test_rich_markup_is_text():
    """Brackets are printed as brackets, and no link or emoji comes of them."""
    attack = "[bold red]x[/] [link=https://e.example]y[/link] :skull:"
    assert attack in render(hostile(attack), width=200)
    console = Console(width=300, file=io.StringIO(), force_terminal=True)
    console.print(summary([replace(hostile("[red]n[/red]"), diagnoses=())]))
    assert "[red]n[/red]" in console.file.getvalue()
    assert "a -2" in console.file.getvalue()


def test_hidden_checks_leak_no_figure(sample):
    """A hidden check draws nothing: without it, the page has as many figures."""
    visible = replace(sample, checks=tuple(check for check in sample.checks if not check.hidden))
    count = REPORT_FORMATS["html"].write(visible).count("<figure")
    assert count == REPORT_FORMATS["html"].write(sample).count("<figure") == 3


def test_what_is_unseen_is_shown():
    """Each kind of unseen character is written as its escape, newlines stay, and tabs are spaces."""
    assert plain_text("a\x1b[31m\n\tb\r\nc\rd") == "a\\u001b[31m\n    b\nc\\u000dd"
    assert plain_text("\u202e\u2066\u200b\ufeff\ud800\U000e0041") == "\\u202e\\u2066\\u200b\\ufeff\\ud800\\U000e0041"
    assert one_line("one\ntwo") == "one\\u000atwo"
    assert plain_text("Zoë 数学 ½ \u3000") == "Zoë 数学 ½ \u3000"


def test_long_texts_are_cut_and_counted():
    """The remark says how many characters are missing, the end stays, and the whole is no longer than the limit."""
    whole = f"{'x' * 16_345}. Mend it."
    text = plain_text(whole)
    assert len(text) == 4_000
    start, count, end = re.fullmatch(
        r"(x+)\.\.\. \((12,\d+) characters left out\) \.\.\.(x+\. Mend it\.)", text
    ).groups()
    assert len(start) + int(count.replace(",", "")) + len(end) == len(whole)


@given(st.text(st.characters(), max_size=300), st.integers(40, 200))
def test_made_plain_once_is_enough(text, limit):
    """Reading back what was written and writing it again changes nothing."""
    assert plain_text(plain_text(text, limit), limit) == plain_text(text, limit)
    assert one_line(one_line(text, limit), limit) == one_line(text, limit)
    assert len(plain_text(text, limit)) <= limit


def test_many_notes_and_a_long_traceback_are_cut_and_counted(sample):
    """A thousand notes or a recursion's thousand lines do not drown the rest; the ends stay."""
    places = tuple(Place("code cell 1", number, f"line {number}") for number in range(1, 1001))
    checks = (replace(sample.checks[4], places=places),)
    report = sanitise_report(replace(sample, checks=checks, notes=tuple(f"note {n}" for n in range(1000))))
    assert report.notes[98:] == ("note 98", "... (901 notes more)")
    shown = report.checks[0].places
    assert [place.line for place in shown] == [1, 2, 3, 0, *range(992, 1001)]
    assert shown[3].label == "... (988 lines more)"
    again = sanitise_report(report)
    assert [REPORT_FORMATS[name].write(again) for name in ("html", "json")] == [
        REPORT_FORMATS[name].write(report) for name in ("html", "json")
    ]


def test_backticks_become_code_after_escaping():
    """Code in a message is marked, markup inside it is text, and a lone backtick is a backtick."""
    assert prose("use `a < b`, not ` alone") == "use <code>a &lt; b</code>, not ` alone"
    assert prose("`one\ntwo`") == "`one\ntwo`"


def test_every_format_gives_the_same_text_again(sample):
    """Two runs, and whatever the environment's COLUMNS or colours say, give the same bytes."""
    for form in REPORT_FORMATS.values():
        assert form.write(sample) == form.write(sample)


def test_the_terminal_s_width_and_colours_do_not_come_from_the_environment(sample, monkeypatch):
    """A file written on a narrow terminal, or in CI with forced colours, is the same file."""
    before = render(sample)
    for name, value in {"COLUMNS": "40", "FORCE_COLOR": "1", "TERM": "dumb", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    assert render(sample) == before
    assert "\x1b" not in before


def test_json_of_an_attack_is_plain_json():
    """Every attack is data in JSON, and reads back as the visible text."""
    for attack in ATTACKS:
        assert json.loads(REPORT_FORMATS["json"].write(hostile(attack)))["notes"][0] == plain_text(attack)
