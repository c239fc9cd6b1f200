"""Read notebooks that are kept as text: jupytext's Markdown, MyST, R Markdown, Quarto, Deepnote; and tell them from other texts."""

import importlib
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from grader.submission.errors import failed

MARKDOWN = frozenset({".md", ".markdown", ".rmd", ".qmd"})
# Whether a file with one of these endings is a program, its content tells.
MAYBE = (".md", ".markdown", ".rmd", ".qmd", ".deepnote", ".txt", ".json")
_MOST_CELLS = 5_000
_FENCE = re.compile(r"[ ]{0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)")
# ```python, ```{python}, ```{.python .input}, ```{code-cell} ipython3
_PYTHON = re.compile(r"\{?\.?(?:i?python3?|py)\b|\{code-cell\}(?![ \t]*(?:r|julia|bash)\b)", re.IGNORECASE)
_OPTION = re.compile(r":[\w-]+:.*")
# jupytext writes a comment that stood in the notebook as `# # %time`, so this was a magic.
_COMMENTED_MAGIC = re.compile(r"^#[ \t]+(?=%[a-z]\w*\b|%%[a-z])", re.MULTILINE)
_FRONT = re.compile(rb"\A\s*---\r?\n(?:(?!---)[^\n]*\n){0,60}?\s*(?:jupytext|jupyter|kernelspec):", re.IGNORECASE)
_CLASS = re.compile(rb"^class[ \t]+\w+[^\n]*:[ \t\r]*$", re.MULTILINE)
_METHOD = re.compile(rb"^[ \t]+(?:async[ \t]+)?def[ \t]+\w+[ \t]*\([ \t]*self\b", re.MULTILINE)
_FENCED = re.compile(rb"^(?:`{3,}|~{3,})[ \t]*\{?\.?(?:i?python|code-cell)", re.MULTILINE | re.IGNORECASE)


def holds_program(name: str, data: bytes) -> bool:
    """Return whether a file whose ending does not tell is a notebook or a Python program, by its content."""
    ending = PurePosixPath(name).suffix.lower()
    if data[:100].lstrip().startswith(b"{"):
        return b'"cells"' in data and b'"nbformat"' in data
    if ending == ".deepnote":
        return b"blocks:" in data
    has_class = _CLASS.search(data) is not None and _METHOD.search(data) is not None
    if ending in MARKDOWN:
        is_readme = PurePosixPath(name).stem.lower() == "readme"
        is_notebook = (has_class and not is_readme) or _FRONT.match(data) is not None
        return is_notebook and _FENCED.search(data) is not None
    return ending == ".txt" and has_class


def read_markdown(text: str) -> list[str]:
    """Return the Python cells of a Markdown text, each as the lines between its fences."""
    cells: list[str] = []
    held: list[str] | None = None  # of the fence that is open, None where none is
    fence, is_python = "", False
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if held is None:
            if found:
                held, fence, is_python = [], found["fence"], _PYTHON.match(found["info"]) is not None
        elif found and found["fence"].startswith(fence) and not found["info"].strip():
            cells += [_without_options(held)] if is_python else []
            held = None
        else:
            held.append(line)
    return [*cells, _without_options(held)] if held and is_python else cells


def _without_options(lines: list[str]) -> str:
    """Return a cell's text without MyST's options before it, and with jupytext's commented magics as they were."""
    first = 0
    if lines[:1] == ["---"] and "---" in lines[1:]:
        first = lines.index("---", 1) + 1
    while first < len(lines) and _OPTION.fullmatch(lines[first]):
        first += 1
    return _COMMENTED_MAGIC.sub("", "\n".join([*[""] * first, *lines[first:]]))


def read_deepnote(shown: str, text: str) -> list[str]:
    """Return the code blocks of a Deepnote project, which is YAML; raise SubmissionError where it cannot be read."""
    try:
        yaml: Any = importlib.import_module("yaml")  # an optional extra
    except ImportError as error:
        raise failed(
            f"{shown} is a Deepnote project, which the grader reads where PyYAML is installed. Export it as a notebook"
            f" (.ipynb) in Deepnote, or run `npx @deepnote/convert {shown}`, and hand in that file."
        ) from error
    try:
        content = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise failed(
            f"{shown} cannot be read as YAML. Export it as a notebook (.ipynb), and hand in that file."
        ) from error
    return list(islice(_code_blocks(content), _MOST_CELLS))


def _code_blocks(content: Any) -> Iterator[str]:
    project = content.get("project") if isinstance(content, dict) else None
    notebooks = project.get("notebooks") if isinstance(project, dict) else None
    for notebook in islice(notebooks, _MOST_CELLS) if isinstance(notebooks, list) else ():
        blocks = notebook.get("blocks") if isinstance(notebook, dict) else None
        held = [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
        for block in sorted(held, key=lambda block: str(block.get("sortingKey", ""))):
            if block.get("type") == "code" and isinstance(block.get("content"), str):
                yield block["content"]
