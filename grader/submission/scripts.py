"""Read .py files that tools made of notebooks as the notebooks that they were: nbconvert, Colab, jupytext, Databricks, marimo."""

import ast
import re
import textwrap
from contextlib import suppress
from typing import TypeGuard

from grader.submission.bindings import FUNCTIONS, names_stored, walk
from grader.submission.cells import Translated, translate
from grader.submission.newer_syntax import parses
from grader.submission.salvage import CELL_MARK

_COLAB = "# Commented out IPython magic to ensure Python compatibility."
_COMMENTED = re.compile(r"#[ \t]?(?P<text>.*)")
# jupytext writes a comment that stood in the notebook as `# # %time`, so this was a magic.
_JUPYTEXT_MAGIC = re.compile(r"(?P<indent>[ \t]*+)#[ \t]+(?P<text>%[a-z]\w*\b.*)")
_CELL_MAGIC_CALL = re.compile(r"get_ipython\(\)\s*\.\s*run_cell_magic\((?P<arguments>.*)\)[ \t]*;?[ \t]*")
_LARGEST_MARIMO = 256 * 1024


def translate_script(source: str) -> tuple[Translated, bool]:
    """Return a .py file as Python, cell by cell where it has marks such as ``# %%``, and whether its lines are the file's."""
    lines = source.split("\n")
    starts = {0} | {number for number, line in enumerate(lines) if CELL_MARK.match(line)}
    if "Commented out IPython magic" in source:
        starts |= _uncomment_colab(lines)
    elif "# MAGIC " in source:
        _uncomment_databricks(lines)
    elif "jupytext" in source and source.lstrip().startswith("# ---"):
        lines = [_JUPYTEXT_MAGIC.sub(r"\g<indent>\g<text>", line) for line in lines]
    unfolded = _unfold_cell_magics(lines, starts)
    text = "\n".join(lines)
    if "marimo" in text and "App(" in text and len(text) <= _LARGEST_MARIMO:
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            lines = _without_marimo(text, starts)
            text = "\n".join(lines)
    if unfolded is None and parses(text):
        return _gather([translate(text)]), True
    if unfolded is not None:
        lines, starts = unfolded
    order = sorted(starts)
    regions = ["\n".join(lines[first:end]) for first, end in zip(order, [*order[1:], len(lines)], strict=True)]
    return _gather([translate(region) for region in regions]), unfolded is None


def _gather(parts: list[Translated]) -> Translated:
    """Join translated cells to one text of the same lines."""
    script, texts, before = Translated(""), list[str](), 0
    for part in parts:
        script.magics += part.magics
        script.runs += [(before + line, path) for line, path in part.runs]
        script.dropped += [(before + line, text) for line, text in part.dropped]
        height = part.source.count("\n") + 1
        if part.writes:
            script.written.append(part)
        texts.append("\n" * (height - 1) if part.writes else part.source)
        before += height
    script.source = "\n".join(texts)
    return script


def _uncomment_colab(lines: list[str]) -> set[int]:
    """Undo Colab's comments below its own line, of a magic alone or of a whole cell; return where such cells begin and end."""
    starts: set[int] = set()
    for number, line in enumerate(lines):
        if line.strip() != _COLAB or number + 1 == len(lines):
            continue
        at = number + 1
        is_cell = lines[at].startswith("# %%")
        while at < len(lines) and (found := _COMMENTED.fullmatch(lines[at])):
            if is_cell or found["text"].startswith(("%", "!")):
                lines[at] = found["text"]
            at += 1
        starts |= {number + 1, at} if is_cell and at < len(lines) else {number + 1} if is_cell else set()
    return starts


def _uncomment_databricks(lines: list[str]) -> None:
    """Undo Databricks' comments where a cell was Python's: `# MAGIC %run ./helpers`, but not `# MAGIC %md`."""
    is_python = False
    for number, line in enumerate(lines):
        if not line.startswith("# MAGIC"):
            is_python = False
            continue
        text = line.removeprefix("# MAGIC").removeprefix(" ")
        is_first = not lines[number - 1].startswith("# MAGIC") if number else True
        if is_first or text.startswith("%"):
            is_python = re.match(r"%(?:run|python|%)", text) is not None
        if is_python:
            lines[number] = "" if text.strip() == "%python" else text


def _unfold_cell_magics(lines: list[str], starts: set[int]) -> tuple[list[str], set[int]] | None:
    """Return the lines with nbconvert's ``get_ipython().run_cell_magic("time", "", "...")`` as cells again; None for none."""
    new: list[str] = []
    at: set[int] = set()
    found_any = False
    for number, line in enumerate(lines):
        at |= {len(new)} if number in starts else set()
        call = _CELL_MAGIC_CALL.fullmatch(line)
        given: tuple[object, ...] = ()
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            given = ast.literal_eval(f"({call['arguments']},)") if call else ()
        match given:
            case (str(name), str(rest), str(body)):
                found_any = True
                at |= {len(new)}
                new += [f"%%{name} {rest}", *body.rstrip("\n").split("\n")]
                at |= {len(new)}
            case _:
                new.append(line)
    return (new, {start for start in at if start < len(new)}) if found_any else None


# ---------------------------------------------------------------- marimo


def _without_marimo(text: str, starts: set[int]) -> list[str]:
    """Return a marimo notebook with the bodies of its cells at the margin, each line where it was.

    starts : gets where a cell begins that is kept as a text, since Python cannot read it.
    """
    lines = text.split("\n")
    names: dict[str, ast.stmt] = {}
    tree = ast.parse(text)
    apps = {name for node in tree.body if _makes_app(node) for name in names_stored(node.targets)}
    for node in tree.body:
        body: list[ast.stmt] = [node]
        if isinstance(node, ast.With) and any(_is_of(apps, item.context_expr) for item in node.items):
            body = node.body
            _move_to_margin(lines, node.lineno, body, node.end_lineno or node.lineno)
        elif isinstance(node, ast.Expr) and _is_of(apps, node.value):
            if held := _held_as_text(node.value):
                starts |= {node.lineno - 1, node.end_lineno or node.lineno}
                lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
                lines[held.lineno - 1 : held.end_lineno] = textwrap.dedent(str(held.value)).split("\n")
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)) and any(_is_of(apps, one) for one in node.decorator_list):
            first = node.decorator_list[0].lineno
            if isinstance(node, FUNCTIONS) and any("cell" in ast.unparse(one) for one in node.decorator_list):
                body = [part for part in node.body if not isinstance(part, ast.Return)]
                _move_to_margin(lines, first, body, node.end_lineno or node.lineno)
            else:
                lines[first - 1 : node.lineno - 1] = [""] * (node.lineno - first)
        for part in body:
            names |= dict.fromkeys(_names_of_value(part), part)
    return [*lines, *_last_definitions(names)]


def _makes_app(node: ast.stmt) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign) and re.fullmatch(r"(?:\w+\.)?App\(.*\)", ast.unparse(node.value)) is not None


def _is_of(apps: set[str], node: ast.expr) -> bool:
    """Return whether a decorator, context or call is ``app.cell``, ``app.setup(...)`` and the like."""
    node = node.func if isinstance(node, ast.Call) else node
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in apps


def _held_as_text(call: ast.expr) -> ast.Constant | None:
    """Return the text of ``app._unparsable_cell(...)``, which marimo's converter makes of a cell with magics, if its lines are as many."""
    match call:
        case ast.Call(func=ast.Attribute(attr="_unparsable_cell"), args=[ast.Constant(value=str(text)) as held, *_]):
            return held if text.count("\n") == (held.end_lineno or 0) - held.lineno else None
    return None


def _move_to_margin(lines: list[str], first: int, body: list[ast.stmt], last: int) -> None:
    """Keep of the lines from `first` to `last` only the statements of a body, moved to the margin."""
    inside = {  # a text in triple quotes keeps its own blanks
        number
        for part in body
        for text in walk(part)
        if isinstance(text, (ast.Constant, ast.JoinedStr)) and (text.end_lineno or 0) > text.lineno
        for number in range(text.lineno + 1, (text.end_lineno or 0) + 1)
    }
    kept: dict[int, str] = {}
    for part in body:
        decorated = [one.lineno for one in getattr(part, "decorator_list", [])]
        for number in range(min([part.lineno, *decorated]), (part.end_lineno or part.lineno) + 1):
            line = lines[number - 1]
            kept[number] = line if number in inside else line[min(part.col_offset, len(line) - len(line.lstrip())) :]
    for number in range(first, last + 1):
        lines[number - 1] = kept.get(number, "")


def _names_of_value(node: ast.stmt) -> set[str]:
    """Return the class that a statement defines, or the names that it assigns."""
    if isinstance(node, ast.ClassDef):
        return {node.name}
    return names_stored(node.targets) if isinstance(node, ast.Assign) else set()


def _last_definitions(names: dict[str, ast.stmt]) -> list[str]:
    """Return lines that give classes and tables their own names again: marimo's converter numbers a second definition."""
    last: dict[str, int] = {}
    for name, node in names.items():
        base, _, number = name.rpartition("_")
        is_kind = isinstance(node, ast.ClassDef) or (
            isinstance(node, ast.Assign) and isinstance(node.value, (ast.Dict, ast.Call))
        )
        if base in names and number.isdecimal() and is_kind and type(names[base]) is type(node):
            last[base] = max(last.get(base, 0), int(number))
    return [f"{base} = {base}_{number}" for base, number in last.items()]
