"""From the chosen document to segments and modules: what the class needs, across all files handed in."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grader.records import Module, Segment
from grader.submission.fault import SubmissionError
from grader.submission.library import climbs_too_far, package_of, with_absolute_imports
from grader.submission.selecting import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePosixPath

    from grader.records import Place
    from grader.submission.documents import Document
    from grader.submission.library import Library, Request
    from grader.submission.statements import Statement
    from grader.submission.stubs import Loss


@dataclass(frozen=True)
class Lost:
    """A part that cannot be read, and where."""

    loss: Loss
    cell: int
    selection: Selection
    is_run: bool  # what takes its place is kept


@dataclass
class Gathering:
    """What is kept of one submission so far; it grows as names are wanted of the chosen document."""

    library: Library
    document: Document
    stand_ins: dict[str, Place] = field(default_factory=dict)  # modules that are not at hand, and where first imported
    stand_in_names: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _selections: dict[PurePosixPath, Selection] = field(default_factory=dict)
    _modules: dict[str, PurePosixPath] = field(default_factory=dict)  # by dotted name

    def __post_init__(self) -> None:
        if climbs_too_far(self.library.parsed(self.document), ""):
            self.document = with_absolute_imports(self.document)
            self.library.put(self.document)
        self.main = self._new_selection(self.document, "")

    def want(self, names: Iterable[str]) -> list[Statement]:
        """Keep what these names need, in the document and in helper modules; give what is new in the document.

        Raises
        ------
        SubmissionError
            Something needed stands only where Python cannot read it.
        """
        fresh = self.main.want(names)
        self._follow(fresh)
        self._refuse_faults()
        return fresh

    def segments(self, statements: Iterable[Statement]) -> tuple[Segment, ...]:
        """Give kept statements of the document cell by cell."""
        return _segments(self.main, statements)

    def modules(self) -> tuple[Module, ...]:
        """Give the helper modules, sorted by name."""
        found = []
        for dotted, path in sorted(self._modules.items()):
            selection = self._selections[path]
            document = selection.parsed.document
            segments = _segments(selection, selection.kept.values())
            # A module of which nothing is kept must be importable all the same.
            cell = document.cells[0]
            segment = segments[0] if segments else Segment(cell.label, cell.source, (), original=cell.original)
            found.append(Module(dotted, segment, is_package=path.name == "__init__.py"))
        return tuple(found)

    def losses(self) -> list[Lost]:
        """List what could not be read of texts of which the rest could."""
        return [
            Lost(loss, cell, selection, is_run=any(s.cell == cell and _holds(s, loss) for s in selection.kept.values()))
            for selection in [self.main, *self._selections.values()]
            for cell, loss in selection.parsed.losses
        ]

    def lost(self, name: str) -> Loss | None:
        """Return what cannot be read where the document gives this name its last meaning."""
        found = self.main.binders(name)
        return self.main.parsed.stubs.get(found[-1].order) if found else None

    def _new_selection(self, document: Document, package: str) -> Selection:
        def star_names(node: ast.ImportFrom) -> frozenset[str] | None:
            return self.library.star_names(node, package, document.path)

        def missing(statement: Statement) -> bool:
            if not isinstance(statement.node, (ast.Import, ast.ImportFrom)):
                return False
            asked = list(self.library.requests(statement.node, package, document.path))
            return bool(asked) and all(self.library.is_missing(request, document.path) for request in asked)

        return Selection(self.library.parsed(document), star_names, missing)

    def _follow(self, fresh: list[Statement]) -> None:
        """Keep what newly kept statements import, and what that imports in turn."""
        queue = [(self.main, "", fresh)]
        while queue:
            selection, package, statements = queue.pop()
            near = selection.parsed.document.path
            for statement in statements:
                for request in self.library.requests(statement.node, package, near):
                    module = self.library.find(request.dotted, near)
                    if module is not None:
                        queue.append(self._take(request, module))
                    elif self.library.is_missing(request, near):
                        self.stand_ins.setdefault(request.dotted, selection.parsed.place(statement, request.node))
                        self.stand_in_names[request.dotted] |= request.names or set()

    def _take(self, request: Request, module: Document) -> tuple[Selection, str, list[Statement]]:
        """Keep what a request wants of a module; give the statements whose imports are to be followed."""
        package = package_of(request.dotted, module)
        if module.path not in self._selections:
            if climbs_too_far(self.library.parsed(module), package):
                module = with_absolute_imports(module)
                self.library.put(module)
            if fault := self.library.fault(module):
                raise SubmissionError(fault)
            self._selections[module.path] = self._new_selection(module, package)
        selection = self._selections[module.path]
        # Under a further name, what was kept before is imported again, with another package for relative imports.
        known = list(selection.kept.values()) if request.dotted not in self._modules else []
        self._modules[request.dotted] = module.path
        fresh = selection.want_all() if request.names is None else selection.want(request.names)
        return selection, package, known + fresh

    def _refuse_faults(self) -> None:
        """Refuse what is needed and cannot be read."""
        for selection in [self.main, *self._selections.values()]:
            if selection.fault is not None:
                raise selection.fault
            for name in sorted(selection.wanted & selection.parsed.refused.keys()):
                if selection.lacks(name):
                    raise selection.parsed.refused[name]
        parsed = self.main.parsed
        for name in sorted(self.main.wanted & parsed.broken_names.keys()):
            if self.main.lacks(name):
                raise parsed.broken[parsed.broken_names[name]]


def _holds(statement: Statement, loss: Loss) -> bool:
    return statement.node.lineno <= loss.line <= (statement.node.end_lineno or statement.node.lineno)


def _segments(selection: Selection, statements: Iterable[Statement]) -> tuple[Segment, ...]:
    kept: defaultdict[int, list[int]] = defaultdict(list)
    for statement in sorted(statements, key=lambda statement: statement.order):
        kept[statement.cell].append(statement.index)
    parsed = selection.parsed
    cells = parsed.document.cells

    def futures(cell: int) -> list[int]:
        return [parsed.annotations[cell]] if cell in parsed.annotations else []

    return tuple(
        Segment(
            cells[cell].label,
            cells[cell].source,
            tuple(sorted({*indices, *futures(cell)})),
            original=cells[cell].original,
        )
        for cell, indices in sorted(kept.items())
    )
