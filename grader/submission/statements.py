"""The names that a statement binds, changes and needs, and whether it may run without the rest of the notebook."""

import ast
import builtins
import dis
import inspect
import re
from collections.abc import Iterator, Mapping
from itertools import count
from types import CodeType

from grader.model import Place
from grader.records import dataclass, replace
from grader.submission.bindings import (
    DEFINITIONS,
    IMPORTS,
    names_bound,
    names_changed,
    names_stored,
    walk,
    walk_statements,
)
from grader.submission.class_patches import BLOCKS, Classes
from grader.submission.documents import Document
from grader.submission.errors import SubmissionError, failed
from grader.submission.newer_syntax import parses
from grader.submission.salvage import LostPart, parse_or_salvage
from grader.submission.syntax import explain_syntax_error, place_in

BUILTINS = frozenset(dir(builtins))
# What a cell that does not parse would have bound.
_BEGINS = re.compile(r"^[ \t]*(?:class|def)[ \t]+(\w+)|^(\w+)[ \t]*=[^=]", re.MULTILINE)
# Long notebooks have some 500; each costs us 50 microseconds, so that 256 KiB of "a\n" would take 8 seconds.
_MOST_STATEMENTS = 10_000
# Python's compiler copies all names of a function for each function and comprehension in it, and compares each keyword of a
# call with all others. Below that size nothing is counted; above it, so much takes 0.2 s.
_LARGE = 32 * 1024
_MOST_NAMES_COPIED = 3_000_000
_MOST_KEYWORDS = 2_000
_MOST_BROKEN = 200  # cells of which each is looked through for what can be read; that takes a millisecond each
_SCOPES = (*DEFINITIONS, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# What finds a global name by its text: `globals()["loss"]`.
_LOOK_UP = {"globals", "locals", "vars", "eval"}
_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
# The opcodes that read a global name, here or in a class body, and those that set one from within a function.
_LOAD_GLOBAL = dis.opmap["LOAD_GLOBAL"]
_READS = frozenset({dis.opmap["LOAD_NAME"], _LOAD_GLOBAL, dis.opmap.get("LOAD_FROM_DICT_OR_GLOBALS", _LOAD_GLOBAL)})
_SETS = frozenset({dis.opmap["STORE_GLOBAL"], dis.opmap["DELETE_GLOBAL"]})
_IMPLICIT = {"__name__", "__annotations__"}  # read by class bodies and annotations without being written


@dataclass(frozen=True)
class Statement:
    """One statement at the top level of a cell or file."""

    cell: int  # index of its cell in the document
    index: int  # in ast.parse(source).body of that cell
    order: int  # in the whole document
    node: ast.stmt
    binds: frozenset[str]
    changes: frozenset[str]  # names whose objects it changes: `TwoLayerNet.loss = loss`, `table["a"] = 1`
    runs: bool  # an import, a definition, an assignment, or a block of only these; nothing else is ever run
    firm: bool  # it binds its names whenever it is reached, so that what they were before is gone
    stars: tuple[ast.ImportFrom, ...]  # its imports of everything that a module has


@dataclass(frozen=True)
class Needs:
    """The global names that a statement reads."""

    now: frozenset[str]  # while it runs
    later: frozenset[str]  # inside functions, once they are called


@dataclass(frozen=True)
class Parsed:
    """A document as statements; for a cell that does not parse, its fault."""

    document: Document
    statements: tuple[Statement, ...]
    broken: Mapping[int, SubmissionError]  # by cell
    annotations: Mapping[int, int]  # where a cell imports annotations from __future__, which changes what defs evaluate
    lost_parts: Mapping[int, tuple[LostPart, ...]]  # what could not be read of cells of which the rest was
    stubs: Mapping[int, LostPart]  # statements that raise in a lost part's place, by order
    refused: Mapping[str, SubmissionError]  # names that what cannot be read may have bound

    def place(self, statement: Statement, node: ast.stmt | None = None) -> Place:
        """Return the first line of a statement, or of a node inside it."""
        cell = self.document.cells[statement.cell]
        return place_in(cell.label, cell.original or cell.source, (node or statement.node).lineno)

    def needs(self, statement: Statement) -> Needs:
        """Return the global names that a statement reads, from Python's own compiler.

        Raises SubmissionError for one that parses but does not compile, such as two parameters of one name.
        """
        cell, node = self.document.cells[statement.cell], statement.node
        if len(cell.source) > _LARGE:
            _check_counts(node, cell.label)
        try:
            code = compile(ast.Module([node], []), cell.label, "exec", dont_inherit=True)
        except SyntaxError as error:
            said = explain_syntax_error(error, cell.source, cell.label, cell.written_for)
            raise SubmissionError(said.problem) from error
        except (RecursionError, MemoryError) as error:
            raise failed(f"{cell.label} is nested too deeply for Python to read.", self.place(statement)) from error
        now, later = _global_names(code)
        if isinstance(node, ast.For):  # it sets its own names, unless it reads them first
            now -= names_stored([node.target]) - {part.id for part in walk(node.iter) if isinstance(part, ast.Name)}
        if isinstance(node, BLOCKS) and now & _LOOK_UP:
            texts = [part.value for part in walk(node) if isinstance(part, ast.Constant)]
            now |= {text for text in texts if isinstance(text, str) and text.isidentifier()}
        return Needs(frozenset(now), frozenset(later - now))


def parse_document(document: Document) -> Parsed:
    """Parse every cell of a document."""
    bodies: dict[int, list[ast.stmt]] = {}
    broken: dict[int, SubmissionError] = {}
    lost_parts: dict[int, tuple[LostPart, ...]] = {}
    refused: dict[str, SubmissionError] = {}
    cells = list(document.cells)
    in_all = 0
    for number, cell in enumerate(document.cells):
        if len(broken) > _MOST_BROKEN and not parses(cell.source):
            broken[number] = failed(f"Python cannot read {cell.label}, and {_MOST_BROKEN} cells before it.")
            continue
        try:
            found = parse_or_salvage(cell.source, cell.label, cell.written_for)
            _check_count(in_all + len(found.body), cell.label)
        except SubmissionError as error:
            broken[number] = error
            refused |= dict.fromkeys(names_begun(cell.source), error)
            continue
        in_all += len(found.body)
        bodies[number] = found.body
        refused |= found.refused
        if found.lost_parts:
            lost_parts[number] = found.lost_parts
            cells[number] = replace(cell, source=found.source, original=cell.source)
    statements, stubs = _without_idle_stubs(list(_statements(bodies)), lost_parts)
    annotations = {number: index for number, body in bodies.items() if (index := _annotations(body)) is not None}
    document = replace(document, cells=tuple(cells))
    return Parsed(document, statements, broken, annotations, lost_parts, stubs, refused)


def names_begun(source: str) -> set[str]:
    """Return the names that a text would bind if Python could read it; methods' too."""
    return {begun[1] or begun[2] for begun in _BEGINS.finditer(source)}


def _statements(bodies: dict[int, list[ast.stmt]]) -> Iterator[Statement]:
    classes = Classes(node for body in bodies.values() for node in body)
    order = count()
    for number, body in bodies.items():
        for index, node in enumerate(body):
            inner = [node] if isinstance(node, DEFINITIONS) else list(walk_statements(node))
            yield Statement(
                number,
                index,
                next(order),
                node,
                binds=frozenset(name for part in inner for name in names_bound(part)),
                changes=frozenset(
                    classes.with_aliased(
                        {name for part in inner for name in names_changed(part) | classes.patched_by(part)}
                    )
                ),
                runs=_runs(node, classes),
                firm=isinstance(node, (*DEFINITIONS, *IMPORTS, ast.Assign, ast.AnnAssign)),
                stars=tuple(part for part in inner if isinstance(part, ast.ImportFrom) and part.names[0].name == "*"),
            )


def _without_idle_stubs(
    statements: list[Statement], lost_parts: Mapping[int, tuple[LostPart, ...]]
) -> tuple[tuple[Statement, ...], dict[int, LostPart]]:
    """Leave out raising stubs for names that something else defines; return the rest, and the stubs in it by order.

    This does not hold for classes: the one that cannot be read was to replace the one before.
    """
    lost = [(cell, part) for cell, found in lost_parts.items() for part in found]
    places = {(cell, part.line): part for cell, part in lost if part.line and part.kind != "method"}
    stubs = {s.order: places[s.cell, s.node.lineno] for s in statements if (s.cell, s.node.lineno) in places}
    given = {name for s in statements if s.runs and s.order not in stubs for name in s.binds}
    idle = {s.order for s in statements if s.order in stubs and stubs[s.order].kind != "class" and s.binds <= given}
    kept = tuple(s for s in statements if s.order not in idle)
    return kept, {order: part for order, part in stubs.items() if order not in idle}


def _check_count(statements: int, label: str) -> None:
    if statements > _MOST_STATEMENTS:
        raise failed(
            f"With {label} the code has more than {_MOST_STATEMENTS:,} statements outside of functions. "
            "Load data from files instead of writing them into the code."
        )


def _check_counts(node: ast.stmt, label: str) -> None:
    parts = list(walk(node))
    scopes = sum(isinstance(part, _SCOPES) for part in parts)
    names = len({part.id for part in parts if isinstance(part, ast.Name)})
    names += len({part.name for part in parts if isinstance(part, DEFINITIONS)})
    if scopes * names > _MOST_NAMES_COPIED:
        raise failed(
            f"{label} holds {scopes:,} functions and comprehensions with {names:,} names in one statement, and a solution has"
            " some tens. Write what repeats as a loop."
        )
    if any(len(part.keywords) > _MOST_KEYWORDS for part in parts if isinstance(part, (ast.Call, ast.ClassDef))):
        raise failed(f"{label} holds a call with more than {_MOST_KEYWORDS:,} keywords. Write what repeats as a loop.")


def _annotations(body: list[ast.stmt]) -> int | None:
    """Return the statement that imports annotations from __future__: only a docstring and its like come before."""
    for index, node in enumerate(body):
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            if any(alias.name == "annotations" for alias in node.names):
                return index
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            break
    return None


def _global_names(code: CodeType) -> tuple[set[str], set[str]]:
    """Return the global names that compiled code reads while it runs, and those that functions in it read or set."""
    now: set[str] = set()
    later: set[str] = set()
    queue = [(code, False)]
    while queue:
        code, in_function = queue.pop()
        # A comprehension may be code of its own, but runs where it stands.
        is_function = bool(code.co_flags & inspect.CO_OPTIMIZED) and code.co_name not in _COMPREHENSIONS
        in_function = in_function or is_function
        opcodes = _READS | _SETS if in_function else _READS
        (later if in_function else now).update(_names_of(code, opcodes) - _IMPLICIT)
        queue += [(inner, in_function) for inner in code.co_consts if isinstance(inner, CodeType)]
    return now, later


def _names_of(code: CodeType, opcodes: frozenset[int]) -> set[str]:
    """Return the names that instructions of these kinds are about.

    `dis.get_instructions` says the same, but takes a time that grows with the square of the jumps.
    """
    names: set[str] = set()
    extended = 0
    for opcode, low in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        argument = extended | low
        extended = argument << 8 if opcode == dis.EXTENDED_ARG else 0
        if opcode in opcodes:  # of LOAD_GLOBAL the lowest bit says something else
            names.add(code.co_names[argument >> 1 if opcode == _LOAD_GLOBAL else argument])
    return names


def _runs(node: ast.stmt, classes: Classes) -> bool:
    """Return whether a statement may be run by itself: it only imports, defines and assigns."""
    if isinstance(node, ast.ImportFrom):
        return node.module != "__future__"
    if isinstance(node, ast.AnnAssign):
        return node.value is not None
    if isinstance(node, (*DEFINITIONS, ast.Import, ast.Assign, ast.AugAssign)):
        return True
    if isinstance(node, ast.Expr):
        return bool(names_changed(node) or classes.patched_by(node))
    if isinstance(node, (ast.If, ast.Try)):
        tested = walk(node.test) if isinstance(node, ast.If) else ()
        guards = any(isinstance(part, ast.Name) and part.id == "__name__" for part in tested)
        # A loop inside is looked at whole, once.
        parts = (part for part in walk_statements(node, but_not=(*DEFINITIONS, *BLOCKS)) if part is not node)
        return not guards and all(_is_quiet(part, classes) for part in parts)
    return classes.only_patches(node)


def _is_quiet(node: ast.stmt, classes: Classes) -> bool:
    """Return whether a statement may stand in an if or try block that is kept whole."""
    match node:
        # `try: xrange` only asks whether the name is there.
        case ast.Expr(ast.Constant() | ast.Name() | ast.Call(ast.Name("print"))):
            return True
        case ast.Pass() | ast.Raise() | ast.If() | ast.Try():
            return True
    return _runs(node, classes)
