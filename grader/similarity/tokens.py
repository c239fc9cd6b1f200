"""A program as the sequence of what it does: one word for each operation, in the order in which Python evaluates them.

Names carry no word: a renamed copy reads the same. Nor does storing into a variable, so a formula reads the same whether
it is written in one line or split over temporaries. An operation's word holds the constants that it is given:
``np.maximum(0, X.dot(W1) + b1)`` reads ``dot(.,.) +(.,.) maximum(0,.)``, and so does ``z = X @ W1; z += b1;
h = np.maximum(0, z)``. Each function is a sequence of its own, so their order does not matter; within one, a variable that is set once is told where it is first
read (see `name_table.DeferredAssignments`).
"""

import ast
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from grader.model.similar_programs import Program
from grader.records import dataclass
from grader.similarity.canonical_form import canonical_form
from grader.similarity.name_table import FUNCTIONS, DeferredAssignments, NameTable, build_name_table, list_identifiers
from grader.similarity.operations import Part, Token, split_node

# As the grader's own reader: CPython's tree takes some 900 bytes a byte of source at worst.
LARGEST = 256 * 1024
LARGEST_IN_ALL = 512 * 1024
# A whole solution has 100 to 200.
MOST_WORDS = 3_000


class NotComparedError(Exception):
    """A program that cannot be compared; the message says why, and what to do instead."""


@dataclass(frozen=True)
class TokenStream:
    """One function's words, or those of one text outside all functions."""

    text: int  # position in Program.texts
    words: tuple[str, ...]
    lines: tuple[int, ...]  # of each word, counted from 1


@dataclass(frozen=True)
class TokenizedProgram:
    """A program's words, and the names that its author chose."""

    streams: tuple[TokenStream, ...]
    names: Mapping[tuple[int, int], frozenset[str]]  # by text and line
    form: tuple[str, ...]  # see `canonical_form`


def tokenize_program(program: Program, given: frozenset[str] = frozenset()) -> TokenizedProgram:
    """Return a program as tokens, without running it.

    given : names of functions that the skeleton defines; a call of one keeps its name, since nobody can rename them.
    Raises NotComparedError where it cannot be parsed, or is larger than any solution; nothing else, whatever it holds.
    """
    bodies = parse_program(program)
    nodes = [[node for statement in body for node in ast.walk(statement)] for body in bodies]
    known = build_name_table((node for found in nodes for node in found), given)
    streams, count = [], 0
    for number, body in enumerate(bodies):
        for stream in _streams(number, body, known, MOST_WORDS - count):
            count += len(stream.words)
            streams.append(stream)
    names: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    own = known.names | known.attributes
    for number, found in enumerate(nodes):
        for name, line in list_identifiers(found):
            if name in own:
                names[number, line].add(name)
    by_line = {place: frozenset(found) for place, found in names.items()}
    return TokenizedProgram(tuple(streams), by_line, canonical_form(bodies, own))


def parse_program(program: Program) -> list[list[ast.stmt]]:
    """Return the statements of each text that are compared.

    Raises NotComparedError where it is larger than any solution, or cannot be parsed.
    """
    sizes = [len(text.source) for text in program.texts]
    if max(sizes, default=0) > LARGEST or sum(sizes) > LARGEST_IN_ALL:
        raise NotComparedError(
            f"It holds more than {LARGEST_IN_ALL >> 10} KiB of code, or more than {LARGEST >> 10} KiB in one cell or "
            "file, which no solution needs: look at it yourself."
        )
    return [_statements(program, number) for number in range(len(program.texts))]


def _statements(program: Program, number: int) -> list[ast.stmt]:
    text = program.texts[number]
    try:
        with warnings.catch_warnings():
            # A student's "\d" is a warning of ours otherwise.
            warnings.simplefilter("ignore")
            body = ast.parse(text.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotComparedError(f"Python cannot read {text.label}: look at it yourself.") from error
    wanted = program.compared[number] if number < len(program.compared) else ()
    return [body[index] for index in wanted if 0 <= index < len(body)]


def _streams(text: int, body: Sequence[ast.AST], known: NameTable, most: int) -> Iterator[TokenStream]:
    waiting: list[Sequence[ast.AST]] = [body]
    while waiting:
        scope = waiting.pop()
        words, lines = list[str](), list[int]()
        later = DeferredAssignments(scope)
        # Not recursive: a student's expression may be nested deeper than Python's stack.
        stack: list[Part | None] = [None, *reversed(scope)]
        while stack:
            part = stack.pop()
            if isinstance(part, Token):
                words.append(part.word)
                lines.append(part.line)
                if len(words) > most:
                    raise NotComparedError(f"It holds more than {MOST_WORDS:,} operations: look at it yourself.")
            elif part is None:  # at the end what only a function inside reads is still to be told
                stack.extend(reversed([node for found in later.rest() for node in split_node(found, known)]))
            elif isinstance(part, FUNCTIONS):
                waiting.append(part.body)
            elif isinstance(part, ast.Name):
                stack.extend(reversed([node for found in later.used(part) for node in split_node(found, known)]))
            elif not (isinstance(part, (ast.Assign, ast.AnnAssign)) and later.takes(part)):
                stack.extend(reversed(split_node(part, known)))
        most -= len(words)
        if words:
            yield TokenStream(text, tuple(words), tuple(lines))
