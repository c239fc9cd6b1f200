"""What every figure of the report is drawn with: inline SVG, in which every text and attribute is escaped.

Colours are class names that the page's style sheet fills in, so that a figure follows light, dark and print. Every
coordinate is a finite number: a NaN in a path would make the browser drop the rest of it without a word.
"""

import math
from collections.abc import Iterable
from html import escape

from markupsafe import Markup

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def element(tag: str, text: str = "", /, inside: str = "", **attributes: float | str) -> str:
    """Write one SVG element; `text` is escaped, `inside` is finished elements.

    Numbers are written as coordinates, and `class_` stands for class.
    """
    written = "".join(
        [
            f' {name.rstrip("_")}="{escape(value) if isinstance(value, str) else at(value)}"'
            for name, value in attributes.items()
        ]
    )
    return f"<{tag}{written}>{escape(text) if text else ''}{inside}</{tag}>"


def picture(inside: str, **attributes: float | str) -> Markup:
    """Return a whole <svg>, which a page takes as it stands: `element` escapes every text and attribute in it."""
    return Markup(element("svg", inside=inside, **attributes))  # noqa: S704 -- escaped, as it says


def drawing(
    parts: Iterable[str], size: tuple[float, float], key: str, title: str, description: str, **attributes: str
) -> Markup:
    """Put parts into one <svg> with its title and description; `key` makes their ids unique in the page.

    attributes : of the <svg>, in place of its size in pixels and of the role of a picture.
    """
    width, height = at(size[0]), at(size[1])
    inside = element("title", title, id=f"{key}-title") + element("desc", description, id=f"{key}-desc")
    # Names that Python's keywords cannot be.
    names = {"viewBox": f"0 0 {width} {height}", "aria-labelledby": f"{key}-title {key}-desc"}
    shown = attributes or {"width": width, "height": height, "role": "img"}
    return picture(inside + "".join(parts), **shown, **names)


def at(coordinate: float) -> str:
    """Write a coordinate with at most one digit after the point: a tenth of a pixel is not seen."""
    if not math.isfinite(coordinate):
        raise ValueError(f"a coordinate is {coordinate}: only finite numbers are drawn")
    return f"{coordinate:.1f}".removesuffix(".0")


def number(value: float) -> str:
    """Write a number for a reader: three digits, or two and a power of ten."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    if value == 0 or 1e-3 <= abs(value) < 999.5:
        return f"{value:.3g}"
    if abs(value) < 9_999.5 and abs(value) > 1:
        return f"{value:,.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    power = f"10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return (
        power
        if mantissa == "1.0"
        else f"{mantissa.removesuffix('.0')}\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}{power}"
    )


def power_of_ten(logarithm: float) -> str:
    """Write 10**logarithm, of whole and half decades: 1, 3, 10, 30, 100, 300, 10³, 3·10³, ..."""
    whole = math.floor(logarithm)
    factor = "" if logarithm == whole else "3"  # half a decade is 3.16, and everyone writes 3
    if 0 <= whole <= 2:
        return str(int(factor or 1) * 10**whole)
    power = f"10{str(whole).translate(_SUPERSCRIPTS)}"
    return f"{factor}·{power}" if factor else power
