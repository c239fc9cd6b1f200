"""What all pages are made with: one template environment, and each page's style, script and security policy."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from grader.reports import class_plots, wording
from grader.text.phrases import format_points, plural

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class PageAssets:
    """Style and script stand in the page itself, so that it loads nothing."""

    style: Markup
    script: Markup  # "" for a page without one
    policy: str  # a Content-Security-Policy: the browser uses this style and this script, and nothing else


@cache
def environment() -> Environment:
    """Return the template environment of this process: everything is escaped, and a missing name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 -- 46 ms `grader check` need not pay

    made = Environment(
        loader=PackageLoader("grader.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # A template that changes while submissions run was changed by one of them.
        auto_reload=False,
    )
    made.globals |= {"plural": plural}
    made.filters |= {"points": format_points, "prose": prose, "isolation": wording.isolation, "meter": meter}
    return made


@cache
def page_assets(styles: tuple[str, ...], scripts: tuple[str, ...] = ()) -> PageAssets:
    """Return a page's assets; styles, scripts : names of templates, our own files.

    Should a student's text ever get through as markup, the browser still runs, loads and sends nothing of it.
    """
    style, script = (
        "\n".join(environment().get_template(name).render() for name in names) for names in (styles, scripts)
    )
    allowed = f"style-src '{_hash(style)}';" + (f" script-src '{_hash(script)}';" if script else "")
    policy = f"default-src 'none'; {allowed} base-uri 'none'; form-action 'none'"
    return PageAssets(Markup(style), Markup(script), policy)  # noqa: S704 -- our own files, with nothing filled in


def _hash(text: str) -> str:
    """Return a text's name in a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def meter(score: float, max_score: float) -> Markup:
    """Return a score as a bar, for two of the pages."""
    return Markup(class_plots.meter(score, max_score))  # noqa: S704 -- `element` escapes every text and attribute


def prose(text: str) -> Markup:
    """Turn `backticks` into code, after escaping: what stands inside them is text like the rest."""
    escaped = str(escape(text))
    if "`" not in escaped:
        return Markup(escaped)  # noqa: S704 -- escaped one line above
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escaped))  # noqa: S704 -- escaped above
