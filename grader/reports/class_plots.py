"""The class page's pictures: inline SVG, written as the report's figures are.

The histogram's bars become links once the page's script runs; until then they are a picture with a title.
"""

import math
from collections.abc import Sequence
from html import escape

from markupsafe import Markup

from grader.records import dataclass
from grader.reports import wording
from grader.reports.figures import at, drawing, element, picture
from grader.reports.statistics import Bar, Summary
from grader.text.phrases import format_points, plural

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, FLOOR = 8, 8, 28, HEIGHT - 44
GAP = 3  # between bars
BAND = 9  # height of the quartiles' band
ROUND, RADIUS = 440, 108  # width of a group's picture, and of its circle
NAME = 15  # characters of a name beside a circle


@dataclass(frozen=True)
class Link:
    """Two members of a group whose programs are a pair."""

    first: int  # positions in the group
    second: int
    similarity: float  # 0..1
    pair: int  # its number in the page


def histogram(bars: Sequence[Bar], summary: Summary, max_score: float) -> Markup:
    """Draw how the scores lie: a bar for each range, the median as a line, the middle half as a band below."""
    most = max(bar.count for bar in bars)
    parts = [_bar(bar, index, len(bars), most) for index, bar in enumerate(bars)]
    parts += [_axis(), _ticks(bars, max_score), _middle(summary, max_score)]
    held = "; ".join(f"{range_words(bar)}: {bar.count}" for bar in bars if bar.count)
    told = f"Submissions by points. {held}. The median is {format_points(summary.median)}."
    shown = {"role": "group", "class_": "histogram"}
    return drawing(parts, (WIDTH, HEIGHT), "scores", "Distribution of scores", told, **shown)


def range_words(bar: Bar) -> str:
    """Return in words which scores a bar holds."""
    if bar.low is None:
        return f"below {format_points(bar.high or 0.0)}"
    return f"{format_points(bar.low)} or more" if bar.high is None else f"{edges(bar)}"


def edges(bar: Bar) -> str:
    """Write a bar's limits, both of them there."""
    return f"{format_points(bar.low or 0.0)} to below {format_points(bar.high or 0.0)}"


def _bar(bar: Bar, index: int, of: int, most: int) -> str:
    # A single one among a thousand is still to be seen.
    height = max((FLOOR - TOP) * bar.count / most, 2.0) if bar.count else 0.0
    label = f"{range_words(bar)} points: {plural(bar.count, 'submission')}"
    column = _column(index, of, height, label, str(bar.count or ""))
    if not bar.count:
        return element("g", inside=column)
    limits = {"data-from": _limit(bar.low), "data-below": _limit(bar.high)}
    return element("a", inside=column, class_="bar", **limits)


def _column(index: int, of: int, height: float, label: str, written: str) -> str:
    """Draw one of several columns; label : what it says to the pointer. written : above it."""
    width = (WIDTH - LEFT - RIGHT) / of
    x = LEFT + index * width
    parts = element("title", label)
    # The whole column answers to the pointer, however low its bar.
    parts += element("rect", x=x, y=TOP - 20, width=width, height=FLOOR - TOP + 20, class_="hit")
    parts += element("rect", x=x + GAP / 2, y=FLOOR - height, width=width - GAP, height=height, rx=2.0, class_="column")
    return parts + element("text", written, x=x + width / 2, y=FLOOR - height - 6, class_="middle count")


def _axis() -> str:
    return element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=FLOOR, y2=FLOOR, class_="axisline")


def _limit(limit: float | None) -> str:
    return "" if limit is None else format_points(limit)


def _ticks(bars: Sequence[Bar], max_score: float) -> str:
    limits = [0.0, *(bar.high for bar in bars if bar.high is not None), max_score]
    return "".join(
        element(
            "text",
            format_points(limit),
            x=_across(limit, max_score),
            y=FLOOR + 30,
            # On a phone there is room for every second one.
            class_=("start" if index == 0 else "end" if index == len(limits) - 1 else "middle") + " odd" * (index % 2),
        )
        for index, limit in enumerate(limits)
    )


def _middle(summary: Summary, max_score: float) -> str:
    lower, median, upper = (_across(value, max_score) for value in (summary.lower, summary.median, summary.upper))
    top = FLOOR + 4
    told = f"The middle half: {format_points(summary.lower)} to {format_points(summary.upper)} points"
    band = element("rect", inside=element("title", told), x=lower, y=top, width=max(upper - lower, 2.0), height=BAND,
                   rx=2.0, class_="half")  # fmt: skip
    line = element("line", x1=median, x2=median, y1=top - 2, y2=top + BAND + 2, class_="median")
    return band + line


def _across(score: float, max_score: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * max(0.0, min(1.0, score / max_score))


def stacked(counts: Sequence[int]) -> Markup:
    """Return how a check was passed as one bar: passed, carried, partly, failed, not judged, as wide as there are of each."""
    whole = sum(counts)
    inside, start = "", 0.0
    for status, count in zip(wording.BEST_FIRST, counts, strict=True):
        if not count:
            continue
        place = {"x": f"{start:.2f}%", "width": f"{100 * count / whole:.2f}%", "height": "12"}
        inside += element("rect", class_=status, **place)
        if status not in {"passed", "skipped"}:
            # Told apart on paper and by those who see no red.
            inside += element("rect", class_=f"slanted {status}", **place)
        start += 100 * count / whole
    told = ", ".join(
        f"{count} {wording.STATUSES[status]}" for status, count in zip(wording.BEST_FIRST, counts, strict=True) if count
    )
    return picture(inside, width="100%", height="12", role="img", **{"aria-label": told})


def meter(score: float, max_score: float) -> Markup:
    """Draw a score as a part of what can be earned; the numbers stand beside it."""
    share = max(0.0, min(1.0, score / max_score)) if max_score else 0.0
    inside = element("rect", width="64", height="8", rx="2", class_="all")
    inside += element("rect", width=at(64 * share), height="8", rx="2", class_="earned")
    return picture(inside, width="64", height="8", **{"aria-hidden": "true"})


def spread(counts: Sequence[int], usual: float) -> Markup:
    """Draw how similar all pairs are: a bar for each part of 0..1, and below which mark 95 of 100 pairs stay."""
    parts, most = list[str](), max(counts)
    for index, count in enumerate(counts):
        # A single pair among eighty thousand is the one to be seen.
        height = max((FLOOR - TOP - 16) * count / most, 3.0) if count else 0.0
        written = f"{count / 1000:.0f}k" if count >= 10_000 else str(count or "")
        label = f"{twentieth(index)}: {plural(count, 'pair')}"
        parts.append(element("g", inside=_column(index, len(counts), height, label, written)))
    parts.append(_axis())
    for tick in range(0, 101, 20):
        anchor = "start" if tick == 0 else "end" if tick == 100 else "middle"
        parts.append(element("text", f"{tick}%", x=_across(tick, 100.0), y=FLOOR + 18, class_=anchor))
    x, before, mark = _across(usual, 1.0), usual > 0.6, f"95 of 100 pairs stay below {usual:.0%}"
    parts.append(element("line", x1=x, x2=x, y1=TOP - 16, y2=FLOOR + 4, class_="usual"))
    parts.append(
        element("text", mark, x=x - 6 if before else x + 6, y=TOP - 12, class_="end label" if before else "label")
    )
    told = "; ".join(f"{twentieth(index)}: {count:,}" for index, count in enumerate(counts) if count)
    told = f"Pairs by similarity. {told}. {mark}."
    shown = {"role": "img", "class_": "histogram similar"}
    return drawing(parts, (WIDTH, HEIGHT - 20), "spread", "Distribution of similarity", told, **shown)


def twentieth(index: int) -> str:
    """Return which similarities a part of the spread holds."""
    return f"{5 * index}% to {'100%' if index == 19 else f'below {5 * index + 5}%'}"


def circle(names: Sequence[str], links: Sequence[Link], key: str) -> Markup:
    """Draw a group's members around a circle and a line for each pair of them, the thicker the more alike.

    Each line is a link to its pair. They take no part in the keyboard's way through the page: the list of the same
    links, which stands below the picture, does.
    """
    middle = (ROUND / 2, RADIUS + 34)
    # Half a step aside, so that no name stands right above another's beginning.
    angles = [math.tau * (at + 0.5) / len(names) - math.pi / 2 for at in range(len(names))]
    places = [(middle[0] + RADIUS * math.cos(one), middle[1] + RADIUS * math.sin(one)) for one in angles]
    parts = [_edge(link, places, names) for link in links]
    for name, angle, (x, y) in zip(names, angles, places, strict=True):
        parts += [element("circle", cx=x, cy=y, r=5.0, class_="member"), _name(name, angle, middle)]
    told, shown = "Each line is a pair. The list below holds the same pairs.", {"role": "group", "class_": "circle"}
    return drawing(parts, (ROUND, 2 * middle[1]), key, f"Group of {len(names)}", told, **shown)


def _edge(link: Link, places: Sequence[tuple[float, float]], names: Sequence[str]) -> str:
    (x1, y1), (x2, y2) = places[link.first], places[link.second]
    ends = {"x1": at(x1), "y1": at(y1), "x2": at(x2), "y2": at(y2)}
    told = f"{names[link.first]} and {names[link.second]}: {link.similarity:.0%}"
    # A thin line is hard to hit: a wide one, unseen, lies around it.
    inside = element("title", told) + element("line", class_="reach", **ends)
    inside += element("line", class_="edge", **{"stroke-width": at(1 + 6 * link.similarity**2)}, **ends)
    return element("a", inside=inside, href=f"#pair-{link.pair}", tabindex="-1", **{"aria-label": told})


def _name(name: str, angle: float, middle: tuple[float, float]) -> str:
    """Write a name outside the circle; of a long one beginning and end, which tell names of one form apart."""
    short = name if len(name) <= NAME else f"{name[: NAME - 7]}\N{HORIZONTAL ELLIPSIS}{name[-6:]}"
    x, y = middle[0] + (RADIUS + 12) * math.cos(angle), middle[1] + (RADIUS + 14) * math.sin(angle) + 4
    # Straight above and below there is room to both sides.
    anchor = "middle" if abs(math.cos(angle)) < 0.1 else "start" if math.cos(angle) > 0 else "end"
    return element("text", inside=element("title", name) + escape(short), x=x, y=y, class_=f"label {anchor}")
