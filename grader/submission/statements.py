"""What one statement binds, changes and needs by name, and whether it may run without the rest of the notebook."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from grader.records import Place
from grader.submission.attaching import BLOCKS, Classes, attached, classes_of, meant, only_attaches
from grader.submission.binding import DEFINITIONS, bound, changed, stored, within
from grader.submission.fault import SubmissionError, failed
from grader.submission.salvage import read
from grader.submission.stubs import Loss, without_idle_stubs
from grader.submission.syntax import explain, place_in, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from grader.submission.documents import Document

BUILTINS = frozenset(dir(builtins))
_IMPORTS = (ast.Import, ast.ImportFrom)
# What a cell that does not parse would have bound.
_BEGINS = re.compile(r"^[ \t]*(?:class|def)[ \t]+(\w+)|^(\w+)[ \t]*=[^=]", re.MULTILINE)
# Long notebooks have some 500; each costs us 50 microseconds, so that 256 KiB of "a\n" would take 8 seconds.
_MOST_STATEMENTS = 10_000
# What finds a global name by its text.
_LOOK_UP = {"globals", "locals", "vars", "eval"}
_INLINED = (ast.ListComp, ast.SetComp, ast.DictComp)
_COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}


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
    """A document as statements; a cell that does not parse is kept as its fault."""

    document: Document
    statements: tuple[Statement, ...]
    broken: dict[int, SubmissionError]  # by cell
    broken_names: dict[str, int]  # a name that a broken cell would bind, and the last such cell
    annotations: dict[int, int]  # where a cell imports annotations from __future__, which changes what defs evaluate
    lines: tuple[list[bytes], ...]  # of each cell, in UTF-8: the tree's columns are counted in bytes
    losses: tuple[tuple[int, Loss], ...] = ()  # what could not be read of cells of which the rest was, and the cell
    stubs: Mapping[int, Loss] = field(default_factory=dict)  # statements that raise in a lost part's place, by order
    refused: Mapping[str, SubmissionError] = field(default_factory=dict)  # names that lost imports may have bound

    def place(self, statement: Statement, node: ast.stmt | None = None) -> Place:
        """Give the first line of a statement, or of a node inside it."""
        line = (node or statement.node).lineno
        cell = self.document.cells[statement.cell]
        return (
            place_in(cell.label, cell.original, line)
            if cell.original
            else Place(cell.label, line, quote(self.lines[statement.cell][line - 1].decode()))
        )

    def needs(self, statement: Statement) -> Needs:
        """Find the global names that a statement reads, by Python's own scoping rules.

        Raises
        ------
        SubmissionError
            The statement parses but breaks a rule of scopes, such as two parameters of one name.
        """
        cell, node = self.document.cells[statement.cell], statement.node
        first = _first_line(node)
        try:
            # A statement by itself, since a table of a whole cell does not tell which statement reads what.
            table = symtable.symtable(_text(node, self.lines[statement.cell]), cell.label, "exec")
            if _comprehends(node):
                with suppress(ValueError):  # quotes in an f-string that ast cannot write again
                    apart = ast.unparse(_InScopesOfTheirOwn().visit(deepcopy(node)))
                    table = symtable.symtable(apart, cell.label, "exec")
        except SyntaxError as error:
            raise explain(error, cell.source, cell.label, first, cell.written_for) from error
        except (RecursionError, MemoryError) as error:
            raise failed(f"{cell.label} is nested too deeply for Python to read.", self.place(statement)) from error
        return _without_own(_needs(table), node)


def parse_document(document: Document) -> Parsed:
    """Parse every cell of a document."""
    bodies: list[tuple[int, list[ast.stmt]]] = []
    found = 0
    broken: dict[int, SubmissionError] = {}
    broken_names: dict[str, int] = {}
    annotations: dict[int, int] = {}
    cells = list(document.cells)
    losses: list[tuple[int, Loss]] = []
    refused: dict[str, SubmissionError] = {}
    for number, cell in enumerate(document.cells):
        try:
            found_here = read(cell.source, cell.label, cell.written_for)
            body = found_here.body
            _check_count(found + len(body), cell.label)
        except SubmissionError as error:
            broken[number] = error
            broken_names |= dict.fromkeys(begun_in(cell.source), number)
            continue
        if found_here.losses:
            cells[number] = replace(cell, source=found_here.source, original=cell.source)
            losses += [(number, loss) for loss in found_here.losses]
            refused |= found_here.refused
        bodies.append((number, body))
        found += len(body)
        for index, node in enumerate(body):
            if index < 10 and _names_annotations(node) and _is_first(body[:index]):
                annotations[number] = index
    document = replace(document, cells=tuple(cells))
    lines = tuple(cell.source.encode().split(b"\n") for cell in cells)
    statements, stubs = without_idle_stubs(tuple(_statements(document, bodies)), losses)
    return Parsed(document, statements, broken, broken_names, annotations, lines, tuple(losses), stubs, refused)


def begun_in(source: str) -> set[str]:
    """Give the names that a text would bind if Python could read it; methods' too."""
    return {begun[1] or begun[2] for begun in _BEGINS.finditer(source)}


def _statements(document: Document, bodies: list[tuple[int, list[ast.stmt]]]) -> Iterator[Statement]:
    classes = classes_of(node for _, body in bodies for node in body)
    order = count()
    for number, body in bodies:
        has_walrus = ":=" in document.cells[number].source
        for index, node in enumerate(body):
            yield _statement(node, classes, (number, index, next(order)), walrus_too=has_walrus)


def _check_count(statements: int, label: str) -> None:
    if statements > _MOST_STATEMENTS:
        raise failed(
            f"With {label} the code has more than {_MOST_STATEMENTS:,} statements outside of functions. "
            "Load data from files instead of writing them into the code."
        )


def _names_annotations(node: ast.stmt) -> bool:
    if not isinstance(node, ast.ImportFrom) or node.module != "__future__":
        return False
    return any(alias.name == "annotations" for alias in node.names)


def _is_first(before: list[ast.stmt]) -> bool:
    """Whether only a docstring and other imports from __future__ come before."""
    return all(
        (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
        for node in before
    )


def _comprehends(node: ast.stmt) -> bool:
    """Return whether a statement has a list, set or dict comprehension outside functions, or as a parameter's default."""
    queue: list[ast.AST] = [node]
    while queue:
        part = queue.pop()
        if isinstance(part, _INLINED):
            return True
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
            queue += [*part.decorator_list, part.args]
        elif isinstance(part, ast.Lambda):
            queue.append(part.args)
        else:
            queue += ast.iter_child_nodes(part)
    return False


class _InScopesOfTheirOwn(ast.NodeTransformer):
    """Makes generators of comprehensions: the same names are read, in a scope of its own.

    From Python 3.12 on the others have none, and its table of `f = [f for _ in k]` says that f is set, not that it is read.
    """

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> ast.AST:
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    visit_SetComp = visit_ListComp  # noqa: N815 -- the same

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return self.generic_visit(ast.GeneratorExp(pair, node.generators))


def _needs(table: symtable.SymbolTable) -> Needs:
    now: set[str] = set()
    later: set[str] = set()
    queue = [(table, False)]
    while queue:
        scope, in_function = queue.pop()
        # A comprehension is a scope of its own, but runs where it stands.
        in_function = in_function or (scope.get_type() == "function" and scope.get_name() not in _COMPREHENSIONS)
        for symbol in scope.get_symbols():
            # A class body looks a name up globally until it has bound it: `loss = loss` reads the global one.
            outward = symbol.is_global() or scope is table or (scope.get_type() == "class" and symbol.is_local())
            if outward and (symbol.is_referenced() or (in_function and symbol.is_declared_global())):
                (later if in_function else now).add(symbol.get_name())
        queue += [(child, in_function) for child in scope.get_children()]
    return Needs(frozenset(now), frozenset(later - now))


def _without_own(needs: Needs, node: ast.stmt) -> Needs:
    """Leave out what a loop sets itself, and add what it looks up by a text: `globals()["loss"]`."""
    if not isinstance(node, (ast.For, ast.With)):
        return needs
    now = set(needs.now)
    if isinstance(node, ast.For):
        read = {part.id for part in ast.walk(node.iter) if isinstance(part, ast.Name)}
        now -= stored([node.target]) - read
    if now & _LOOK_UP:
        texts = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
        now |= {text for text in texts if isinstance(text, str) and text.isidentifier()}
    return Needs(frozenset(now), needs.later - now)


def _statement(node: ast.stmt, classes: Classes, place: tuple[int, int, int], *, walrus_too: bool) -> Statement:
    inner = [node] if isinstance(node, DEFINITIONS) else list(within(node))
    binds = frozenset(name for part in inner for name in bound(part, walrus_too=walrus_too))
    changes = meant({name for part in inner for name in changed(part) | attached(part, classes)}, classes)
    simple = isinstance(node, (*DEFINITIONS, *_IMPORTS, ast.Assign, ast.AnnAssign))
    stars = tuple(part for part in inner if isinstance(part, ast.ImportFrom) and part.names[0].name == "*")
    runs = _runs(node, classes)
    return Statement(*place, node, binds, frozenset(changes), runs=runs, firm=simple, stars=stars)


def _runs(node: ast.stmt, classes: Classes) -> bool:
    """Return whether a statement may be run by itself: it only imports, defines and assigns."""
    if isinstance(node, ast.ImportFrom):
        return node.module != "__future__"
    if isinstance(node, ast.AnnAssign):
        return node.value is not None
    if isinstance(node, (*DEFINITIONS, ast.Import, ast.Assign, ast.AugAssign)):
        return True
    if isinstance(node, ast.Expr):
        return bool(changed(node) or attached(node, classes))
    if isinstance(node, (ast.If, ast.Try)):
        # A loop inside is looked at whole, once.
        parts = (part for part in within(node, but_not=(*DEFINITIONS, *BLOCKS)) if part is not node)
        return not _is_main_guard(node) and all(_is_quiet(part, classes) for part in parts)
    return only_attaches(node, classes)


def _is_quiet(node: ast.stmt, classes: Classes) -> bool:
    """Return whether a statement may stand in an if or try block that is kept whole."""
    if isinstance(node, ast.Expr):
        called = node.value.func if isinstance(node.value, ast.Call) else None
        prints = isinstance(called, ast.Name) and called.id == "print"
        # `try: xrange` only asks whether the name is there.
        return prints or isinstance(node.value, (ast.Constant, ast.Name)) or _runs(node, classes)
    return isinstance(node, (ast.Pass, ast.Raise, ast.If, ast.Try)) or _runs(node, classes)


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and any(
        isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test)
    )


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _text(node: ast.stmt, lines: list[bytes]) -> str:
    """Cut a statement out of its cell, decorators included."""
    first, last = _first_line(node), node.end_lineno or node.lineno
    start = 0 if getattr(node, "decorator_list", []) else node.col_offset
    if first == last:
        return lines[first - 1][start : node.end_col_offset].decode()
    return b"\n".join(
        [lines[first - 1][start:], *lines[first : last - 1], lines[last - 1][: node.end_col_offset]]
    ).decode()
