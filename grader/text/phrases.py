"""How numbers and lists of names stand in a sentence."""

from collections.abc import Sequence
from pathlib import PurePath
from traceback import extract_tb

from grader.text.sanitise import LINE, one_line


def join_words(words: Sequence[str], last: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"; last : the word before the last one, such as "or"."""
    return f" {last} ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def join_some(names: Sequence[str], most: int = 10, length: int = LINE, between: str = ", ") -> str:
    """Return the first few of several names, each on one line, and how many more there are: "a, b and 3 more"."""
    listed = between.join(one_line(name, length) for name in names[:most])
    return f"{listed} and {len(names) - most:,} more" if len(names) > most else listed


def plural(number: float, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 point", "2.5 points"; many : the plural, if it is not `one` with an s."""
    written = f"{number:,.2f}".rstrip("0").rstrip(".")
    return f"{written} {one if written == '1' else many or f'{one}s'}"


def format_points(value: float) -> str:
    """Return points with at most two digits after the point, and no zeros at the end."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def describe_failure(error: BaseException) -> str:
    """Return in one line that the grader failed, with what and where, for a student who can do nothing about it."""
    frames = extract_tb(error.__traceback__)
    where = f" ({PurePath(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return one_line(
        f"the grader failed, not your program: {type(error).__name__}: {error}{where}."
        " Try once more; if it fails again, send your instructor this line and your program.",
        1_000,
    )
