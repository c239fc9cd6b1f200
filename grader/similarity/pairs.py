"""A class compared: what is rare in it and stands in two programs all the same."""

import ast
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from grader.limited_process import LimitedProcess, OverLimitError
from grader.model.arrays import Floats
from grader.model.similar_programs import Likeness, Pair, Program
from grader.similarity.fingerprints import choose_fingerprints
from grader.similarity.name_table import interface_names, list_identifiers
from grader.similarity.passages import ComparedProgram, find_passages
from grader.similarity.rank_pairs import choose_pairs, compute_similarities, count_owners, group_linked, outlier_limit
from grader.similarity.tokens import NotComparedError, TokenizedProgram, parse_program, tokenize_program

# Fingerprints beyond the skeleton. A finished program has about 50.
_SMALLEST = 8
_BINS = 20


def compare_programs(programs: Iterable[Program], skeleton: Program, outside: Iterable[Program] = ()) -> Likeness:
    """Return how alike each two programs of a class are, and each of the class and one from outside.

    programs : each with a name of its own, in any order. skeleton : what everybody was given, all of it. outside : programs
    of other names, which are no hand-ins of the class; two of them are never compared with each other.
    A program that cannot be compared is named in `left`; no program raises. Raises NotComparedError where the skeleton
    itself cannot be read.
    """
    others = list(outside)
    strangers = frozenset(program.name for program in others)
    ordered = sorted([*programs, *others], key=lambda program: program.name)
    nodes = [node for body in parse_program(skeleton) for statement in body for node in ast.walk(statement)]
    given = interface_names(nodes)
    sides, left = _compare_each(ordered, given, tokenize_program(skeleton, given))
    weights = count_owners({name: side.prints for name, side in sides.items()})
    table = compute_similarities({name: side.prints for name, side in sides.items()}, weights)
    strange = np.array([name in strangers for name in sides], dtype=bool)
    compared = np.triu(~np.logical_and.outer(strange, strange), 1)
    alike = table[compared]
    least = outlier_limit(alike)
    standing = _find_outstanding([*sides], np.where(compared, table, -1.0), least)
    twins = tuple(names for names in _find_twins(sides) if not strangers.issuperset(names))
    different = _drop_repeated(standing, twins)
    shown = choose_pairs(different)
    common = frozenset(name for name, _ in list_identifiers(nodes))
    return Likeness(
        programs={program.name: program for program in ordered if program.name in sides},
        pairs=tuple(
            Pair(one, other, similarity, find_passages(sides[one], sides[other], weights, common))
            for similarity, one, other in shown
        ),
        groups=group_linked((one, other) for _, one, other in standing),
        spread=tuple(int(count) for count in np.histogram(alike, _BINS, (0.0, 1.0))[0]),
        usual=float(np.quantile(alike, 0.95)) if len(alike) else 0.0,
        left=left,
        limit=least,
        twins=twins,
        outside=strangers,
        unlisted=len(different) - len(shown),
    )


def _compare_each(
    programs: Iterable[Program], given: frozenset[str], start: TokenizedProgram
) -> tuple[dict[str, ComparedProgram], dict[str, str]]:
    """Return each program's tokens with what they hold beyond the skeleton, and for the others why there are none."""
    everybodys = frozenset(found.value for found in choose_fingerprints(start, window=1))
    sides: dict[str, ComparedProgram] = {}
    left: dict[str, str] = {}
    for program, reading in _tokenize_each(programs, given):
        if isinstance(reading, str):
            left[program.name] = reading
            continue
        prints = frozenset(found.value for found in choose_fingerprints(reading)) - everybodys
        if len(prints) < _SMALLEST:
            left[program.name] = "it holds next to nothing beyond the skeleton, so there is nothing to compare."
        else:
            sides[program.name] = ComparedProgram(reading, prints)
    return sides, left


def _tokenize_each(
    programs: Iterable[Program], given: frozenset[str]
) -> Iterator[tuple[Program, TokenizedProgram | str]]:
    """Return each program with its tokens, or with why it cannot be compared."""
    process = LimitedProcess(_tokenize)
    try:
        for program in programs:
            try:
                yield program, process(program, given)
            except OverLimitError as error:
                yield program, f"Reading it {error}, which no solution needs: look at it yourself."
    finally:
        process.close()


def _tokenize(program: Program, given: frozenset[str]) -> TokenizedProgram | str:
    try:
        return tokenize_program(program, given)
    except NotComparedError as error:
        return str(error)


def _find_twins(sides: Mapping[str, ComparedProgram]) -> tuple[tuple[str, ...], ...]:
    """Return the names of programs that are one program, the largest group first; functions may stand in any order."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, side in sides.items():
        alike.setdefault(side.reading.form, []).append(name)
    found = (tuple(names) for names in alike.values() if len(names) > 1)
    return tuple(sorted(found, key=lambda names: (-len(names), names)))


def _drop_repeated(
    standing: list[tuple[float, str, str]], twins: tuple[tuple[str, ...], ...]
) -> list[tuple[float, str, str]]:
    """Leave out what says the same of each of several that are one program: five of them are ten pairs of one another."""
    first = {name: names[0] for names in twins for name in names}
    side_by_side = {names[:2] for names in twins}
    return [
        pair for pair in standing if pair[1:] in side_by_side or all(first.get(name, name) == name for name in pair[1:])
    ]


def _find_outstanding(names: list[str], table: Floats, least: float) -> list[tuple[float, str, str]]:
    rows, columns = np.nonzero(np.triu(table >= least, 1))
    return [
        (float(table[row, column]), names[row], names[column])
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
