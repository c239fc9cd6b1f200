"""What one student handed in, once it is read."""

from typing import Literal

from grader.records import dataclass


@dataclass(frozen=True)
class Place:
    """One line of the student's own text, as the report quotes it."""

    label: str  # "code cell 5", or a file's name such as "neural_net.py"
    line: int  # counted from 1 inside that cell or file
    text: str  # the line itself, from our copy of the file; never what the student's process claims

    def __str__(self) -> str:
        """Return the place in words, for a message."""
        quoted = f": `{self.text.strip()}`" if self.text.strip() else ""
        return f"{self.label}, line {self.line}{quoted}"


@dataclass(frozen=True)
class Segment:
    """One cell or file, with the statements of it that are run."""

    label: str  # compiled under this name, so that tracebacks speak of the student's cells
    source: str  # the cell's text with magics replaced line by line: line numbers are the student's
    kept: tuple[int, ...]  # indices into ast.parse(source).body, in order
    original: str = ""  # where parts that Python cannot read were replaced: the text before, of as many lines

    @property
    def quoted(self) -> str:
        """The text that messages quote."""
        return self.original or self.source


@dataclass(frozen=True)
class Module:
    """A helper module that was handed in beside the notebook; it travels as source."""

    name: str  # dotted, as the submission imports it
    segment: Segment
    is_package: bool = False


@dataclass(frozen=True)
class Problem:
    """Why a submission cannot be run at all."""

    status: Literal["no_submission", "failed_to_load"]
    message: str  # what was found, what was expected, how to mend it
    place: Place | None = None


@dataclass(frozen=True)
class Submission:
    """What one student handed in, reduced to what the class and the hyperparameters need."""

    name: str  # safe for a file system and unique in its class
    source: str  # the path as it was given
    digest: str  # SHA-256 of what was read, in hexadecimal
    graded_file: str  # which file in it holds the class; "" where none does
    segments: tuple[Segment, ...] = ()  # the class and all that it needs, in the notebook's order
    extras: tuple[Segment, ...] = ()  # what `best_hyperparameters` needs besides; run only when it is asked for
    modules: tuple[Module, ...] = ()
    notes: tuple[str, ...] = ()  # dropped, stubbed, repaired: never costs a point
    problem: Problem | None = None
