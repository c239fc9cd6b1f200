"""Programs of one class that are built alike: where to look, and nothing more."""

from collections.abc import Mapping

from grader.records import dataclass


@dataclass(frozen=True)
class Text:
    """One cell or file of a program, as it is shown."""

    label: str  # "code cell 5", or a file's name
    source: str


@dataclass(frozen=True)
class Program:
    """One submission's code, as it is compared and shown."""

    name: str  # the submission's
    texts: tuple[Text, ...]
    compared: tuple[tuple[int, ...], ...]  # of each text: indices into ast.parse(source).body that are compared


@dataclass(frozen=True)
class Span:
    """Lines of a program that stand together."""

    text: int  # position in Program.texts
    first: int  # line, counted from 1
    last: int  # inclusive


@dataclass(frozen=True)
class Passage:
    """A stretch that two programs build alike."""

    first: Span
    second: Span
    weight: float  # in bits: how surprising it is, given how many of the class write so
    owners: int  # programs of the class that hold its rarest piece, these two included
    same_names: float  # 0..1: of the names in it that a student chose, how many are the same in both


@dataclass(frozen=True)
class Pair:
    """Two programs, and what they build alike beyond the skeleton."""

    first: str  # names of submissions, in order
    second: str
    # 0..1: weight of what is shared, of the weight of the smaller program (or of a dozen rare pieces)
    similarity: float
    passages: tuple[Passage, ...]  # in the order of the first program


@dataclass(frozen=True)
class Likeness:
    """A class, compared pair by pair."""

    programs: Mapping[str, Program]  # those that were compared
    pairs: tuple[Pair, ...]  # those worth a look, the most alike first
    groups: tuple[tuple[str, ...], ...]  # three and more that are linked by such pairs
    spread: tuple[int, ...]  # how many of all pairs have a similarity in each twentieth of 0..1
    usual: float  # the similarity below which 95 of 100 pairs of the class stay
    left: Mapping[str, str]  # name -> why it was not compared
    limit: float = 1.0  # the similarity from which a pair is worth a look: it stands out from this class
    # Programs that are the same throughout, but for names and layout: told however ordinary they are for their class.
    twins: tuple[tuple[str, ...], ...] = ()
    outside: frozenset[str] = frozenset()  # programs that are no hand-ins of this class: last year's, or public ones
    unlisted: int = 0  # further pairs above the limit that `pairs` had no room for; `groups` knows them all the same
