"""A report in every format that people and programs read: each is one function from Report to text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from grader.reports.annotations import to_annotations
from grader.reports.gradescope import to_gradescope
from grader.reports.junit import to_junit
from grader.reports.page import to_html
from grader.reports.read_report_json import from_json
from grader.reports.report_json import to_json
from grader.reports.terminal import render

if TYPE_CHECKING:
    from grader.model import Report

__all__ = ["FORMATS", "Format", "format_named", "from_json", "named"]

T = TypeVar("T")


@dataclass(frozen=True)
class Format:
    """One way to write a report."""

    file_name: str  # what it is called in a submission's folder
    write: Callable[[Report], str]


FORMATS: dict[str, Format] = {
    "json": Format("report.json", to_json),
    "html": Format("report.html", to_html),
    "terminal": Format("report.txt", render),
    "junit": Format("report.xml", to_junit),
    "github": Format("report.github.txt", to_annotations),
    "gradescope": Format("results.json", to_gradescope),
}


def format_named(name: str) -> Format:
    """Return the format of that name.

    Raises ValueError, with the nearest name there is, for a name that is not in `FORMATS`.
    """
    return named(FORMATS, name)


def named(formats: Mapping[str, T], name: str) -> T:
    """Return the one of that name; raise ValueError, with the nearest name there is, where there is none."""
    if name in formats:
        return formats[name]
    near = get_close_matches(name, formats, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, formats))}"
    raise ValueError(f"unknown format {name!r}: {hint}")
