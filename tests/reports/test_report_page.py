"""The page: what stands where, for eyes, paper and screen readers."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise

import numpy as np
import pytest

from grader.model import HeatMap
from grader.reports import page, wording
from grader.text.phrases import format_points
from grader.text.sanitise import sanitise_report
from reports.written import to_html

STYLE = resources.files("grader.reports").joinpath("templates/report.css").read_text(encoding="utf-8")


class _Outline(HTMLParser):
    """Headings, details, ids, links and tables of a page."""

    def __init__(self):
        super().__init__()
        self.headings, self.open, self.closed, self.ids, self.links, self.scopes, self.tags = (
            [],
            [],
            [],
            [],
            [],
            [],
            set(),
        )

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.add(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "details":
            (self.open if "open" in attributes else self.closed).append(attributes["id"])
        if tag == "th":
            self.scopes.append(attributes.get("scope"))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.links += [attributes[name] for name in ("href", "src", "action", "xlink:href") if name in attributes]


def outline(report):
    """Parse a report's page."""
    parser = _Outline()
    parser.feed(to_html(report))
    return parser


def test_headings_go_down_one_level_at_a_time(sample, unloadable):
    """A screen reader's outline has one h1 and no gap."""
    for report in (sample, unloadable):
        levels = outline(report).headings
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_ids_are_unique_and_every_link_leads_somewhere(sample):
    """All links stay in the page, and none is dead."""
    page = outline(sample)
    assert len(page.ids) == len(set(page.ids))
    assert page.links
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)


def test_the_page_needs_no_script_and_loads_nothing(sample):
    """One file: no script, link, image, frame or form, and a policy that forbids them all the same."""
    html = to_html(sample)
    assert not outline(sample).tags & {"script", "link", "img", "iframe", "form", "object", "embed", "base"}
    assert "default-src &#39;none&#39;" in html
    assert "://" not in html
    assert "@import" not in STYLE
    assert set(re.findall(r"url\(([^)]*)\)", html)) == {"#slant", "#not-finite"}


def test_what_cost_points_is_open_and_comes_first(sample):
    """Failed, partly passed and skipped checks are open, passed ones closed, in that order in each group."""
    page = outline(replace(sample, steps=()))
    names = {f"check-{index}": check for index, check in enumerate(sample.checks, 1)}
    assert {names[one].status for one in page.open} == {"failed", "partial", "skipped"}
    assert {names[one].status for one in page.closed} == {"passed"}
    for section in wording.sections(sample):
        order = [["failed", "partial", "skipped", "passed"].index(verdict.status) for verdict in section.verdicts]
        assert order == sorted(order)


def test_table_heads_have_scopes(sample):
    """Each head of the points table says what it heads."""
    assert outline(replace(sample, steps=())).scopes == ["col", "col", "col", "row", "row", "row", "row", "row"]


def test_all_that_a_student_needs_is_said(sample):
    """Score, groups, verdicts in words, the named mistake, lines with numbers, notes, isolation and timing."""
    html = to_html(sample)
    for text in [
        "<b>59</b><span> of 100 points",
        "<title>okafor_adaeze_hw2: 59 of 100</title>",
        "7 passed, 1 partly passed, 5 failed, 1 not judged",
        "The mistake, named",
        "The ReLU mask is taken from the gradient, not from the hidden layer",
        "CS231n notes, Optimization 2",
        '<span class="number">48</span>    dh[dh &lt;= 0] = 0',
        '<span class="tag">hidden check</span>',
        "<code>predict</code> raised ValueError",
        "None of these costs points.",
        "Run in a separate process with resource limits: not isolated; the kernel lock-down was not in force.",
        "<dt>numpy</dt><dd>2.4.6</dd>",
        "<dt>run</dt><dd>0.412 s</dd>",
    ]:
        assert text in html, text


def test_a_submission_that_was_not_graded_gets_a_banner(unloadable):
    """The reason stands once, large, and no wall of skipped checks follows."""
    html = to_html(unloadable)
    assert "The submission could not be loaded" in html
    assert html.count("is Python 2.") == 1
    assert "None of the 14 checks could be run." in html
    assert "Gradient of W1" not in html
    assert "Three cells were not run" in html


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("no_submission", "Nothing was found to grade"),
        ("failed_to_load", "The submission could not be loaded"),
        ("grader_error", "This says nothing about the submission"),
    ],
)
def test_every_status_has_its_banner(unloadable, status, said):
    """Each way of not being graded is named, even where no reason was recorded."""
    assert said in to_html(replace(unloadable, status=status, checks=()))
    assert "No reason was recorded." in to_html(replace(unloadable, status=status, checks=(), notes=()))


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (("process", "rlimits"),
         "Run in a separate process with resource limits: not isolated; the kernel lock-down was not in force."),
        (("process",),
         "Run in a separate process: not isolated; the kernel lock-down was not in force."),
        (("process", "landlock", "seccomp"),
         "Run in a separate process; the kernel's lock-down of files (Landlock) and system calls (seccomp) was in force."),
        (("process", "seccomp"),
         "Run in a separate process; of the kernel lock-down only that of system calls (seccomp) was in force."),
        (("process", "moat", "uid"),
         "Run in a separate process: not isolated; the kernel lock-down was not in force. Further layers: moat, an account of its own."),
        (("rlimits",),
         "Run inside the grader's own process: not isolated, with resource limits; the kernel lock-down was not in force."),
        ((), "Not run."),
    ],
)  # fmt: skip
def test_isolation_is_said_in_words(layers, said):
    """Whoever reads it knows what stood around the code; an unknown layer is named as it is."""
    assert wording.isolation(layers) == said


@pytest.mark.parametrize(
    ("value", "text"), [(8, "8"), (59.5, "59.5"), (1 / 3, "0.33"), (100, "100"), (0, "0"), (10.0, "10")]
)
def test_points_have_no_idle_digits(value, text):
    """100 stays 100, and 59.50 is 59.5."""
    assert format_points(value) == text


def test_a_report_without_points_or_checks_is_a_page_too(sample):
    """Zero points in a group, and no checks at all, divide by nothing."""
    free = tuple(replace(check, points=0, max_points=0) for check in sample.checks)
    assert "Gradient of W1" in to_html(replace(sample, checks=free, score=0, max_score=0))
    assert "okafor" in to_html(replace(sample, checks=(), diagnoses=(), notes=(), timing={}))


def _luminance(colour):
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def _contrast(one, other):
    """Contrast of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _schemes():
    light, dark = re.findall(r":root \{([^}]*--paper: #[0-9a-f]{6}[^}]*)\}", STYLE)[:2]
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in (light, dark)]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_enough(scheme):
    """Text reaches AA (4.5) on each ground that it stands on; lines of curves reach 3; shades are in order."""
    colours = _schemes()[scheme]
    grounds = {
        "ink": ["paper", "card", "soft", "named", "named-line", "alarm"],
        "muted": ["paper", "card", "soft", "named", "alarm"],
        "link": ["paper", "card", "named"],
        "good": ["card"], "bad": ["card", "alarm"], "skip": ["card"], "carry": ["card"], "warn": ["card", "named"],
    }  # fmt: skip
    for text, on in grounds.items():
        for ground in on:
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for line in ("s0", "s1", "s2", "s3", "good-bar", "carry-bar"):
        assert _contrast(colours[line], colours["card"]) >= 3, line
    from_ground = [_contrast(colours[f"h{shade}"], colours["card"]) for shade in range(7)]
    assert from_ground == sorted(from_ground)


def test_a_page_is_small(sample):
    """The richest report is about 50 kB: a class of 300 fits in an e-mail."""
    assert len(to_html(sample).encode()) < 70_000
    big = HeatMap("W1", 10.0 ** np.random.default_rng(1).uniform(-1, 7, (64, 50)), (0, 0))
    checks = (replace(sample.checks[4], figures=(big, big, big, big)),)
    assert len(to_html(replace(sample, checks=checks)).encode()) < 150_000


def test_what_is_remembered_of_one_page_is_not_told_on_another(sample):
    """Checks and bars are written once for a class; each difference between two checks must show all the same."""
    first = next(verdict for verdict in sample.checks if not verdict.hidden)
    plain = replace(first, message="as asked", places=(), figures=())
    changes = [
        {"title": "Another <title>"},
        {"status": "partial", "points": 0.25},
        {"points": 0.125},
        {"max_points": 77.0},
        {"message": "another `message`"},
        {"hidden": True},
        {"adjusted_from": 0.75},
        {"id": "another"},
    ]
    for change in changes:
        before = to_html(replace(sample, checks=(plain,)))
        warm = to_html(replace(sample, checks=(replace(plain, **change),)))
        page._in_words.cache_clear()
        page._bar.cache_clear()
        assert warm == to_html(replace(sample, checks=(replace(plain, **change),))), change
        other = replace(plain, **change)
        shown = page.check(other, "a") != page.check(plain, "a")
        assert shown is ("id" not in change), change
        assert (warm != before) is shown, change


def test_a_report_is_made_readable_once_for_all_its_formats(sample):
    """The last report is known again; another one that equals it, or differs, is read anew."""
    report = replace(sample, submission="one")
    assert sanitise_report(report) is sanitise_report(report)
    assert sanitise_report(replace(report, submission="two\x1b")).submission == "two\\u001b"
    assert sanitise_report(report).submission == "one"
    again = replace(report)
    assert sanitise_report(again) is not sanitise_report(report)
