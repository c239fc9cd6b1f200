"""Winnowing: a few fingerprints of each program, chosen so that two programs that share a stretch share one of them.

Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import chain

from grader.records import dataclass
from grader.similarity.tokens import TokenizedProgram, TokenStream

# Measured on tests/similarity: see there.
GRAM = 5  # words
WINDOW = 3  # grams
SHORTEST = 3  # words of a function that is too short for a gram
_PRIME = (1 << 61) - 1
_BASE = 0x5D_EECE_66D1


@dataclass(frozen=True)
class Fingerprint:
    """One gram of a program that was chosen."""

    value: int
    stream: int
    start: int  # its first word
    stop: int  # past its last


def choose_fingerprints(reading: TokenizedProgram, window: int = WINDOW) -> tuple[Fingerprint, ...]:
    """Return the chosen fingerprints: of each `window` grams in a row the smallest.

    A stretch of GRAM + window - 1 words or more that stands in one function of each of two programs gives them a
    common fingerprint; one shorter than GRAM never does, unless it is the whole of a function in both. The same in
    every process and on every machine.
    """
    chosen = (_choose_fingerprints(number, stream, window) for number, stream in enumerate(reading.streams))
    return tuple(chain.from_iterable(chosen))


def hash_grams(words: Sequence[str]) -> list[int]:
    """Return the value of each run of GRAM words; a shorter function is one gram as a whole."""
    numbers = [_number(word) for word in words]
    if len(words) < GRAM:
        return [_hash_numbers(numbers)] if len(words) >= SHORTEST else []
    leaving = pow(_BASE, GRAM, _PRIME)
    values = [_hash_numbers(numbers[:GRAM])]
    for old, new in zip(numbers, numbers[GRAM:], strict=False):
        values.append((values[-1] * _BASE + new - old * leaving) % _PRIME)
    return values


def _choose_fingerprints(number: int, stream: TokenStream, window: int) -> Iterator[Fingerprint]:
    values = hash_grams(stream.words)
    last = -1
    for start in range(max(len(values) - window + 1, min(len(values), 1))):
        seen = values[start : start + window]
        # The rightmost of equals, so that a run of equal grams gives few.
        place = start + max(index for index, value in enumerate(seen) if value == min(seen))
        if place != last:
            last = place
            yield Fingerprint(values[place], number, place, min(place + GRAM, len(stream.words)))


def _hash_numbers(numbers: Sequence[int]) -> int:
    value = 0
    for number in numbers:
        value = (value * _BASE + number) % _PRIME
    return value


def _number(word: str) -> int:
    # Not hash(): that of a text differs from process to process.
    return int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big") % _PRIME
