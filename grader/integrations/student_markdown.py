"""A student's Markdown as HTML that runs and loads nothing: raw HTML is shown as text, and formulas are MathML."""

import base64
import re
from binascii import Error as NotBase64Error
from collections.abc import Mapping
from html import escape, unescape
from typing import Any

from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

# In the order in which one of several forms of a picture is chosen. An SVG in <img> runs no script and loads nothing.
PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif")
LARGEST_PICTURE = 2**21  # characters: more is a photograph
_SCROLLED = '<span class="scrolled" tabindex="0" role="group" aria-label="A {}">'
_HELD = re.compile(r"data:(image/[a-z+]+);base64,([A-Za-z0-9+/=]+)")  # a picture within its own address
_LINK = re.compile(r"(?:https?://|mailto:)[^\s\"'<>]*", re.IGNORECASE)
_TAGS = re.compile(
    "math|mrow|mi|mn|mo|mtext|mspace|msub|msup|msubsup|munder|mover|munderover|mfrac|msqrt|mroot|mtable|mtr|mtd|mstyle|mpadded"
)
_ATTRIBUTES = {
    "display", "stretchy", "width", "mathvariant", "linethickness", "columnalign", "displaystyle", "fence", "accent",
}  # fmt: skip


def to_html(text: str, attachments: Any = None) -> Markup:
    """Return a Markdown cell as HTML. attachments : as the notebook holds them, {name: {type: base64}}, of pictures alone."""
    renderer = _Renderer(attachments=attachments if isinstance(attachments, dict) else {})
    return Markup(MarkdownWithMath(renderer=renderer).render(text))  # noqa: S704 -- the renderer escapes all


def picture(bundle: Any) -> str:
    """Return the address of a picture out of {type: data}, with its data inside; "" where there is none."""
    for kind in PICTURES if isinstance(bundle, Mapping) else ():
        data = bundle.get(kind)
        text = "".join(map(str, data)) if isinstance(data, list) else data
        if isinstance(text, str) and 0 < len(text) <= LARGEST_PICTURE:
            if text.lstrip().startswith("<"):  # an SVG in an output is text
                text = base64.b64encode(text.encode("utf-8", "replace")).decode()
            try:
                base64.b64decode(text := re.sub(r"\s", "", text), validate=True)
            except (NotBase64Error, ValueError):
                continue
            return f"data:{kind};base64,{text}"
    return ""


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, without what trusts its text: it passes on HTML, Mermaid and any address."""

    def __init__(self, attachments: Mapping[str, Any]) -> None:
        super().__init__(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
        self._pictures = {name: picture(bundle) for name, bundle in attachments.items()}

    def block_code(self, code: str, info: str | None = None) -> str:
        del info
        return f'<pre tabindex="0" role="group" aria-label="Code in a text"><code>{escape(code)}</code></pre>\n'

    def block_html(self, html: str) -> str:
        return f"<p>{escape(html)}</p>\n"

    def inline_html(self, html: str) -> str:
        return "<br>" if html.lower().replace(" ", "") in {"<br>", "<br/>"} else escape(html)

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        del attrs  # ids, which are the page's own
        return f"<h{min(level + 1, 6)}>{text}</h{min(level + 1, 6)}>\n"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        del title
        return f'<a href="{escape(url)}" rel="noreferrer">{text}</a>' if _LINK.fullmatch(url) else text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        del title
        held = _HELD.fullmatch(unescape(url))
        source = picture({held[1]: held[2]}) if held else self._pictures.get(url.removeprefix("attachment:"), "")
        alt = escape(unescape(re.sub(r"<[^>]*>", "", text)))
        return f'<img src="{source}" alt="{alt or "a picture"}">' if source else f"[picture: {alt}]"

    def table(self, text: str) -> str:
        return f"{_SCROLLED.format('table')}<table>{text}</table></span>\n"

    def inline_math(self, body: str) -> str:
        return _to_mathml(body, "inline")

    def block_math(self, body: str) -> str:
        return f"{_SCROLLED.format('formula')}{_to_mathml(body, 'block')}</span>"

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")


def _to_mathml(formula: str, display: str) -> str:
    """Return a formula as MathML, or as its text where it cannot be read."""
    try:
        # JupyterLab imports every exporter to list it, and a student's has no such library: the formula stays as it is written.
        from latex2mathml.converter import convert_to_element  # noqa: PLC0415 -- an extra

        # A backslash before a line's end is a space; the library takes both for a name.
        return _write_mathml(convert_to_element(formula.replace("\\\n", "\\ "), display=display))
    except Exception:  # noqa: BLE001 -- its errors have no common class, and a formula that it cannot read is the student's own text
        return f"<code>{escape(formula)}</code>"


def _write_mathml(element: Any) -> str:
    """Write an element of MathML; latex2mathml's own writer escapes nothing."""
    text = re.sub(r"^\\(?=[A-Za-z])", "", element.text or "")  # the name of a function that the library does not know
    inside = escape(unescape(text)) + "".join(map(_write_mathml, element))
    if not _TAGS.fullmatch(element.tag):
        return inside
    given = "".join(f' {name}="{escape(value)}"' for name, value in element.items() if name in _ATTRIBUTES)
    return f"<{element.tag}{given}>{inside}</{element.tag}>"
