"""Put the cells of a file that another one runs, with `%run helpers.py` or `exec(open("helpers.py").read())`, before its own."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from grader.model import Place
from grader.submission.cells import Cell
from grader.submission.documents import Document
from grader.submission.name_submissions import plain_stem
from grader.submission.syntax import quote

# Of all files of one submission together: files may run each other.
_MOST_RUN = 60


def run_files(documents: Iterable[Document]) -> list[Document]:
    """Return the documents with the cells of the files that they run among their own; the last one's names count."""
    by_path = {document.path: document for document in documents}
    left = [_MOST_RUN]

    def expand(document: Document, above: frozenset[PurePosixPath]) -> Iterator[Cell]:
        for cell in document.cells:
            for _, target in cell.runs:
                run = _find(target, document.path, by_path)
                if run is not None and run.path not in above and left[0] > 0:
                    left[0] -= 1
                    for inner in expand(run, above | {run.path}):
                        label = f"{run.label}, {inner.label}" if run.is_notebook and not inner.path else inner.label
                        yield replace(inner, label=label, path=inner.path or run.path)
            yield cell

    found = []
    for document in by_path.values():
        missing = tuple(
            Place(cell.label, line, quote(target))
            for cell in document.cells
            for line, target in cell.runs
            if _find(target, document.path, by_path) is None
        )
        cells = tuple(expand(document, frozenset({document.path})))
        found.append(replace(document, cells=cells, not_handed_in=missing))
    return found


def _find(target: str, near: PurePosixPath, documents: dict[PurePosixPath, Document]) -> Document | None:
    """Return the file that a path means, by its name and by as many folders as agree; None where it was not handed in."""
    wanted = PurePosixPath(target)
    stem = plain_stem(wanted.name)
    ranked = [
        (path.suffix != (wanted.suffix or ".py"), path.parent != near.parent, len(path.parts), str(path), path)
        for path in documents
        if path != near and stem in {path.stem, plain_stem(path.name)} and wanted.suffix in {"", path.suffix}
    ]
    return documents[min(ranked)[-1]] if ranked else None
