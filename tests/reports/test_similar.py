"""The page of similar submissions as text: what stands in it, that a student's text stays text, and its policy."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from grader.model.similar_programs import Likeness, Pair, Program, Text
from grader.reports.side_by_side import lines_of, split_lines
from grader.reports.similar_page import percent, to_similar
from reports.alike import compared, numbered, passage, program
from reports.factory import report, sheet, student

ATTACKS = [
    "<script>alert(1)</script>",
    "</script></pre></code></style><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)//",
    "a\u202egnp.exe",
    "a\x00b\x1b[31m",
    "a\u2028b\x0cc",
]
VOID = {"meta", "input", "link", "img", "br"}


class Reader(HTMLParser):
    """Collects elements with their attributes and the page's text; every element has to be closed in order."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        """Note an element and its attributes."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """See that it closes the last one opened."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Note the text, but that of style and script."""
        if self.open and self.open[-1] not in {"style", "script"}:
            self.text += f" {data}"


def read(page):
    """Parse a page."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    reader.text = " ".join(reader.text.split())
    return reader


def everywhere(text):
    """Return a class in which a text stands wherever a student may have put one."""
    names = (text, f"{text}2", f"{text}3")
    programs = [Program(name, (Text(text, f"{text}\nx = 1\n"), Text("b", text)), ((0,), (0,))) for name in names]
    pairs = [Pair(a, b, 0.8, (passage((1, 2), (1, 2)),)) for a, b in (names[:2], names[1:])]
    made = compared(*pairs, programs=programs, groups=(names,), left={text: text})
    return made, sheet(report(text), students={text: student(text)}, title=text)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_students_text_stays_text(attack):
    """The elements and the names of their attributes are the same whatever a student wrote, and nothing is unseen."""
    harmless, attacked = (to_similar(*everywhere(text)) for text in ("harmless", attack))
    shape = [(tag, sorted(attrs)) for tag, attrs in read(harmless).tags]
    assert [(tag, sorted(attrs)) for tag, attrs in read(attacked).tags] == shape
    assert all(character.isprintable() or character == "\n" for character in attacked)


def test_the_policy_names_what_stands_in_the_page():
    """Only the style and the script that we wrote may be used, and nothing may be loaded or sent."""
    page = to_similar(compared())
    policy = next(attrs["content"] for tag, attrs in read(page).tags if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode() in policy


@pytest.mark.parametrize("word", ["plagiar", "cheat", "guilt", "copied", "suspect", "offen"])
def test_it_accuses_nobody(word):
    """The page is a place to look: no word of it says more."""
    made, klass = everywhere("x")
    assert word not in read(to_similar(made, klass)).text.lower()
    assert "cannot tell why two programs are alike" in read(to_similar(made)).text


def test_an_empty_class_one_program_and_no_pair():
    """Each says in a sentence why there is nothing to look at; with pairs compared, their distribution stays."""
    nobody = read(to_similar(Likeness({}, (), (), (0,) * 20, 0.0, {"ann": "It holds no program."})))
    assert "No program could be compared" in nobody.text
    assert "ann It holds no program." in nobody.text
    assert "There is only one program" in read(to_similar(compared(others=1))).text
    quiet = read(to_similar(compared(others=5)))
    assert "No pair stands out" in quiet.text
    assert "10% to below 15%: 10 pairs" in quiet.text
    assert "95 of 100 pairs stay below 15%" in quiet.text


def test_the_numbers_of_a_pair():
    """Similarity, passages, lines, the rarest passage, and of each passage where it is and who writes so."""
    pair = Pair("ann", "bob", 0.834, (
        passage((2, 4), (10, 12), owners=7, weight=3.2, same_names=1.0),
        passage((20, 20), (3, 4), owners=2, weight=0.2, same_names=0.0),
    ))  # fmt: skip
    page = read(to_similar(compared(pair, others=410), sheet(report("ann"), students={"ann": student("Ann Berg")})))
    for said in (
        "412 programs compared, 1 pair worth a look",
        "ann Ann Berg and bob 83% 2 passages, 4 lines the rarest: only these two of 412",
        "lines 2 to 4 and lines 10 to 12 7 of 412 write it this way; all chosen names are the same; 3 bits",
        "line 20 and lines 3 to 4 only these two of 412; no chosen name is the same; less than a bit",
        "4 of 40 lines",
        "5 of 40 lines",
    ):
        assert said in page.text
    assert {"submissions/ann/report.html", "index.html"} <= {attrs.get("href") for _, attrs in page.tags}


def test_every_link_inside_the_page_leads_somewhere():
    """Passages, folds, groups and pairs name an id that is there once."""
    names = tuple(f"s{at}" for at in range(16))
    pairs = [Pair(a, b, 0.5, (passage((8, 9), (1, 2)), passage((2, 3), (30, 31)))) for a, b in pairwise(names)]
    page = read(to_similar(compared(*pairs, groups=(names, names[:3]))))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    inside = {attrs["href"][1:] for tag, attrs in page.tags if tag == "a" and attrs["href"].startswith("#")}
    assert inside <= set(ids)
    assert {"pair-1", "s1-2b", "p1t0"} <= inside
    # Sixteen around a circle cannot be read: the larger group is a list alone.
    assert sum(attrs.get("class") == "circle" for _, attrs in page.tags) == 1


def test_programs_stand_once():
    """However many pairs a program is in, its whole text is in the page once."""
    names = [f"s{at:02}" for at in range(21)]
    pairs = [Pair(a, b, 0.5, (passage((60, 61), (60, 61)),)) for a in names for b in names if a < b][:200]
    programs = [program(name, numbered(name, 150)) for name in names]
    page = to_similar(compared(*pairs, programs=programs))
    assert page.count("s00_5 = ") == 1
    assert page.count("s00_60 = ") == 21
    assert page.count('<details class="check pair">') == 200
    assert len(page) < 2_000_000


def test_pairs_that_found_no_room_are_counted():
    """What is not listed is said, and from which similarity a pair is; a group without a listed pair stays."""
    pair = Pair("ann", "bob", 0.9, (passage((1, 2), (1, 2)),))
    made = replace(compared(pair, others=9, groups=(("other_1", "other_2", "other_3"),)), limit=0.4, unlisted=1_200)
    text = read(to_similar(made)).text
    assert "Worth a look from 40% 1,201" in text
    assert "1,200 further pairs are as much alike" in text
    assert "3 programs, 0 listed pairs" in text
    assert "Its listed pairs" not in text
    assert "further" not in read(to_similar(compared(pair))).text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_stretches_lose_no_line(end):
    """Together they are the text, in order; what overlaps is of the first passage, and long parts are folded."""
    source = end.join(f"line {at} \x0c" for at in range(1, 201)) + end
    (lines,) = lines_of(program("x", source))
    spans = [one.first for one in (passage((10, 12), (1, 3)), passage((12, 150), (1, 3)), passage((199, 200), (1, 3)))]
    found = split_lines(0, lines, spans)
    assert len(lines) == 200
    assert [at for one in found for at in range(one.first, one.last + 1)] == list(range(1, 201))
    assert all(one.folded == (one.code == "") for one in found)
    assert [(one.first, one.last, one.passage) for one in found if one.folded] == [
        (1, 6, 0), (53, 110, 2), (154, 195, 0),
    ]  # fmt: skip
    assert [(one.first, one.begins) for one in found if one.begins] == [(10, (1,)), (12, (2,)), (199, (3,))]
    assert found[2].passage == 1


def test_a_percentage_is_all_only_where_it_is():
    """Almost all is not 100 %."""
    assert [percent(share) for share in (0.0, 0.004, 0.5, 0.999, 1.0)] == ["0%", "0%", "50%", "99%", "100%"]


def test_programs_that_are_one_are_listed_with_their_reports():
    """Each group stands under a heading of its own, and each name leads to its report."""
    found = compared(others=3)
    programs = {**found.programs, "other_<1>": found.programs["other_0"]}
    page = to_similar(replace(found, programs=programs, twins=(("other_0", "other_<1>"),)))
    part = page.split('id="twins"', 1)[1].split("</section>", 1)[0]
    assert "2 programs" in part
    assert 'href="submissions/other_0/report.html"' in part
    assert "other_&lt;1&gt;" in part
    assert "apart from those that are the same throughout" in page
    assert 'id="twins"' not in to_similar(compared(others=3))
