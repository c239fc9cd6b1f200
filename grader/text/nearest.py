"""What was probably meant by a name that does not exist."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

T = TypeVar("T")
LONGEST = 80


def nearest(word: str, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the names that were probably meant; one that differs in capitals or underscores alone is surest."""
    known = list(known)
    same = [one for one in known if _fold(one) == _fold(word)]
    # difflib's time grows with the square of a name's length, and a student may have chosen the name.
    return same[:most] or get_close_matches(word, [one for one in known if len(one) < LONGEST], n=most, cutoff=cutoff)


def lookup(table: Mapping[str, T], name: str, what: str) -> T:
    """Return the entry of that name; raise ValueError, with the nearest name, if there is none.

    what : "format", as in "unknown format 'jsn': did you mean 'json'?"
    """
    if name in table:
        return table[name]
    near = nearest(name, table, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, table))}"
    raise ValueError(f"unknown {what} {name!r}: {hint}")


def _fold(name: str) -> str:
    return name.replace("_", "").casefold()
