"""Run a submission's text statement by statement, with its helper modules, and stubs for those that are missing."""

from __future__ import annotations
import __future__

import ast
import functools
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import older_names, stub_modules
from .capture import OutputCapture, safe_text

# Without one of these the class may not exist; whatever else fails is noted and skipped, since its names may not be needed.
_NEEDED = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# A handed-in file of the name of one of Python's modules goes by another: Python and numpy go on with their own.
_PREFIX = "handed_in_"
_CATCH_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@dataclass(frozen=True)
class SourceText:
    """A cell or file and which of its top-level statements are run."""

    label: str
    source: str
    kept: tuple[int, ...]

    @classmethod
    def of(cls, raw: dict[str, Any]) -> SourceText:
        """Read it from a message of the grader's."""
        return cls(raw["label"], raw["source"], tuple(raw["kept"]))


class Loader:
    """Runs the student's text in this process; what is skipped is noted in `capture`."""

    def __init__(self, modules: Sequence[dict[str, Any]], capture: OutputCapture) -> None:
        self._capture = capture
        self._texts: dict[str, list[ast.Module]] = {}  # by label; a cell's first part may be run before the rest
        self._stubs = stub_modules.Finder(self._may_be_stub)
        self._noted: set[str] = set()
        self._helpers = HelperFinder(modules, self.run)
        sys.meta_path.insert(0, self._helpers)
        sys.meta_path.append(self._stubs)

    def run(self, text: SourceText, namespace: dict[str, Any], *, forgiving: bool = False) -> None:
        """Run the kept statements of one cell or file.

        A failing import, def or class raises, unless `forgiving`; any other failing statement is noted and skipped.
        """
        lines = text.source.splitlines(keepends=True)
        linecache.cache[text.label] = (len(text.source), None, lines, text.label)
        tree = ast.parse(text.source, text.label)
        if self._helpers.renamed:
            _rename_imports(tree, self._helpers.renamed)
        self._texts.setdefault(text.label, []).append(tree)
        flags = 0
        for index in text.kept:
            statement = tree.body[index]
            flags |= _future_flags(statement)
            try:
                code = compile(ast.Module([statement], []), text.label, "exec", flags=flags, dont_inherit=True)
                exec(code, namespace)  # noqa: S102 -- this process is there to run the student's text
            except BaseException as error:
                if isinstance(statement, _NEEDED) and not forgiving:
                    raise
                self._note_skipped(text.label, statement, error)

    def _note_skipped(self, label: str, statement: ast.stmt, error: BaseException) -> None:
        inside = [line for where, line in self._capture.frames(error) if where == label]
        line = inside[0] if inside else statement.lineno
        reason = f"{type(error).__name__}: {safe_text(error)}"
        self._capture.note(f"{label}, line {line} failed and was skipped: {reason}")

    def note_stubs(self) -> None:
        """Add a warning for each module that got a stub since the last call."""
        tops = dict.fromkeys(name.partition(".")[0] for name in self._stubs.used)
        for name in tops:
            if name not in self._noted:
                self._noted.add(name)
                lacks = older_names.describe_removed_module(name) or f"the module {name} is not installed in the grader"
                self._capture.note(f"{lacks}: a stub took its place")

    def _may_be_stub(self) -> bool:
        """Return True where the import under way is in the student's text, and not one that it is ready to do without.

        numpy and the standard library try optional modules too, and must find them missing.
        """
        frame: types.FrameType | None = sys._getframe(1)  # noqa: SLF001 -- the one way to see who imports
        while frame is not None and _is_import_machinery(frame.f_code.co_filename):
            if frame.f_code is importlib.util.find_spec.__code__:
                return False  # the student asks whether it is there
            frame = frame.f_back
        if frame is None or frame.f_code.co_filename not in self._texts:
            return False
        line = frame.f_lineno
        guarded = (lines for tree in self._texts[frame.f_code.co_filename] for lines in _guarded_lines(tree))
        return not any(first <= line <= last for first, last in guarded)


def _is_import_machinery(filename: str) -> bool:
    return filename.startswith("<frozen importlib") or filename in {__file__, stub_modules.__file__, importlib.__file__}


def _future_flags(statement: ast.stmt) -> int:
    if not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
        return 0
    flags = 0
    for alias in statement.names:
        feature = getattr(__future__, alias.name, None)
        flags |= feature.compiler_flag if feature is not None else 0
    return flags


def _guarded_lines(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """Yield the lines inside each `try` that catches a failing import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(_catches_import_errors(handler.type) for handler in node.handlers):
            yield node.body[0].lineno, node.body[-1].end_lineno or node.body[-1].lineno


def _catches_import_errors(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    return any(isinstance(node, ast.Name) and node.id in _CATCH_IMPORT_ERRORS for node in ast.walk(caught))


class HelperFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules that were handed in, by dotted name; the packages above them are made empty where none came."""

    def __init__(self, modules: Sequence[dict[str, Any]], run: Callable[[SourceText, dict[str, Any]], None]) -> None:
        tops = {module["name"].partition(".")[0] for module in modules}
        self.renamed = {top: _PREFIX + top for top in tops & sys.stdlib_module_names}
        names = {module["name"]: _rename(module["name"], self.renamed) for module in modules}
        self._texts = {names[module["name"]]: SourceText.of(module["segment"]) for module in modules}
        self._packages = {names[module["name"]] for module in modules if module["package"]}
        for name in self._texts:
            parts = name.split(".")
            self._packages.update(".".join(parts[:n]) for n in range(1, len(parts)))
        self._run = run

    def find_spec(self, fullname: str, *_others: Any) -> importlib.machinery.ModuleSpec | None:
        """Answer for a handed-in module; see importlib.abc.MetaPathFinder."""
        if fullname not in self._texts and fullname not in self._packages:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname in self._packages)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run the module's text. What it lacks of Python's module of its name is looked up there."""
        original = module.__name__.removeprefix(_PREFIX)
        if original in self.renamed:
            module.__dict__["__getattr__"] = functools.partial(_look_up, original)
        text = self._texts.get(module.__name__)
        if text is not None:
            self._run(text, module.__dict__)


def _look_up(module: str, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(importlib.import_module(module), name)


def _rename(dotted: str, renamed: Mapping[str, str]) -> str:
    top, dot, rest = dotted.partition(".")
    return renamed.get(top, top) + dot + rest


def _rename_imports(tree: ast.AST, renamed: Mapping[str, str]) -> None:
    """Have imports of handed-in modules find them under their other names; what they bind stays."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            node.module = _rename(node.module, renamed)
        elif isinstance(node, ast.Import):
            for alias in [alias for alias in node.names if alias.name.partition(".")[0] in renamed]:
                top = alias.name.partition(".")[0]
                alias.name = _rename(alias.name, renamed)
                if alias.asname is None and alias.name == renamed[top]:
                    alias.asname = top
                elif alias.asname is None:  # `import code.layers` binds `code`
                    node.names.append(ast.copy_location(ast.alias(renamed[top], top), alias))
