"""The files handed in, as modules: which one an import means, and which names each defines."""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import PurePosixPath

import numpy as np

from grader.model import Problem
from grader.records import dataclass, replace
from grader.submission.bindings import walk_statements
from grader.submission.cells import Cell
from grader.submission.documents import Document
from grader.submission.errors import failed
from grader.submission.name_submissions import plain_stem
from grader.submission.statements import Parsed, Statement, parse_document
from grader.submission.syntax import LARGEST, LARGEST_IN_ALL

# A chain of files that import everything from the next is as long as this at most.
_DEEPEST_CHAIN = 40
_CELLS_OF_MODULE = 2
_DOTS = re.compile(rb"from\s*\.[\s.]*(?P<no_module>import\b)?")
_IMPORTS_NOTEBOOKS = re.compile(r"\b(?:import_ipynb|nbimporter|importnb|ipynb\.fs)\b")
# Packages that nobody hands in: a `layers.py` beside the notebook is not what `from keras.layers import Dense` means.
_PACKAGES = """
absl alive_progress altair autograd beartype bokeh bqplot clearml click cloudpickle colorama coloredlogs comet_ml cupy
cv2 cython datasets dill fastprogress future gensim google GPUtil graphviz h5py humanize icecream imageio import_ipynb importnb
ipdb ipykernel IPython ipywidgets jax jaxtyping joblib jupyter keras lasagne lightgbm line_profiler livelossplot loguru
marimo matplotlib memory_profiler mlflow mpl_toolkits mxnet nbimporter neptune networkx nltk nose notebook numba numexpr paddle pandas
past PIL plotly plotnine prettytable progress progressbar psutil pydot pylab pynvml pyprind pytest requests rich scipy
seaborn six skimage sklearn statsmodels sympy tabulate tensorboard tensorboardX tensorflow termcolor theano
threadpoolctl torch torchvision tqdm transformers typeguard typing_extensions visdom wandb xgboost
"""
WELL_KNOWN = frozenset(_PACKAGES.split())
_NEVER_HANDED_IN = frozenset({"numpy", "sys", "builtins"})


@dataclass(frozen=True)
class Request:
    """One module that a statement imports."""

    dotted: str  # absolute
    names: frozenset[str] | None  # what is imported from it by name; None for the module itself or all of it
    node: ast.Import | ast.ImportFrom


class Library:
    """The documents of one submission; each is parsed once, when it is first asked for."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = {document.path: document for document in documents}
        self._parsed: dict[PurePosixPath, Parsed] = {}
        self._found: dict[tuple[str, PurePosixPath], PurePosixPath | None] = {}
        self._public: dict[tuple[str, PurePosixPath], frozenset[str]] = {}
        self._size = 0
        self._by_name: defaultdict[str, list[PurePosixPath]] = defaultdict(list)  # by the last part of a module's name
        notebooks_too = any(
            "nb" in cell.source and _IMPORTS_NOTEBOOKS.search(cell.source)
            for d in self.documents.values()
            for cell in d.cells
        )
        for document in self.documents.values():
            if (not document.is_notebook or notebooks_too) and (parts := _module_path(document.path)):
                for name in {parts[-1], plain_stem(parts[-1]), re.sub(r"\W", "_", parts[-1])}:
                    self._by_name[name].append(document.path)

    def parsed(self, document: Document) -> Parsed:
        """Return a document's statements."""
        if document.path not in self._parsed:
            self._size += sum(len(cell.source) for cell in document.cells if len(cell.source) <= LARGEST)
            if self._size > LARGEST_IN_ALL:
                kib = LARGEST_IN_ALL // 1024
                fault = failed(
                    f"The submission holds more than {kib} KiB of code. Hand in your own files only."
                ).problem
                document = self.documents[document.path] = replace(document, cells=(), fault=document.fault or fault)
            self._parsed[document.path] = parse_document(document)
        return self._parsed[document.path]

    def as_module(self, document: Document) -> Document:
        """Return a document with all of its cells in one, as a module is run."""
        if len(document.cells) < _CELLS_OF_MODULE:
            return document
        label = f"all cells of {document.label}"
        source = "\n# %%\n".join(cell.source for cell in document.cells)  # where one is broken, it alone is
        self.documents[document.path] = replace(document, cells=(Cell(label, source),))
        self._parsed.pop(document.path, None)
        return self.documents[document.path]

    def in_package(self, document: Document, package: str) -> Document:
        """Return a document with relative imports that never lead out of its package.

        A file that was written for a package's folder and handed in without it must mean, by
        ``from ..layers import relu``, the ``layers.py`` beside it: the dots are taken out, and lines stay.
        """
        relative = [
            (statement.cell, part)
            for statement in self.parsed(document).statements
            for part in walk_statements(statement.node, but_not=())
            if isinstance(part, ast.ImportFrom) and part.level
        ]
        if all(part.level <= len(package.split(".") if package else ()) for _, part in relative):
            return document
        lines = [cell.source.encode().split(b"\n") for cell in document.cells]
        for cell, part in relative:
            line, at = lines[cell][part.lineno - 1], part.col_offset
            absolute = _DOTS.sub(lambda found: found["no_module"] or b"from ", line[at:], 1)
            lines[cell][part.lineno - 1] = line[:at] + absolute
        sources = [b"\n".join(found).decode() for found in lines]
        cells = (replace(cell, source=source) for cell, source in zip(document.cells, sources, strict=True))
        self.documents[document.path] = replace(document, cells=tuple(cells))
        del self._parsed[document.path]
        return self.documents[document.path]

    def fault(self, document: Document) -> Problem | None:
        """Return why a document cannot be used at all; a .py file that does not parse cannot either."""
        parsed = self.parsed(document)
        if parsed.document.fault or document.is_notebook:
            return parsed.document.fault
        return next((error.problem for error in parsed.broken.values()), None)

    def find(self, dotted: str, near: PurePosixPath) -> Document | None:
        """Find the file that an import means, or None.

        The dotted path is matched against the ends of the files' paths; a shorter match will do
        (``cs231n.classifiers.neural_net`` finds ``neural_net.py`` in a flat zip), the longest wins, then the nearest.
        """
        if (dotted, near) not in self._found:
            match = self._beside if _is_installed(dotted) else self._best_match
            self._found[dotted, near] = match(dotted.split("."), near)
        path = self._found[dotted, near]
        return self.documents[path] if path else None

    def _beside(self, wanted: list[str], near: PurePosixPath) -> PurePosixPath | None:
        """Find a file that has the name of one of Python's modules: it counts in the importing file's own folder only."""
        if wanted[0] in _NEVER_HANDED_IN:
            return None
        start = near.parent.joinpath(*wanted)
        for path in (start.with_suffix(".py"), start / "__init__.py"):
            if path != near and path in self.documents and self.fault(self.documents[path]) is None:
                return path
        return None

    def _best_match(self, wanted: list[str], near: PurePosixPath) -> PurePosixPath | None:
        least = len(wanted) if wanted[0] in WELL_KNOWN else 1
        ranked = []
        for path in self._by_name.get(wanted[-1], []):
            parts = _module_path(path)
            matched = 1 + _count_common(wanted[-2::-1], parts[-2::-1])
            if path != near and matched >= least:
                own_name = parts[-1] == wanted[-1]  # and not "neural_net-1", as Canvas has it
                near_by = _count_common(near.parent.parts, path.parent.parts)
                ranked.append((-matched, not own_name, -near_by, len(parts), str(path), path))
        return min(ranked)[-1] if ranked else None

    def requests(self, node: ast.stmt, package: str, near: PurePosixPath) -> Iterator[Request]:
        """List the modules that a statement imports, in functions' bodies too; `package` is for relative imports."""
        for part in walk_statements(node, but_not=()):
            if isinstance(part, ast.Import):
                for alias in part.names:
                    yield Request(alias.name, None, part)
            elif isinstance(part, ast.ImportFrom) and part.module != "__future__":
                yield from self._requests_from(part, _absolute(part, package), near)

    def is_missing(self, request: Request, near: PurePosixPath) -> bool:
        """Return whether a requested module was neither handed in nor is installed where students' code runs."""
        return not _is_installed(request.dotted) and self.find(request.dotted, near) is None

    def binds(self, statement: Statement, package: str, near: PurePosixPath, chain: int = 0) -> tuple[set[str], bool]:
        """Return the names that a statement binds, also by `import *`, and whether the list is complete."""
        names, is_known = set(statement.binds), True
        for star in statement.stars:
            dotted = _absolute(star, package)
            document = self.find(dotted, near)
            if dotted == "numpy":
                names |= {name for name in dir(np) if not name.startswith("_")}
            elif document is not None:
                names |= self._public_names(document, package_of(dotted, document), chain + 1)
            else:
                is_known = False
        return names, is_known

    def _public_names(self, document: Document, package: str, chain: int = 0) -> frozenset[str]:
        key = (package, document.path)
        if key not in self._public:
            self._public[key] = frozenset()  # two files that import everything from each other end here
            names: set[str] = set()
            for statement in self.parsed(document).statements if chain < _DEEPEST_CHAIN else ():
                if statement.runs:
                    names |= self.binds(statement, package, document.path, chain)[0]
            self._public[key] = frozenset(name for name in names if not name.startswith("_"))
        return self._public[key]

    def _requests_from(self, node: ast.ImportFrom, base: str, near: PurePosixPath) -> Iterator[Request]:
        """Return what a from-import asks for: in `from cs231n import layers`, layers may be a module or a name."""
        names = {alias.name for alias in node.names}
        if names == {"*"}:
            yield Request(base, None, node)
            return
        document = self.find(base, near) if base else None
        bound = self._public_names(document, package_of(base, document)) if document else frozenset()
        modules = {name for name in names - bound if self.find(f"{base}.{name}".lstrip("."), near)}
        for name in sorted(modules):
            yield Request(f"{base}.{name}".lstrip("."), None, node)
        if names - modules and base:
            yield Request(base, frozenset(names - modules), node)


def _is_installed(dotted: str) -> bool:
    """Return whether a module is available where students' code runs: only the standard library and numpy are."""
    root = dotted.split(".", maxsplit=1)[0]
    return root == "numpy" or root in sys.stdlib_module_names


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the absolute name of the module that a from-import names; "" for `from . import x` outside a package."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    parts = parts[: max(0, len(parts) - (node.level - 1))]
    return ".".join([*parts, *([node.module] if node.module else [])])


def package_of(dotted: str, document: Document) -> str:
    """Return the package that a module's relative imports start from."""
    return dotted if document.path.name == "__init__.py" else dotted.rpartition(".")[0]


def _module_path(path: PurePosixPath) -> tuple[str, ...]:
    """Return a file's path as the parts of a module's name."""
    return path.parent.parts if path.name == "__init__.py" else (*path.parent.parts, path.stem)


def _count_common(left: Sequence[str], right: Sequence[str]) -> int:
    """Count the equal parts at the beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))
