"""What one named mistake is: the right network with one step replaced, and what is said of it.

A step is replaced by a plain function of the same arguments, which ends in one `return`: `reference.handwriting` writes
it into a student's program, and the program then holds the same mistake that the network has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grader.records import Stage

Steps = Mapping[str, Callable[..., Any]]  # field of Network -> what stands in its place

# Which layers a way is about: both, the first alone, the second alone.
EACH = (None, 0, 1)
BOTH = (None,)

SOURCES = {
    "000": "back-propagation notes, COMS 4732 (000)",
    "001": "back-propagation notes, COMS 4732 (001)",
    "002": "notes on K-layer networks, COL 865 (002)",
    "003": "Computer Vision, lecture 4 (003)",
    "004": "a derivation of SVM, softmax and two-layer gradients (004)",
}


@dataclass(frozen=True)
class Misconception:
    """A named mistake.

    title : what is wrong, as the student reads it; {W} and {b} stand for the parameters of the layers it is in.
    hint : what to look at; it does not give the answer away. formula : the one that it breaks.
    source : keys of SOURCES. charged : the checks that it costs points in, {} standing for the layer's number;
    whatever else goes wrong in consequence is not charged again.
    about : what in the student's code to point at, in the words of `grader.submission.statement_place`.
    ways : sets of steps that amount to this mistake; most have one. layers : which layers it may be in.
    harmless : the numbers are those of right code; never punished.
    """

    id: str
    stage: Stage
    title: str
    hint: str
    formula: str
    source: tuple[str, ...]
    charged: tuple[str, ...]
    about: str
    ways: tuple[Steps, ...]
    layers: tuple[int | None, ...] = BOTH
    harmless: bool = False
