"""Find the statements that the class needs, across all files handed in."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from grader.model import Module, Place, Segment
from grader.submission.bindings import IMPORTS
from grader.submission.documents import Document
from grader.submission.errors import SubmissionError, failed
from grader.submission.handed_in_modules import Library, Request, package_of
from grader.submission.salvage import LostPart
from grader.submission.statements import BUILTINS, Statement

_NEVER = 10**9
# Names under which the files of one submission import each other. With dots in it, a name may grow at each import.
_MOST_MODULES = 200


class Selection:
    """The statements of one document that are kept; it grows as more names are wanted."""

    def __init__(self, library: Library, document: Document, package: str) -> None:
        self.parsed = library.parsed(document)
        self.kept: dict[int, Statement] = {}  # by order
        self.wanted: set[str] = set()
        self.fault: SubmissionError | None = None  # of the first kept statement that breaks a rule of scopes
        self._firm_last: dict[str, int] = {}  # the last statement after which a name's earlier meanings are gone
        self._first_use: defaultdict[str, int] = defaultdict(lambda: _NEVER)
        self._all_taken: set[str] = set()
        self._is_whole = False  # all that may be run is kept
        self._bound: set[str] = set()  # by anything that may be run
        self._open_stars: list[Statement] = []  # imports of everything from modules that are not at hand
        self._binders = self._index(library, package)
        self._stars_to_keep = self._open_stars  # for the first name that none of them may give; kept once, they stay

    def binders(self, name: str) -> list[Statement]:
        """Return the statements that bind or change a name and may be run, in order."""
        return self._binders.get(name, [])

    def lacks(self, name: str) -> bool:
        """Return whether no statement that may be run binds a name."""
        return name not in BUILTINS and name not in self._bound and not self._open_stars

    def want(self, names: Iterable[str]) -> list[Statement]:
        """Keep the statements that bind and change these names, and those that they need; return the new ones in order."""
        fresh: list[Statement] = []
        queue = sorted(names)
        while queue:
            name = queue.pop()
            early = self._first_use[name] <= self._firm_last.get(name, -1)
            if name in self._all_taken or (name in self.wanted and not early):
                continue
            self.wanted.add(name)
            if early:
                self._all_taken.add(name)
            queue += self._keep(self._meant_by(name, early=early), fresh)
        return sorted(fresh, key=lambda statement: statement.order)

    def want_all(self) -> list[Statement]:
        """Keep all statements that may be run, for a module imported with *; return the new ones in order."""
        if self._is_whole:
            return []
        self._is_whole = True
        names = {name for statement in self.parsed.statements if statement.runs for name in statement.binds}
        fresh = self.want(names)
        stars = [statement for statement in self.parsed.statements if statement.runs and statement.stars]
        self._keep(stars, fresh)
        return sorted(fresh, key=lambda statement: statement.order)

    def segments(self, statements: Iterable[Statement]) -> tuple[Segment, ...]:
        """Return kept statements cell by cell."""
        kept: defaultdict[int, set[int]] = defaultdict(set)
        for statement in statements:
            kept[statement.cell].add(statement.index)
        found = []
        for number, indices in sorted(kept.items()):
            cell = self.parsed.document.cells[number]
            if number in self.parsed.annotations:
                indices.add(self.parsed.annotations[number])
            found.append(Segment(cell.label, cell.source, tuple(sorted(indices)), original=cell.original))
        return tuple(found)

    def _index(self, library: Library, package: str) -> dict[str, list[Statement]]:
        """Find which statements bind and change which names."""
        near = self.parsed.document.path
        certain: defaultdict[str, list[Statement]] = defaultdict(list)
        stubs: defaultdict[str, list[Statement]] = defaultdict(list)
        for statement in self.parsed.statements:
            if not statement.runs:
                continue
            bound, is_known = library.binds(statement, package, near)
            if not is_known:
                self._open_stars.append(statement)
            asked = list(library.requests(statement.node, package, near)) if isinstance(statement.node, IMPORTS) else []
            if asked and all(library.is_missing(request, near) for request in asked):
                for name in bound:
                    stubs[name].append(statement)
                continue
            for name in bound | statement.changes:
                if not _hides_builtin(name, statement):
                    certain[name].append(statement)
            self._bound |= bound
            if statement.firm:
                self._firm_last.update(dict.fromkeys(bound, statement.order))
        # A stub gives no meaning where the notebook has another one, since the real import would have failed;
        # where it has none, `plt.rcParams[...] = ...` would only change the stub.
        alone = {name: found for name, found in stubs.items() if name not in self._bound}
        self._bound |= alone.keys()
        return {**certain, **alone}

    def _meant_by(self, name: str, *, early: bool) -> list[Statement]:
        """List the statements that define a name; of several, only the last unless the name is used before."""
        found = self.binders(name)
        if not found and name not in BUILTINS:
            stars, self._stars_to_keep = self._stars_to_keep, []
            return stars
        return found if early else [s for s in found if s.order >= self._firm_last.get(name, -1)]

    def _keep(self, statements: list[Statement], fresh: list[Statement]) -> list[str]:
        """Keep statements, and return the names that they need."""
        needed: list[str] = []
        for statement in statements:
            if statement.order in self.kept:
                continue
            self.kept[statement.order] = statement
            fresh.append(statement)
            try:
                needs = self.parsed.needs(statement)
            except SubmissionError as error:
                self.fault = self.fault or error
                continue
            for name in needs.now | needs.later:
                # A method that names its own class means the one that is being defined, not an earlier one.
                of_itself = name in needs.later and name in statement.binds
                if not of_itself:
                    self._first_use[name] = min(self._first_use[name], statement.order)
                needed.append(name)
        return needed


def _hides_builtin(name: str, statement: Statement) -> bool:
    """Return whether a variable only happens to have a builtin's name, as in `sum = 0`, unlike `range = xrange`."""
    match statement.node:
        case ast.Assign(value=ast.Constant()) | ast.AugAssign(value=ast.Constant()):
            return name in BUILTINS
    return False


class DependencyClosure:
    """The statements of one submission that are kept; it grows as more names of the chosen document are wanted."""

    def __init__(self, library: Library, document: Document) -> None:
        self.library = library
        self.main = Selection(library, library.in_package(document, ""), "")
        self.stub_modules: dict[str, Place] = {}  # modules that are not at hand, and where first imported
        self.stub_names: defaultdict[str, set[str]] = defaultdict(set)
        self._selections: dict[PurePosixPath, Selection] = {}
        self._modules: dict[str, PurePosixPath] = {}  # by dotted name

    def want(self, names: Iterable[str]) -> list[Statement]:
        """Keep what these names need in the document and in helper modules; return the new statements of the document.

        Raises SubmissionError for a name that is only defined where Python cannot read the text.
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
        """List the selections of the document and of each helper module."""
        return [self.main, *self._selections.values()]

    def lost(self, name: str) -> LostPart | None:
        """Return the part that cannot be read, if it holds the last definition of this name."""
        found = self.main.binders(name)
        return self.main.parsed.stubs.get(found[-1].order) if found else None

    def _follow(self, fresh: list[Statement]) -> None:
        """Keep what new statements import, directly and indirectly."""
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
                        self.stub_modules.setdefault(request.dotted, selection.parsed.place(statement, request.node))
                        self.stub_names[request.dotted] |= request.names or set()

    def _take(self, request: Request, module: Document) -> tuple[Selection, str, list[Statement]]:
        """Keep what a request wants from a module; return the statements whose imports must be followed."""
        package = package_of(request.dotted, module)
        if module.path not in self._selections:
            module = self.library.in_package(self.library.as_module(module), package)
            if fault := self.library.fault(module):
                raise SubmissionError(fault)
            self._selections[module.path] = Selection(self.library, module, package)
        selection = self._selections[module.path]
        # Under a further name, what was kept before is imported again, with another package for relative imports.
        known = list(selection.kept.values()) if request.dotted not in self._modules else []
        self._modules[request.dotted] = module.path
        if len(self._modules) > _MOST_MODULES:
            raise failed(
                f"The files that were handed in import each other under more than {_MOST_MODULES} names. Import each file by"
                " one name, and no two from each other."
            )
        fresh = selection.want_all() if request.names is None else selection.want(request.names)
        return selection, package, known + fresh
