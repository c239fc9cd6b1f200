"""From the chosen document to segments and modules: what the class needs, across all files handed in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from grader.model import Module, Place, Segment
from grader.submission.broken_parts import Loss
from grader.submission.documents import Document
from grader.submission.errors import SubmissionError
from grader.submission.handed_in_modules import Library, Request, package_of
from grader.submission.select_statements import Selection
from grader.submission.statements import Statement


class Gathering:
    """What is kept of one submission so far; it grows as names are wanted of the chosen document."""

    def __init__(self, library: Library, document: Document) -> None:
        self.library = library
        self.main = Selection(library, library.in_package(document, ""), "")
        self.stand_ins: dict[str, Place] = {}  # modules that are not at hand, and where first imported
        self.stand_in_names: defaultdict[str, set[str]] = defaultdict(set)
        self._selections: dict[PurePosixPath, Selection] = {}
        self._modules: dict[str, PurePosixPath] = {}  # by dotted name

    def want(self, names: Iterable[str]) -> list[Statement]:
        """Keep what these names need, in the document and in helper modules; give what is new in the document.

        What stands only where Python cannot read it is refused.
        """
        fresh = self.main.want(names)
        self._follow(fresh)
        for selection in self.selections():
            if selection.fault is not None:
                raise selection.fault
            for name in sorted(selection.wanted & selection.parsed.refused.keys()):
                if selection.lacks(name):
                    raise selection.parsed.refused[name]
        return fresh

    def modules(self) -> tuple[Module, ...]:
        """Return the helper modules, sorted by name."""
        found = []
        for dotted, path in sorted(self._modules.items()):
            selection = self._selections[path]
            # A module of which nothing is kept must be importable all the same.
            cell = selection.parsed.document.cells[0]
            empty = Segment(cell.label, cell.source, (), original=cell.original)
            segment = next(iter(selection.segments(selection.kept.values())), empty)
            found.append(Module(dotted, segment, is_package=path.name == "__init__.py"))
        return tuple(found)

    def selections(self) -> list[Selection]:
        """List what is kept of the document and of each helper module."""
        return [self.main, *self._selections.values()]

    def lost(self, name: str) -> Loss | None:
        """Return what cannot be read where the document gives this name its last meaning."""
        found = self.main.binders(name)
        return self.main.parsed.stubs.get(found[-1].order) if found else None

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
            module = self.library.in_package(module, package)
            if fault := self.library.fault(module):
                raise SubmissionError(fault)
            self._selections[module.path] = Selection(self.library, module, package)
        selection = self._selections[module.path]
        # Under a further name, what was kept before is imported again, with another package for relative imports.
        known = list(selection.kept.values()) if request.dotted not in self._modules else []
        self._modules[request.dotted] = module.path
        fresh = selection.want_all() if request.names is None else selection.want(request.names)
        return selection, package, known + fresh
