"""Choose the file to grade: the one that would define the class if it were run in order."""

import ast
import re
from contextlib import suppress
from pathlib import PurePosixPath

from grader.model import Place, Problem
from grader.records import dataclass, field
from grader.submission.bindings import IMPORTS, names_bound, walk_statements
from grader.submission.documents import Document
from grader.submission.errors import SubmissionError
from grader.submission.handed_in_modules import Library, package_of
from grader.submission.name_submissions import plain_stem
from grader.submission.statements import Parsed, Statement, names_begun

# A file that imports the class from a file that imports it, and so on.
_DEEPEST_CHAIN = 50


@dataclass(frozen=True)
class Candidate:
    """One document that binds the class, or would if it could be read."""

    document: Document
    holder: Document  # the file that the class stands in: the document itself, or a .py that it imports
    places: tuple[Place, ...] = ()  # where the document binds it, the one that counts last
    fault: Problem | None = None
    steps: int = 1  # how many of the last places count, each building on the one before


def choose(library: Library, class_name: str, notebook: str) -> list[Candidate]:
    """Return the documents that bind the class, the one to grade first.

    The assignment's own notebook is preferred, whatever a course platform added to its name; then what can be read,
    notebooks before .py files, the less deep in folders, and the alphabet.
    """

    def is_own(document: Document) -> bool:
        return document.is_notebook and _words(plain_stem(document.path.name)) == _words(plain_stem(notebook))

    by_preference = sorted(
        library.documents.values(), key=lambda d: (not is_own(d), not d.is_notebook, len(d.path.parts), str(d.path))
    )
    search = CandidateSearch(library)
    candidates = [found for document in by_preference if (found := search.find(document, class_name)) is not None]
    # The assignment's own notebook is graded even where its class does not parse: to grade an old copy in its stead
    # would give points or take them for what the student did not mean to hand in.
    return sorted(candidates, key=lambda found: bool(found.fault) and not is_own(found.document))


@dataclass
class CandidateSearch:
    """The search for the file that defines a name. Each document is searched once, since files may import each other."""

    library: Library
    _found: dict[tuple[str, str, PurePosixPath], Candidate | None] = field(default_factory=dict)

    def find(self, document: Document, name: str, package: str = "", chain: int = 0) -> Candidate | None:
        """Return the file that would define a name if the document were run in order; None where none would."""
        key = (name, package, document.path)
        if key not in self._found:
            self._found[key] = None  # files that import the name from each other end here
            self._found[key] = self._find_candidate(document, name, package, chain)
        return self._found[key]

    def _find_candidate(self, document: Document, name: str, package: str, chain: int) -> Candidate | None:
        library = self.library
        if document.fault:
            return Candidate(document, document, fault=document.fault) if name in document.prose else None
        if document.cut and name in document.prose and not any(name in cell.source for cell in document.cells):
            return Candidate(document, document, fault=document.cut)
        if chain > _DEEPEST_CHAIN or not any(name in cell.source or "*" in cell.source for cell in document.cells):
            return None
        parsed = library.parsed(document)
        if fault := library.fault(document):
            held = parsed.document.fault or name in parsed.refused
            return Candidate(document, document, fault=fault) if held else None
        found = []
        for statement in parsed.statements:
            if statement.runs and name in library.binds(statement, package, document.path)[0]:
                source = self._follow_binding(document, statement, name, package, chain)
                found += [(statement, source)] if source else []
        broken = max((n for n in parsed.broken if name in names_begun(parsed.document.cells[n].source)), default=-1)
        if broken > (found[-1][0].cell if found else -1):
            return Candidate(document, document, fault=parsed.broken[broken].problem)
        if not found:
            return None
        lost = parsed.stubs.get(found[-1][0].order)
        if lost is not None:
            return Candidate(document, document, fault=lost.complaint.problem)
        last, statements = found[-1][1], [statement for statement, _ in found]
        places = tuple(parsed.place(statement) for statement in statements)
        return Candidate(document, last.holder, places, last.fault, _count_steps(parsed, statements, name))

    def _follow_binding(
        self, document: Document, statement: Statement, name: str, package: str, chain: int
    ) -> Candidate | None:
        """Return the file that a binding of the name leads to; None where that file was not handed in."""
        library, parts = self.library, list(walk_statements(statement.node))
        found: Candidate | None = None
        for node in parts:
            if not isinstance(node, ast.ImportFrom):
                continue
            given = {alias.asname or alias.name: alias.name for alias in node.names}
            original = name if node in statement.stars else given.get(name, "")
            for request in library.requests(node, package, document.path) if original else ():
                module = library.find(request.dotted, document.path)
                if module is not None:
                    inner = self.find(module, original, package_of(request.dotted, module), chain + 1)
                    found = inner or found
        # `import TwoLayerNet` binds a module, not a class.
        here = any(name in names_bound(node) for node in parts if not isinstance(node, IMPORTS))
        path = document.cells[statement.cell].path  # of a file that the document runs
        return found or (Candidate(document, library.documents[path] if path else document) if here else None)


def _count_steps(parsed: Parsed, statements: list[Statement], name: str) -> int:
    """Return how many statements at the end make one class together, as `class TwoLayerNet(TwoLayerNet)` does."""
    steps = 1
    with suppress(SubmissionError):  # told where it is kept
        while steps < len(statements) and name in parsed.needs(statements[-steps]).now:
            steps += 1
    return steps


def _words(stem: str) -> list[str]:
    return re.findall(r"[^\W_]+", stem.casefold())
