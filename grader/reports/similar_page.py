"""The page of similar submissions: pairs of programs to look at side by side, for whoever grades, and never a verdict.

Like the class page it loads nothing, sends nothing and reads without its script.
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from grader.model import Sheet, Student
from grader.model.similar_programs import Likeness, Pair, Passage, Program, Span
from grader.reports import class_plots
from grader.reports.page_assets import fill_in, page_assets
from grader.reports.side_by_side import Lines, lines_of, shared_lines, split_lines
from grader.text.phrases import plural
from grader.text.sanitise import one_line, plain_text

DRAWN = 15  # members of a group whose names still find room around a circle


def to_similar(likeness: Likeness, sheet: Sheet | None = None) -> str:
    """Write the page of similar submissions as one self-contained HTML page: the same records give the same text.

    sheet : the class that they are of; its students' names then stand beside the submissions'.
    """
    students = {one.report.submission: one.student for one in sheet.standings if one.student} if sheet else {}
    who = {name: _who(name, students, likeness) for name in {*likeness.programs, *likeness.left}}
    paired = sorted({name for pair in likeness.pairs for name in (pair.first, pair.second)})
    lines = {name: lines_of(likeness.programs[name]) for name in paired}
    numbers = {name: number for number, name in enumerate(paired, 1)}
    whole = sum(likeness.spread)
    return fill_in(
        "similar.html.j2",
        title=one_line(sheet.title) if sheet else "",
        of=compared_of(sheet) if sheet else "",
        in_class=sheet is not None,
        compared=len(likeness.programs),
        outside=len(likeness.outside & likeness.programs.keys()),
        whole=whole,
        usual=percent(likeness.usual),
        limit=percent(likeness.limit) if likeness.limit < 1 else "",
        unlisted=likeness.unlisted,
        highest=percent(likeness.pairs[0].similarity) if likeness.pairs else "",
        plot=class_plots.spread(likeness.spread, likeness.usual) if whole else "",
        bins=[(class_plots.twentieth(at), count) for at, count in enumerate(likeness.spread) if count],
        twins=[[who[name] for name in names] for names in likeness.twins],
        groups=[_group(number, group, likeness, who) for number, group in enumerate(likeness.groups, 1)],
        pairs=[_pair(number, pair, likeness, lines, numbers, who) for number, pair in enumerate(likeness.pairs, 1)],
        programs=[
            {**who[name], "number": number, "texts": _texts(likeness.programs[name], lines[name])}
            for name, number in numbers.items()
        ],
        left=[{**who[name], "why": plain_text(likeness.left[name], limit=1_000)} for name in sorted(likeness.left)],
        assets=page_assets(("report.css", "index.css", "similar.css"), ("similar.js", "find.js")),
    )


def compared_of(sheet: Sheet) -> str:
    """Return what a page says of the hand-ins that it compared: with a later one among them it is another."""
    handed_in = [
        (one.report.submission, one.report.environment.versions.get("submission", "")) for one in sheet.standings
    ]
    return hashlib.sha256(repr(sorted(handed_in)).encode("utf-8", "replace")).hexdigest()[:16]


def percent(share: float) -> str:
    """Write a share of 0..1 as a whole percentage; only what is all of it is 100 %."""
    return f"{100 if share >= 1 else min(round(100 * share), 99)}%"


def _who(name: str, students: Mapping[str, Student], likeness: Likeness) -> dict[str, str]:
    """Return what stands for a program; one from outside the class has no report."""
    student, outside = students.get(name), name in likeness.outside
    return {
        "name": one_line(name),
        "href": "" if outside else quote(f"submissions/{name}/report.html", errors="replace"),
        "student": "not of this class" if outside else one_line(student.name) if student else "",
    }


def _pair(
    number: int,
    pair: Pair,
    likeness: Likeness,
    lines: Mapping[str, tuple[Lines, ...]],
    numbers: Mapping[str, int],
    who: Mapping[str, dict[str, str]],
) -> dict[str, Any]:
    """Return what the list says of a pair, and its two sides."""
    total = len(likeness.programs)
    names = (pair.first, pair.second)
    spans = ([one.first for one in pair.passages], [one.second for one in pair.passages])
    programs = [likeness.programs[name] for name in names]
    rarest = min((one.owners for one in pair.passages), default=0)
    return {
        "number": number,
        "who": [who[name] for name in names],
        "similarity": percent(pair.similarity),
        "share": pair.similarity,
        "lines": min(map(shared_lines, spans)),
        "rarest": f"the rarest: {_owners(rarest, total)}" if rarest else "",
        "passages": [
            _passage(at, passage, programs[0], programs[1], total) for at, passage in enumerate(pair.passages, 1)
        ],
        "sides": [
            {
                **who[name],
                "letter": letter,
                "other": other,
                "program": numbers[name],
                "shared": shared_lines(side),
                "of": sum(map(len, lines[name])),
                "texts": [
                    (label, at, split_lines(at, own, side)) for at, label, own in _texts(program, lines[name]) if own
                ],
            }
            for name, program, side, letter, other in zip(names, programs, spans, "ab", "ba", strict=True)
        ],
    }


def _texts(program: Program, lines: tuple[Lines, ...]) -> list[tuple[int, str, Lines]]:
    """Return each text's position, label and lines."""
    return [(at, one_line(text.label), own) for at, (text, own) in enumerate(zip(program.texts, lines, strict=True))]


def _passage(number: int, passage: Passage, first: Program, second: Program, total: int) -> dict[str, Any]:
    same = passage.same_names
    names = (
        "all chosen names are the same" if same >= 1 else
        "no chosen name is the same" if same <= 0 else
        f"{percent(same)} of the chosen names are the same"
    )  # fmt: skip
    bits = plural(round(passage.weight), "bit") if passage.weight >= 0.5 else "less than a bit"
    return {
        "number": number,
        "first": _where(passage.first, first),
        "second": _where(passage.second, second),
        "facts": f"{_owners(passage.owners, total)}; {names}; {bits}",
    }


def _where(span: Span, program: Program) -> str:
    numbers = f"line {span.first}" if span.first == span.last else f"lines {span.first} to {span.last}"
    return numbers if len(program.texts) == 1 else f"{one_line(program.texts[span.text].label)}, {numbers}"


def _owners(owners: int, total: int) -> str:
    """Return how many of the class write it this way."""
    return f"only these two of {total:,}" if owners <= 2 else f"{owners:,} of {total:,} write it this way"


def _group(
    number: int, group: tuple[str, ...], likeness: Likeness, who: Mapping[str, dict[str, str]]
) -> dict[str, Any]:
    """Return a group's members and links, and its picture where there is room for one."""
    place = {name: at for at, name in enumerate(group)}
    links = [
        class_plots.Link(place[pair.first], place[pair.second], pair.similarity, at)
        for at, pair in enumerate(likeness.pairs, 1)
        if pair.first in place and pair.second in place
    ]
    names = [who[name]["name"] for name in group]
    return {
        "number": number,
        "members": [who[name] for name in group],
        "links": [(f"{names[one.first]} and {names[one.second]}", percent(one.similarity), one.pair) for one in links],
        "plot": class_plots.circle(names, links, f"group-{number}") if len(group) <= DRAWN else "",
    }
