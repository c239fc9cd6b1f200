"""Where two programs are built alike: the lines, side by side."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from grader.model.similar_programs import Passage, Span
from grader.records import dataclass
from grader.similarity.fingerprints import GRAM, hash_grams
from grader.similarity.rank_pairs import Weights, join_linked
from grader.similarity.tokens import TokenizedProgram

# Lines that may lie between two that are alike, in each program, before a passage ends.
_GAP = 2
# Places of one gram that are tried; W1, b1, W2 and b2 are four of a kind, and more are a table or an attack.
_MOST_PLACES, _MOST_REPEATED = 8, 64

_Line = tuple[int, int]  # text, line
_Link = tuple[_Line, _Line]  # a line of the first program, and its counterpart in the second


@dataclass(frozen=True)
class ComparedProgram:
    """One program of a pair."""

    reading: TokenizedProgram
    prints: AbstractSet[int]  # its fingerprints beyond the skeleton's


@dataclass(frozen=True)
class _Block:
    first: Span
    second: Span
    values: AbstractSet[int]


def find_passages(
    first: ComparedProgram, second: ComparedProgram, weights: Weights, common: AbstractSet[str]
) -> tuple[Passage, ...]:
    """Return the stretches that two programs build alike, in the order of the first; none overlaps another in either.

    common : names that the skeleton uses, which tell nothing about who chose them.
    """
    shared = first.prints & second.prints
    held: defaultdict[_Link, set[int]] = defaultdict(set)
    for value, links in _match_grams(first.reading, second.reading):
        # A gram's lines may lie apart, where a variable is set far above its reader: it counts where most of it lies.
        most = Counter(links).most_common(1)[0][0]
        for link in links:
            held[link].update([value] if link == most and value in shared else [])
    blocks = [_block(links, held) for links in _group_neighbours(held.keys())]
    chosen: list[_Block] = []
    told: set[int] = set()
    for block in sorted(blocks, key=lambda block: (-_weight(block.values, weights), _place(block))):
        fresh = block.values - told
        if fresh and not any(_overlap(block, other) for other in chosen):
            chosen.append(_Block(block.first, block.second, fresh))
            told |= fresh
    return tuple(_passage(block, first, second, weights, common) for block in sorted(chosen, key=_place))


def _passage(
    block: _Block, first: ComparedProgram, second: ComparedProgram, weights: Weights, common: AbstractSet[str]
) -> Passage:
    mine, theirs = (
        _names(side.reading, span) - common for side, span in ((first, block.first), (second, block.second))
    )
    return Passage(
        block.first,
        block.second,
        weight=_weight(block.values, weights),
        owners=min(weights.owners[value] for value in block.values),
        same_names=len(mine & theirs) / max(len(mine | theirs), 1),
    )


def _weight(values: Iterable[int], weights: Weights) -> float:
    # Bits are whole numbers of 1/1024, so the order of a set changes no sum.
    return sum(weights.bits(value) for value in values)


def _names(reading: TokenizedProgram, span: Span) -> AbstractSet[str]:
    lines = range(span.first, span.last + 1)
    return frozenset().union(*(reading.names.get((span.text, line), frozenset()) for line in lines))


def _place(block: _Block) -> tuple[int, ...]:
    return (block.first.text, block.first.first, block.second.text, block.second.first)


def _overlap(one: _Block, other: _Block) -> bool:
    return any(
        mine.text == theirs.text and mine.first <= theirs.last and theirs.first <= mine.last
        for mine, theirs in ((one.first, other.first), (one.second, other.second))
    )


# ---------------------------------------------------------------- runs of words that are equal in both


def _match_grams(first: TokenizedProgram, second: TokenizedProgram) -> Iterator[tuple[int, list[_Link]]]:
    """Return each gram of the first that has a counterpart, with the lines of its words and of theirs.

    Greedy: a run goes to the place where it lasts longest, and each word of the second is taken once.
    """
    places: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, stream in enumerate(second.streams):
        for start, value in enumerate(hash_grams(stream.words)):
            if len(places[value]) < _MOST_REPEATED:
                places[value].append((number, start))
    taken: set[tuple[int, int]] = set()
    for stream in first.streams:
        values = hash_grams(stream.words)
        start = 0
        while start < len(values):
            free = [place for place in places.get(values[start], []) if place not in taken][:_MOST_PLACES]
            runs = [
                (_match_length(stream.words, start, second.streams[at].words, begin), -at, -begin) for at, begin in free
            ]
            length, at, begin = max(runs, default=(0, 0, 0))
            other = second.streams[-at]
            for step in range(max(length - GRAM, 0) + 1 if length else 0):
                taken.add((-at, step - begin))
                span = range(step, min(step + GRAM, length))
                mine = [(stream.text, stream.lines[start + word]) for word in span]
                theirs = [(other.text, other.lines[word - begin]) for word in span]
                yield values[start + step], list(zip(mine, theirs, strict=True))
            start += max(length - GRAM + 1, 1)


def _match_length(mine: Sequence[str], start: int, theirs: Sequence[str], begin: int) -> int:
    most = min(len(mine) - start, len(theirs) - begin)
    return next((step for step in range(most) if mine[start + step] != theirs[begin + step]), most)


# ---------------------------------------------------------------- lines that stand together in both


def _group_neighbours(links: AbstractSet[_Link]) -> list[list[_Link]]:
    """Put links together whose lines are neighbours in both programs."""
    return join_linked((link, other) for link in links for other in _list_neighbours(link) if other in links)


def _list_neighbours(link: _Link) -> Iterator[_Link]:
    (mine, line), (theirs, other) = link
    reach = range(-_GAP - 1, _GAP + 2)
    return (((mine, line + here), (theirs, other + there)) for here in reach for there in reach)


def _block(links: Sequence[_Link], held: Mapping[_Link, AbstractSet[int]]) -> _Block:
    (mine, _), (theirs, _) = links[0]
    first, second = [line for (_, line), _ in links], [line for _, (_, line) in links]
    values = frozenset().union(*(held[link] for link in links))
    return _Block(Span(mine, min(first), max(first)), Span(theirs, min(second), max(second)), values)
