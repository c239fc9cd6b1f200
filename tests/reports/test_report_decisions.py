"""What people decided, as each format tells it: what came of it, who decided, when and why."""

import io
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from grader.model import Decision, Report, Ruling
from grader.reports import wording
from grader.reports.terminal import costs
from reports.written import render, summary, to_annotations, to_html, to_junit

SAID = [
    '1. grad_W1: 5 points. Replaced by decision 2. Decided by Ada Lovelace on 22 November 2026: "Half of it is right."',
    (
        "2. grad_W1: 0 of 10 by the grader, now 10 of 10 by Ada Lovelace on 22 November 2026:"
        ' "Right in the maths: `dh` is masked <b>later</b>."'
    ),
    '3. Late by 2 days: 20 points off. Decided by Grace Hopper on 1 December 2026: "Handed in on Tuesday."',
    "4. train_digits: 5 of 8 by the grader, now 7 of 8 by an unnamed person on 22 November 2026.",
    (
        "5. predict: 10 points. It was made for an earlier hand-in and does not count for this one: decide again."
        ' Decided by Ada Lovelace on 22 November 2026: "It was fine before."'
    ),
    (
        "6. gone: 3 points. The rubric no longer has this check, so it changes nothing."
        ' Decided by Ada Lovelace on 22 November 2026: "It is in the text."'
    ),
    (
        "7. grad_hidden: 0 of 5 by the grader, now 5 of 5 (9 was given, but the rubric allows at most 5)"
        ' by Ada Lovelace on some time: "Given."'
    ),
    '8. Excused: this does not count. Decided by Ada Lovelace on 22 November 2026: "Ill that week."',
]


class _Parts(HTMLParser):
    """The text of the decisions' section, of each of its decisions, of the tags, and the rows of the points table."""

    def __init__(self):
        super().__init__()
        self.form, self.section, self.idle, self.tags, self.rows, self.links = [], [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs).get("class") or ""
        if tag not in {"meta", "link"}:
            self.form.append((tag, named))
        if "rulings" in named:
            self.section.append("")
        if tag == "li" and self._in("rulings"):
            self.idle.append(named == "idle")
        if named == "tag":
            self.tags.append("")
        if tag == "tr":
            self.rows.append([])
        if tag == "a" and self._in("rulings"):
            self.links.append(dict(attrs)["href"])

    def handle_endtag(self, tag):
        while self.form and self.form.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self._in("rulings"):
            self.section[-1] += data
        if self._in("tag"):
            self.tags[-1] += data
        if self.rows and any(tag == "tr" for tag, _ in self.form) and data.strip():
            self.rows[-1].append(data.strip())

    def _in(self, name):
        return any(name in named.split() for _, named in self.form)


def parts(report):
    """Read a page."""
    parser = _Parts()
    parser.feed(to_html(report))
    return parser


def joined(text):
    """Return a text without its line breaks and indents."""
    return " ".join(text.split())


# ---------------------------------------------------------------- in words


def test_every_decision_is_a_sentence(ruled):
    """Number, effect, person, day and reason; nothing is said where nothing is known."""
    assert wording.rulings(ruled) == SAID


@pytest.mark.parametrize(
    ("by", "at", "said"),
    [
        ("Ada", "2026-01-02T23:59:59Z", "Ada on 2 January 2026"),
        ("", "2026-12-31T00:00:00Z", "an unnamed person on 31 December 2026"),
        ("Ada", "2026-13-45T00:00:00Z", "Ada on 2026-13-45T00:00:00Z"),
        ("Ada", "", "Ada"),
    ],
)
def test_a_signature_is_a_person_and_a_day(by, at, said):
    """The day is written out in English wherever the grader runs; what is no day stands as it is."""
    assert wording.signature(Decision(1, "excused", "", 1, "", by, at, "")) == said


@pytest.mark.parametrize(
    ("days", "said"), [(0, ""), (1, "late by 1 day"), (0.5, "late by 0.5 days"), (2, "late by 2 days")]
)
def test_days_are_counted_in_words(sample, days, said):
    """One day is one, and no day is nothing."""
    assert wording.late(replace(sample, late_days=days)) == said


# ---------------------------------------------------------------- the terminal


def test_the_terminal_tells_decisions_under_the_score(ruled):
    """All of them stand in order between the score and the first group, and adjusted checks say what the grader gave."""
    text = joined(render(ruled, width=240))
    parts = ["56 / 100, excused", "Decided and written by people", *SAID, "The mistake, named"]
    places = [text.index(one) for one in parts]
    assert places == sorted(places)
    assert "✓ Gradient of W1 passed (adjusted: 0 by the grader)" in text
    assert "◐ Training learns the digits partly passed (adjusted: 5 by the grader)" in text
    assert text.count("(adjusted: ") == 3


@pytest.mark.parametrize("width", [40, 72, 120])
def test_no_decision_is_wider_than_asked(ruled, width):
    """Decisions are wrapped as the rest, and numbers of two digits as well."""
    tenth = replace(
        ruled, rulings=tuple(replace(one, decision=replace(one.decision, number=10)) for one in ruled.rulings)
    )
    assert max(map(len, render(tenth, width=width).split("\n"))) <= width


def test_what_was_read_by_hand_keeps_its_reason(read_by_hand):
    """A submission that did not load says why, and what a person gave all the same."""
    text = joined(render(read_by_hand))
    assert "10 / 100, excused" in text
    assert "The submission could not be loaded" in text
    assert "Late by 2 days: 12 points off, since lateness lowers no score below 10 points" in text
    assert "grad_W1: 0 of 10 by the grader, now 10 of 10 by Ada Lovelace" in text


def test_the_summary_names_lateness_and_excuses_first(sample, ruled, read_by_hand):
    """One line: that it does not count, what lateness cost, and then what the grader found and nobody gave."""
    lost = "predict -10; train_decay -5; loss_stable -3 and 1 more"
    named = sample.diagnoses[0].title
    assert costs(sample) == f"{named}; {lost}"
    assert costs(ruled) == f"excused; late by 2 days -20; {named}; {lost}"
    assert costs(replace(ruled, excused=False, penalty=0.0)) == f"late by 2 days; {named}; {lost}"
    assert costs(read_by_hand).startswith(
        "excused; late by 2 days -12; The submission could not be loaded: Code cell 5"
    )
    console = Console(width=240, file=io.StringIO(), color_system=None)
    console.print(summary([ruled]))
    assert "56 / 100  ◐  excused; late by 2 days -20; The ReLU mask" in console.file.getvalue()


def test_a_mistake_that_costs_nothing_any_more_is_not_among_what_cost_points(ruled):
    """Once a person gave every check that it explains in full, it is no reason for a lower score."""
    pardoned = tuple(
        replace(one, points=one.max_points, adjusted_from=0.0) if one.id == "grad_b1" else one for one in ruled.checks
    )
    assert "ReLU mask" in costs(ruled)
    assert "ReLU mask" not in costs(replace(ruled, checks=pardoned))


# ---------------------------------------------------------------- the page


def test_the_page_tells_decisions(ruled):
    """One section with each decision, who, when and why; those that hold no more are set apart; two lead to a check."""
    page = parts(ruled)
    text = joined("".join(page.section))
    assert len(page.section) == 1
    for one in ruled.rulings:
        assert one.effect in text
        assert one.decision.comment.replace("`", "") in text
    assert "Decision 2, by Ada Lovelace on 22 November 2026: Right in the maths" in text
    assert "Decision 4, by an unnamed person on 22 November 2026. predict" in text
    assert page.idle == [not one.applies for one in ruled.rulings]
    ids = {verdict.id: f"#check-{index}" for index, verdict in enumerate(ruled.checks, 1)}
    assert page.links == [ids[name] for name in ("grad_W1", "grad_W1", "train_digits", "predict", "grad_hidden")]


def test_the_points_on_the_page_add_up(ruled):
    """Lateness has a row of its own below the groups, and an adjusted check says what the grader gave."""
    page = parts(replace(ruled, steps=()))
    assert page.rows[-1] == ["Lateness", "\N{MINUS SIGN}20"]
    assert sum(section.points for section in wording.sections(ruled)) - 20 == ruled.score
    assert "<b>56</b><span> of 100 points, excused</span>" in to_html(ruled)
    assert [one for one in page.tags if one.startswith("adjusted")] == [
        "adjusted: 0 by the grader",
        "adjusted: 0 by the grader",
        "adjusted: 5 by the grader",
    ]


def test_a_page_without_decisions_says_nothing_of_them(sample):
    """No empty section, no row, no tag."""
    page = parts(replace(sample, steps=()))
    assert page.section == []
    assert page.rows[-1][0] == "Style"
    assert set(page.tags) == {"hidden check"}


def test_what_was_read_by_hand_has_a_page(read_by_hand):
    """The decisions follow the banner, and no link leads to a check that the page does not show."""
    page = parts(read_by_hand)
    assert "grad_W1: 0 of 10 by the grader, now 10 of 10" in "".join(page.section)
    assert page.links == []
    html = to_html(read_by_hand)
    assert html.index('id="banner"') < html.index('id="decided"')


def test_a_comment_is_text(ruled):
    """Markup in a comment is shown as it was typed; backticks become code as in a message."""
    html = to_html(ruled)
    assert "<code>dh</code> is masked &lt;b&gt;later&lt;/b&gt;." in html


# ---------------------------------------------------------------- for machines


def test_junit_has_the_points_after_decisions(ruled):
    """A check that a person let pass is green and says so; the suite's own output lists the decisions."""
    suite = next(ET.fromstring(to_junit(ruled)).iter("testsuite"))  # noqa: S314 -- our own file, and the test's point
    cases = {case.get("name").partition(":")[0]: next(iter(case), None) for case in suite.iter("testcase")}
    assert cases["grad_W1"].tag == "system-out"
    assert cases["grad_W1"].text.startswith("10 of 10 points (adjusted: 0 by the grader).\n`grads['W1']` differs")
    assert cases["grad_hidden"].text == "5 of 5 points (adjusted: 0 by the grader, hidden check)."
    assert cases["train_digits"].tag == "failure"
    assert cases["train_digits"].text.startswith("7 of 8 points (adjusted: 5 by the grader).")
    assert cases["grad_W2"] is None
    assert suite.find("system-out").text.split("\n") == SAID
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("14", "5", "0")


def test_annotations_have_the_points_after_decisions(ruled):
    """What a person gave is not annotated; lateness is a warning; the notice says adjusted, excused, and lists all."""
    lines = to_annotations(ruled).splitlines()
    titles = [line.partition("title=")[2].partition("::")[0] for line in lines]
    assert "Gradient of W1" not in titles
    assert "Gradients at other sizes" not in titles
    late = lines[titles.index("Late by 2 days")]
    assert late.startswith("::warning ")
    assert late.endswith(f"::{SAID[2].removeprefix('3. ')}")
    assert (
        "::7 of 8 points (adjusted: 5 by the grader).%0AAccuracy" in lines[titles.index("Training learns the digits")]
    )
    assert titles[-1] == "okafor_adaeze_hw2%3A 56 of 100 points (adjusted%2C excused)"
    assert lines[-1].endswith("%0A".join(SAID))
    named = lines[titles.index("The ReLU mask is taken from the gradient%2C not from the hidden layer")]
    assert "Fixing it returns 3 points: grad_b1 3." in named


def test_lateness_that_costs_nothing_is_no_warning(ruled):
    """It is told in the notice only."""
    free = replace(ruled, penalty=0.0)
    assert "::warning title=Late" not in to_annotations(free)
    assert "title=Late" in "".join(to_annotations(ruled))


def test_lateness_alone_is_an_adjustment(sample):
    """A score that is not the sum of its checks says so in the notice's title; an excuse changes no points."""
    assert "hw2%3A 59 of 100 points::" in to_annotations(sample)
    assert "hw2%3A 59 of 100 points (adjusted)::" in to_annotations(replace(sample, penalty=1.0))
    assert "hw2%3A 59 of 100 points (excused)::" in to_annotations(replace(sample, excused=True))


# ---------------------------------------------------------------- titles in sentences


@pytest.mark.parametrize("write", [render, to_html])
def test_titles_in_a_list_have_no_full_stops(sample, write):
    """Titles that are sentences are joined without theirs; where a title stands alone it keeps it."""
    checks = tuple(replace(one, title=f"{one.title}.") for one in sample.checks)
    text = write(replace(sample, checks=checks))
    assert "., " not in "".join(line for line in text.splitlines() if "Explains" in line)
    assert "Gradient of W1." in text
    listed = {render: "Explains: Gradient of W1; Gradient of b1"}
    html = '">Gradient of W1</a>; <a href="#check-6">Gradient of b1</a>'
    assert listed.get(write, html) in text


def test_a_ruling_makes_no_report_unreadable(sample):
    """A report with a decision and nothing else is written by every format that people read."""
    bare = Report("a", "a", 0.0, 0.0, "graded", (), (), (), sample.environment, {})
    one = Ruling(Decision(1, "excused", "", 1, "", "", "", ""), "Excused: this does not count", applies=True)
    for write in (render, to_html, to_junit, to_annotations):
        assert "Excused: this does not count" in write(replace(bare, rulings=(one,), excused=True))
