"""The class page as text: what stands in it, that no text of a student's becomes markup, and its policy."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from grader.reports.class_page import to_index
from reports.factory import mistake, report, ruling, sheet, student

ATTACKS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "`<b>code</b>`",
    '=HYPERLINK("https://evil.example")',
    "javascript:alert(1)//",
    "a\u202egnp.exe",
    "a\x00b\x1b[31m",
]
# Each is a part of a tag: nothing closes what it opened.
VOID = {"meta", "input", "link", "img", "br"}


class Reader(HTMLParser):
    """Collects elements with their attributes, and the text in each kind of element."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        """Note an element and its attributes."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """See that it closes the last one opened."""
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        """Note a text and where it stands."""
        self.texts.append((self.open[-1] if self.open else "", data))


def read(page):
    """Parse a page; every element is closed in order."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def text_of(page):
    """Return a page's text, its style and script left out, with single spaces."""
    words = " ".join(data for tag, data in read(page).texts if tag not in {"style", "script"}).split()
    return re.sub(r" ([,;:])", r"\1", " ".join(words))


def everywhere(text):
    """Return a class in which a text stands wherever a student or a platform may have put one."""
    person = student(text, login=text, email=f"{text}@x", section=text, github=text)
    diagnosis = replace(mistake("half", text, loss=5.0), hint=text)
    decided = ruling("points", 5.0, "loss", comment=text)
    decided = replace(decided, decision=replace(decided.decision, by=text), effect=text)
    good = report(
        text, {"loss": 5.0}, diagnoses=[diagnosis], notes=[text], adjusted={"loss": 0.0},
        rulings=[decided, replace(decided, applies=False)],
    )  # fmt: skip
    named = replace(good, review=(text,), checks=(replace(good.checks[0], title=text, message=text), *good.checks[1:]))
    failed = report(f"{text}2", status="failed_to_load", notes=[text])
    return sheet(named, failed, students={text: person}, missing=[person], title=text)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_students_text_stays_text(attack):
    """The elements of the page and the names of their attributes are the same, whatever a student wrote."""
    harmless, attacked = (read(to_index(replace(everywhere(text), notes=(text,)))) for text in ("harmless", attack))
    shape = [(tag, sorted(attrs)) for tag, attrs in harmless.tags if tag != "code"]
    assert [(tag, sorted(attrs)) for tag, attrs in attacked.tags if tag != "code"] == shape
    assert not any(name.startswith("on") or name == "style" for _, attrs in attacked.tags for name in attrs)


@pytest.mark.parametrize("attack", ATTACKS)
def test_unseen_characters_are_written_out(attack):
    """Nothing turns the direction of the text or hides in it: not in the text, not in an attribute."""
    page = to_index(replace(everywhere(attack), notes=(attack,)))
    assert all(character.isprintable() or character == "\n" for character in page)
    if "\u202e" in attack:
        assert "a\\u202egnp.exe" in text_of(page)


def test_links_lead_to_reports():
    """Each submission's name is a link to its report, with characters of an address written as part of a path."""
    for name, written in (
        ("a b#c?d%", "a%20b%23c%3Fd%25"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ('"><script>', "%22%3E%3Cscript%3E"),
        ("\ud800", "%3F"),
    ):
        links = [
            attrs["href"] for tag, attrs in read(to_index(sheet(report(name)))).tags if tag == "a" and "href" in attrs
        ]
        assert [link for link in links if not link.startswith("#")] == [f"submissions/{written}/report.html"]


def test_the_policy_names_what_stands_in_the_page():
    """Only the style and the script that we wrote may run, and nothing may be loaded or sent."""
    page = to_index(everywhere("x"))
    policy = next(attrs["content"] for tag, attrs in read(page).tags if attrs.get("http-equiv"))
    for tag in ("style", "script"):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("base-uri 'none'; form-action 'none'")
    assert "unsafe" not in policy
    loaders = {"src", "srcset", "action", "data", "poster", "background", "xlink:href"}
    assert not any(loaders & set(attrs) for _, attrs in read(page).tags)


def test_the_same_sheet_gives_the_same_bytes():
    """Nothing of the moment or of a set's order is in the page; a report's timing neither."""
    made = everywhere("x")
    later = replace(
        made, standings=tuple(replace(one, report=replace(one.report, timing={"run": 9.0})) for one in made.standings)
    )
    assert to_index(made) == to_index(everywhere("x")) == to_index(later)


def test_the_headline_counts_everyone_once():
    """Graded, not graded, excused and missing are told apart, and the page says who does not count."""
    made = sheet(
        *(report(f"s{at}", {"loss": 2.0 * at}) for at in range(5)),
        report("t", {"loss": 0.0, "scores": 0.0}, excused=True),
        report("u", status="failed_to_load", notes=["Line 3 does not parse."]),
        missing=[student("Absent, Ann", login="ann1"), student("Gone, Gus")],
    )
    text = text_of(to_index(made))
    assert "7 submissions: 5 graded, 1 could not be graded, 1 excused; 2 on the roster without a submission" in text
    assert "Mean 84 Median 84 Quartiles 82 and 86 Lowest, highest 80 and 88 Full marks 0 of 5" in text
    assert (
        "All statistics cover the 5 submissions that were graded: those that could not be graded and those that were excused do not count"
        in text
    )
    assert "On the roster, without a submission (2) Absent, Ann ann1 Gone, Gus" in text
    assert "u The submission could not be loaded Line 3 does not parse." in text


def test_without_a_roster_nobody_is_a_stranger():
    """Where nothing is known of students, the page has no column for them and misses none."""
    text = text_of(to_index(sheet(report("a"))))
    assert "roster" not in text
    assert "Student" not in text
    text = text_of(to_index(sheet(report("a"), report("b"), students={"a": student("Ann")})))
    assert "without a student on the roster (1) b" in text


def test_a_row_tells_what_people_decided():
    """Late days, deduction, changed points with their reason, and decisions that were overtaken stand in the row."""
    rulings = [
        ruling("points", 15.0, "loss", comment="right by another formula"),
        replace(ruling("points", 3.0, "predict", number=2), applies=False, effect="Replaced by decision 3."),
    ]
    made = sheet(
        report("a", {"loss": 15.0}, adjusted={"loss": 5.0}, rulings=rulings, late_days=2.0, penalty=7.5),
        report("b", status="failed_to_load", notes=["No."]),
    )
    text = text_of(to_index(made))
    assert (
        "a 87.5 / 100 graded 2 days, \u22127.5 loss 5 → 15 right by another formula (teacher) Replaced by decision 3."
        in text
    )
    assert "Late" not in text_of(to_index(sheet(report("b"))))


def test_mistakes_open_on_who_made_them():
    """A mistake's line has its count and its points, and inside are the names and what it explains."""
    half = mistake("half", "Half of it.", loss=5.0)
    text = text_of(to_index(sheet(report("a", diagnoses=[half]), report("b", diagnoses=[half], excused=True))))
    assert (
        "Half of it. 1 submission \u22125 points Look at it again. Explains: The loss is softmax cross-entropy a b excused: does not count"
        in text
    )


def test_a_check_says_how_it_separates():
    """The statistic is named, its number stands beside its words, and a hidden check is marked."""
    made = sheet(*(report(f"s{at}", {"loss": 20.0 * (at % 2), "predict": 10.0 * (at % 2)}) for at in range(10)))
    text = text_of(to_index(made))
    assert "cross-entropy loss 50% 5 did not 10 of 20 +1.00 separates well" in text
    assert "Scores are those of a two-layer net scores 100% 0 of 20 not known: all have the same result" in text
    assert "grad_hidden hidden 100%" in text
    assert "corrected item-total correlation" in text
    assert "With 10 submissions, chance alone" in text


def test_an_empty_class_and_one_that_nobody_passed_have_a_page():
    """Without submissions, or with none that counts, the page says so and has no empty tables."""
    assert "Nothing was handed in." in text_of(to_index(sheet(missing=[student("Ann")])))
    page = to_index(sheet(report("a", status="grader_error", notes=["It broke."])))
    assert "No submission counts" in text_of(page)
    assert "histogram" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_what_a_person_should_look_at_is_listed():
    """Each name leads to its report, with whose it is; without any there is no such list."""
    odd = replace(report("odd"), review=("Its loss has no name.", "Its gradients are right for it."))
    page = to_index(sheet(odd, report("even"), students={"odd": student("Ann Doe")}))
    assert "To look at 1" in text_of(page)
    link = '<li><a href="submissions/odd/report.html">Ann Doe</a> <span class="whose">odd</span>: Its loss has no name.'
    assert f"{link} Its gradients are right for it.</li>" in page
    assert "To look at" not in to_index(sheet(report("even")))


def test_many_failures_are_folded():
    """Ten that could not be graded are seen at once; the others are one step away."""
    made = sheet(*(report(f"s{at:02}", status="failed_to_load", notes=[f"Reason {at}."]) for at in range(13)))
    page = to_index(made)
    assert "<summary>3 more</summary>" in page
    assert page.index("Reason 9.") < page.index("3 more") < page.index("Reason 10.")


def test_the_page_names_python_and_numpy():
    """Both decide grades: where a class was graded under several, it says how many under each."""
    one, other, third = (
        replace(made, environment=replace(made.environment, versions={"python": "3.12.1", "numpy": numpy}))
        for made, numpy in zip((report("a"), report("b"), report("c")), ("2.4.6", "1.26.4", "2.4.6"), strict=True)
    )
    assert "<p>Python 3.12.1, numpy 2.4.6</p>" in to_index(sheet(one, third))
    both = to_index(sheet(one, other, third))
    assert "<p>Python 3.12.1, numpy 2.4.6: 2 submissions</p>" in both
    assert "<p>Python 3.12.1, numpy 1.26.4: 1 submission</p>" in both
