"""Classes compared by hand: programs, the passages that two of them share, and what is made of these."""

from collections.abc import Mapping, Sequence

from grader.model.similar_programs import Likeness, Pair, Passage, Program, Span, Text


def program(name: str, *sources: str) -> Program:
    """Return a program: of one source a file, of more a notebook's code cells."""
    labels = [f"{name}.py"] if len(sources) == 1 else [f"code cell {at}" for at in range(1, len(sources) + 1)]
    texts = tuple(Text(label, source) for label, source in zip(labels, sources, strict=True))
    return Program(name, texts, tuple((0,) for _ in texts))


def numbered(name: str, count: int = 40) -> str:
    """Return a source whose lines say whose and which they are."""
    return "".join(f"    {name}_{at} = np.sum(values[{at}], axis=0)\n" for at in range(1, count + 1))


def passage(
    first: tuple[int, int],
    second: tuple[int, int],
    *,
    owners: int = 2,
    weight: float = 14.0,
    same_names: float = 0.5,
    texts: tuple[int, int] = (0, 0),
) -> Passage:
    """Return a passage from two ranges of lines."""
    return Passage(Span(texts[0], *first), Span(texts[1], *second), weight, owners, same_names)


def compared(
    *pairs: Pair,
    programs: Sequence[Program] = (),
    others: int = 0,
    groups: tuple[tuple[str, ...], ...] = (),
    spread: Sequence[int] = (),
    left: Mapping[str, str] | None = None,
) -> Likeness:
    """Return a class: these programs, those of the pairs, and `others` that are in no pair.

    Without a spread, the pairs lie where they belong and all others at 10 to 15 %.
    """
    known = {one.name: one for one in programs}
    names = {name for pair in pairs for name in (pair.first, pair.second)} - set(known)
    known |= {name: program(name, numbered(name)) for name in sorted(names)}
    known |= {f"other_{at}": program(f"other_{at}", "pass\n") for at in range(others)}
    counts = [0] * 20
    for pair in pairs:
        counts[min(19, int(20 * pair.similarity))] += 1
    counts[2] += len(known) * (len(known) - 1) // 2 - len(pairs)
    return Likeness(known, tuple(pairs), groups, tuple(spread or counts), 0.15, left or {})
