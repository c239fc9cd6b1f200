"""Translate IPython into Python, in notebooks' cells and in .py files that tools made of them; no line moves."""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from pathlib import PurePosixPath

from grader.records import dataclass, field
from grader.submission.bindings import FUNCTIONS, IMPORTS, assigned_targets, names_stored, walk, walk_statements
from grader.submission.blocks import indent_of, track_brackets
from grader.submission.errors import SubmissionError
from grader.submission.magics import NOT_THIS_PYTHON, RUN_THEIR_BODY, Meaning, line_magic, nothing_for
from grader.submission.newer_syntax import parses
from grader.submission.salvage import parse_or_salvage

# The class that a cell's functions are added to, with jdc's `%%add_to TwoLayerNet`.
_DOTTED = re.compile(r"[^\W\d]\w*+(?:\.[^\W\d]\w*+)*+")
_CELL_MAGIC = re.compile(r"\s*%%(?P<name>[\w!]+)(?P<rest>.*)")
# None of these can begin a statement of Python. The last alternative is IPython's help, `np.dot?`.
_LINE_MAGIC = re.compile(r"[ \t]*+(?:%+[ \t]*(?P<name>[\w.]*)|[!?]|[^\s\"'#?][^\"'#?]*+\?{1,2}[ \t]*+$)")
_TARGET = r"[^\W\d]\w*+(?:\.[^\W\d]\w*+|\[[^\[\],=]*+\])*+"
_ASSIGNED_MAGIC = re.compile(
    rf"[ \t]*+(?P<to>{_TARGET}(?:[ \t]*+,[ \t]*+{_TARGET})*+)[ \t]*+=[ \t]*+(?:!|%(?!=)[ \t]*(?P<name>\w*))"
)
# What Python's and IPython's own terminals write before a line.
_PROMPT = re.compile(r"^[ \t]*+(?:>>>|In \[\d++\]:|\.{3,}+:?)(?:[ ]|$)")
# As `jupyter nbconvert --to script` writes them, each on one line.
_CALL = re.compile(
    r"[ \t]*+(?:(?P<to>[^\s=#()][^=#()]*+)=[ \t]*+)?get_ipython\(\)\s*\.\s*"
    r"(?P<method>run_line_magic|run_cell_magic|magic|system|getoutput)\((?P<arguments>.*)\)[ \t]*;?[ \t]*$"
)
# Python that may run a file, or speak to IPython.
_SPEAKS = "get_ipython|exec|run_path|importnb|import_module|spec_from_file_location|SourceFileLoader"
_SPEAK = re.compile(rf"\b(?:{_SPEAKS}|execfile)\b")
_RUN_FILE = {"exec", "execfile", "run_path"}
_LEAD_TO_MODULE = {"spec_from_file_location", "SourceFileLoader", "exec_module"}
# What gives a module or its names, and how it is written once the module was imported.
_GIVE_MODULE = dict.fromkeys(["import_module", "module_from_spec", "load_module"], "_run") | {"run_path": "vars(_run)"}
_FILE = re.compile(r"[^\n\0]{1,200}\.(?:py|ipynb)")


@dataclass(frozen=True)
class Cell:
    """One code cell, or a whole .py file, as Python."""

    label: str
    source: str
    written_for: str = ""  # the version of Python that its notebook names
    original: str = ""  # what was handed in, where a part was replaced by what raises an error
    runs: tuple[tuple[int, str], ...] = ()  # the files that it runs before its own statements, and at which lines
    path: PurePosixPath | None = None  # the file that it was taken from, of one that another file runs


@dataclass
class Translated:
    """A text without IPython's own syntax."""

    source: str
    magics: int = 0  # how many lines were replaced
    writes: str = ""  # the file that %%writefile makes of this cell
    appends: bool = False  # %%writefile -a
    runs: list[tuple[int, str]] = field(default_factory=list)  # files that are run, by line
    dropped: list[tuple[int, str]] = field(default_factory=list)  # lines that nobody can tell the meaning of
    written: list[Translated] = field(default_factory=list)  # the cells of a .py file that %%writefile makes files of


def translate(source: str) -> Translated:
    """Return a code cell with IPython's own syntax replaced by Python that binds the same names.

    ``%time`` and ``%%time`` and their like leave what they run, ``%run`` names a file, ``%%writefile`` gives a file's
    text, ``%%add_to TwoLayerNet`` adds lines at the end that make methods of the cell's functions. What binds nothing
    becomes ``pass``. Prompts that were copied from a terminal are taken off.
    """
    if parses(source) and not _speaks(source):
        return Translated(source)
    lines = source.split("\n")
    first = _first_code(lines)
    # As IPython does with a method pasted into a cell of its own.
    indent = indent_of(lines[first]) if first < len(lines) else ""
    lines = [line.removeprefix(indent) for line in lines]
    if first < len(lines) and _PROMPT.match(lines[first]):
        lines = [_PROMPT.sub("", line, count=1) for line in lines]
    found, added_to = Translated(source), ""
    while cell_magic := _CELL_MAGIC.match(lines[first]) if first < len(lines) else None:
        found.magics += 1
        line, lines[first] = lines[first], ""
        name, rest = cell_magic["name"], cell_magic["rest"].split()
        if name in {"writefile", "file"} and rest:
            found.source, found.writes, found.appends = "\n".join(lines), rest[-1].strip("\"'"), "-a" in rest
            return found
        if name == "add_to" and _DOTTED.fullmatch(" ".join(rest)):
            added_to = rest[0]
        elif name in NOT_THIS_PYTHON or (name not in RUN_THEIR_BODY and not _may_be_python(lines)):
            found.source = "\n" * (len(lines) - 1)
            found.dropped += [] if name in NOT_THIS_PYTHON else [(first + 1, line.strip())]
            return found
        first = _first_code(lines)
    _replace_line_magics(lines, found)
    found.source = "\n".join(lines)
    _take_runs(found)
    if added_to:
        with suppress(SubmissionError):  # told when it is parsed again
            body = parse_or_salvage(found.source, "").body
            names = [node.name for node in body if isinstance(node, FUNCTIONS)]
            found.source = "\n".join([found.source, *(f"{added_to}.{name} = {name}" for name in dict.fromkeys(names))])
    return found


def _speaks(source: str) -> bool:
    """Return whether a text may run a file, or speak to IPython; the pattern alone takes as long as reading the tree."""
    return any(word in source for word in _SPEAKS.split("|")) and _SPEAK.search(source) is not None


def _may_be_python(lines: list[str]) -> bool:
    """Return whether the body of a cell magic that is not known is Python, as under ``%%snakeviz``."""
    text = "\n".join(lines)
    return parses(text) or re.search(r"^(?:def|class|import|from)[ \t]+\w", text, re.MULTILINE) is not None


def _first_code(lines: list[str]) -> int:
    return next((number for number, line in enumerate(lines) if line.strip()), len(lines))


def _replace_line_magics(lines: list[str], found: Translated) -> None:
    """Replace magics only where a statement begins: `% b` may continue an expression or be part of a text."""
    depth, quote, continued, at = 0, "", False, 0
    while at < len(lines):
        line, number = lines[at], at
        at += 1
        if not (depth or quote or continued):
            while line.endswith("\\") and at < len(lines) and _is_magic(line):
                line, lines[at] = f"{line[:-1]} {lines[at].strip()}", ""
                at += 1
            meaning = _meaning(line)
            if meaning is not None:
                lines[number] = indent_of(line) + meaning.python
                found.magics += 1
                found.runs += [(number + 1, meaning.runs)] if meaning.runs else []
                found.dropped += [(number + 1, line.strip())] if meaning.is_unknown else []
                continue
        depth, quote, continued = track_brackets(line, depth, quote)


def _is_magic(line: str) -> bool:
    return bool(_ASSIGNED_MAGIC.match(line) or _LINE_MAGIC.match(line))


def _meaning(line: str) -> Meaning | None:
    """Return what a line of IPython's does, or None where it is Python."""
    if "get_ipython" in line and (call := _CALL.match(line)):
        return _meaning_of_call(call)
    if assigned := _ASSIGNED_MAGIC.match(line):
        if assigned["name"]:
            return line_magic(assigned["name"], line[assigned.end() :], assigned["to"])
        return Meaning(nothing_for(assigned["to"]))
    if magic := _LINE_MAGIC.match(line):
        if magic["name"] and not line.rstrip().endswith("?") and not line.lstrip().startswith("%%"):
            return line_magic(magic["name"], line[magic.end() :])
        return Meaning("pass")
    return None


def _meaning_of_call(call: re.Match[str]) -> Meaning | None:
    """Return what ``get_ipython().run_line_magic("time", "x = 1")`` does; None where its arguments are not plain texts."""
    given: tuple[str, ...] = ()
    with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
        given = ast.literal_eval(f"({call['arguments']},)")
    if not given or not all(isinstance(text, str) for text in given) or call["method"] == "run_cell_magic":
        return None
    name, *rest = [*given, ""] if call["method"] == "run_line_magic" else given[0].lstrip("%").partition(" ")[::2]
    target = (call["to"] or "").strip()
    if call["method"] in {"system", "getoutput"}:
        return Meaning(nothing_for(target))
    return line_magic(name, rest[0], target)


def _take_runs(found: Translated) -> None:
    """Put imports in the place of what runs a file, as ``exec(open("helpers.py").read())`` does, and of importlib's ways.

    A path, a text or a spec may come by a name that an earlier line of the cell gave it.
    """
    if not _speaks(found.source):
        return
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        lines, files = found.source.split("\n"), dict[str, str]()
        for node in ast.parse(found.source).body:
            python = None
            if isinstance(node, ast.With) and all(isinstance(part, IMPORTS) for part in node.body):
                python = "; ".join(ast.unparse(part) for part in node.body)
            elif isinstance(node, (ast.Expr, ast.With, ast.Assign)) and not node.col_offset:
                python = _import_for(node, files, found.runs)
            if python is not None and lines[node.lineno - 1][:1].strip():
                height = (node.end_lineno or node.lineno) - node.lineno
                lines[node.lineno - 1 : node.end_lineno] = [python, *[""] * height]
        found.source = "\n".join(lines)


def _import_for(node: ast.stmt, files: dict[str, str], runs: list[tuple[int, str]]) -> str | None:
    """Return the line that does what a statement does with another file; None where it stays as it is.

    files : by name, the file that a name's value comes from; runs : gets the files that are run for their names.
    """
    parts = [part for inner in walk_statements(node) for part in walk(inner)]
    called = {_called(part) for part in parts if isinstance(part, ast.Call)}
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    path = next((text for text in texts if _FILE.fullmatch(text)), "")
    path = path or next((files[part.id] for part in parts if isinstance(part, ast.Name) and part.id in files), "")
    targets = names_stored(part for inner in walk_statements(node) for part in assigned_targets(inner))
    if path:
        files |= dict.fromkeys(targets, path)
    made = next((part for part in parts if isinstance(part, ast.Call) and _called(part) in _GIVE_MODULE), None)
    if made and _called(made) == "import_module":
        path = texts[0].replace(".", "/") if len(texts) == 1 and _DOTTED.fullmatch(texts[0]) else ""
    if not path or not called & (_RUN_FILE | _LEAD_TO_MODULE | _GIVE_MODULE.keys()):
        return None
    if made and isinstance(node, ast.Assign):
        folders = [re.sub(r"\W", "_", part) for part in PurePosixPath(path).parts if part not in {"/", ".."}]
        module = ".".join(folders).removesuffix("_py").removesuffix("_ipynb")
        return f"import {module} as _run; {ast.unparse(node).replace(ast.unparse(made), _GIVE_MODULE[_called(made)])}"
    if called & _RUN_FILE:
        runs.append((node.lineno, path))
    return ""


def _called(call: ast.Call) -> str:
    """Return the last part of the name of what is called."""
    return ast.unparse(call.func).rpartition(".")[2]
