"""What all pages are made with: one template environment, and each page's style, script and security policy."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from grader.disk_cache import ENDING, cache_folder
from grader.records import dataclass
from grader.reports import class_plots, statistics, wording
from grader.text.installed_files import read_installed
from grader.text.phrases import format_points, plural

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment
    from jinja2.bccache import Bucket


@dataclass(frozen=True)
class PageAssets:
    """Style and script stand in the page itself, so that it loads nothing."""

    style: Markup
    script: Markup  # "" for a page without one
    policy: str  # a Content-Security-Policy: the browser uses this style and this script, and nothing else


@cache
def environment() -> Environment:
    """Return the template environment of this process: everything is escaped, and a missing name is an error."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 -- 46 ms `grader check` need not pay

    made = Environment(
        loader=FunctionLoader(_read_template),
        bytecode_cache=_kept_templates(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # A template that changes while submissions run was changed by one of them.
        auto_reload=False,
    )
    made.globals |= {"plural": plural}
    made.filters |= {"points": format_points, "prose": prose, "isolation": wording.isolation, "exact": repr}
    made.filters |= {"meter": class_plots.meter, "stacked": class_plots.stacked, "range": class_plots.range_words}
    made.filters |= {"verdict": statistics.verdict_on}
    return made


def fill_in(template: str, **values: Any) -> str:
    """Return a page: a template with what its names stand for."""
    return environment().get_template(template).render(**values)


def _kept_templates() -> BytecodeCache | None:
    """Return what keeps compiled templates between runs, which take 90 ms; None where nothing is kept.

    Its files are named by a digest of this room, of which a template takes options, filters and constants, and of jinja2.
    """
    from jinja2 import FileSystemBytecodeCache, __version__  # noqa: PLC0415 -- the same

    folder = cache_folder()
    if folder is None:
        return None
    digest = hashlib.sha256(__version__.encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    kept = FileSystemBytecodeCache(str(folder), f"{digest.hexdigest()[:16]}-%s{ENDING}")

    def forgive(method: Callable[[Bucket], None]) -> Callable[[Bucket], None]:
        def call(bucket: Bucket) -> None:
            with suppress(OSError):  # a disk that is full, or where nothing may be opened, costs time, and no report
                method(bucket)

        return call

    for name in ("load_bytecode", "dump_bytecode"):
        setattr(kept, name, forgive(getattr(kept, name)))
    return kept


def _read_template(name: str) -> str:
    return read_installed(Path(__file__).parent / "templates" / name).decode()


@cache
def page_assets(styles: tuple[str, ...], scripts: tuple[str, ...] = (), *, pictures: bool = False) -> PageAssets:
    """Return a page's assets; styles, scripts : names of templates, our own files. pictures : of data that the page holds.

    Should a student's text ever get through as markup, the browser still runs, loads and sends nothing of it.
    """
    style, script = ("\n".join(map(fill_in, names)) for names in (styles, scripts))
    allowed = f"style-src '{_hash(style)}';" + (f" script-src '{_hash(script)}';" if script else "")
    allowed += " img-src data:;" if pictures else ""
    policy = f"default-src 'none'; {allowed} base-uri 'none'; form-action 'none'"
    return PageAssets(Markup(style), Markup(script), policy)  # noqa: S704 -- our own files, with nothing filled in


# How notebooks tell that they are dark or light: JupyterLab and nbconvert, VS Code, Colab.
_DARK = '[data-jp-theme-light="false"], .vscode-dark, .vscode-high-contrast, [theme="dark"]'
_LIGHT = '[data-jp-theme-light="true"], .vscode-light, [theme="light"]'
_OF_PAGE = re.compile(r"^( *)(?::root|html|body) \{", re.MULTILINE)
_DARK_COLOURS = re.compile(r"@media screen and \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}\s*\}", re.DOTALL)


@cache
def output_style() -> Markup:
    """Return the style of a report in a notebook's output: the page's own, which stays inside of it and follows its theme."""
    first, style, last = map(fill_in, ("output.css", "report.css", "output_last.css"))
    dark = _DARK_COLOURS.search(style)
    if dark is None:
        raise ValueError("report.css has no dark colours")
    colours = f"& {{ color-scheme: dark; {dark[1]} }}"
    system = f":root:not(:has({_DARK}, {_LIGHT}), {_DARK}, {_LIGHT}) {colours}"
    themes = f":is({_DARK}) {colours}\n@media screen and (prefers-color-scheme: dark) {{ {system} }}"
    plain = _OF_PAGE.sub(r"\1& {", style.replace(dark[0], "")).replace(
        "color-scheme: light dark;", "color-scheme: light;"
    )
    # Twice the class: a notebook's own rules for tables and headings would come before.
    return Markup(f".grader-check.grader-check {{\n{first}\n{plain}\n{last}\n{themes}\n}}")  # noqa: S704 -- our own files


def _hash(text: str) -> str:
    """Return a text's name in a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def prose(text: str) -> Markup:
    """Turn `backticks` into code, after escaping: what stands inside them is text like the rest."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- escaped in it
