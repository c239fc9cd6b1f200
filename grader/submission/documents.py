"""Read notebooks and .py files into cells of Python; a file that cannot be read keeps its fault for later."""

import codecs
import io
import json
import re
import tokenize
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePosixPath

from grader.model import Place, Problem
from grader.records import dataclass, replace
from grader.submission.cells import Cell, Translated, translate
from grader.submission.errors import SubmissionError, failed
from grader.submission.name_submissions import printable
from grader.submission.notebook_json import python_version, read_json, split_cells
from grader.submission.read_files import File
from grader.submission.scripts import translate_script
from grader.submission.syntax import LARGEST, LARGEST_IN_ALL, quote
from grader.submission.text_notebooks import MARKDOWN, read_deepnote, read_markdown

# Of Python in any encoding: UTF-32 has four bytes for each of the characters that are read.
_MOST_PYTHON = 4 * LARGEST
# Encodings that a .py file may declare: UTF, Latin, Windows' (Chinese, Japanese and Korean among them), and Mac's. Each is
# decoded at once; "punycode" takes hours.
_ENCODINGS = re.compile(
    r"ascii|utf-(?:8|16|32)\S*|iso8859-\d+|cp\d+|koi8-\w|mac-\w+|gb\w+|big5\w*|shift_jis\w*|euc_\w+"
)


@dataclass(frozen=True)
class Document:
    """One notebook or .py file."""

    path: PurePosixPath
    cells: tuple[Cell, ...]  # a .py file is one
    is_notebook: bool = False
    notes: tuple[str, ...] = ()
    magics: int = 0
    prose: str = ""  # Markdown, raw cells and what is cut off, in which a class is sometimes lost
    fault: Problem | None = None  # why there are no cells
    cut: Problem | None = None  # why there are no more cells: the file ends in the middle
    dropped: tuple[Place, ...] = ()  # IPython's lines that nobody can tell the meaning of
    not_handed_in: tuple[Place, ...] = ()  # files that it runs, and where

    @property
    def label(self) -> str:
        """Return its path inside the submission, safe for a message."""
        return printable(str(self.path))


def read_documents(files: Sequence[File]) -> list[Document]:
    """Return a document for each file, and for each helper module that a notebook writes with ``%%writefile``."""
    found: dict[PurePosixPath, Document] = {}
    written: dict[PurePosixPath, Document] = {}
    alike = Counter(file.path.name for file in files)
    for file in files:
        is_python = file.path.suffix.lower() in {".py", ".txt"} and not file.data[:100].lstrip().startswith(b"{")
        if is_python and len(file.data) > _MOST_PYTHON:
            found[file.path] = _too_large(file)
            continue
        text, notes = _decode(file)
        is_misnamed = text.lstrip()[:1] == "{" and '"cells"' in text and '"nbformat"' in text  # with the ending .py
        try:
            if is_misnamed or file.path.suffix.lower() == ".ipynb":
                found[file.path] = _notebook(file.path, text, notes, written)
            elif file.path.suffix.lower() in {*MARKDOWN, ".deepnote"}:
                found[file.path] = _text_notebook(file.path, text, notes, written)
            else:
                # The path where the name alone would not tell two files apart.
                label = file.path.name if alike[file.path.name] == 1 else str(file.path)
                found[file.path] = _script(file.path, printable(label), text, notes, written)
        except SubmissionError as error:
            found[file.path] = Document(file.path, (), is_notebook=True, prose=text, fault=error.problem)
    return list((found | written).values())


def _decode(file: File) -> tuple[str, tuple[str, ...]]:
    """Return a file's text, decoded by its byte order mark or null bytes, by a .py file's own declaration, or as UTF-8."""
    encoding: str = json.detect_encoding(file.data)
    if encoding == "utf-8" and file.path.suffix.lower() in {".py", ".txt"}:
        with suppress(SyntaxError):  # an encoding that Python does not know
            declared = codecs.lookup(tokenize.detect_encoding(io.BytesIO(file.data).readline)[0]).name
            encoding = declared if _ENCODINGS.fullmatch(declared) else encoding
    notes: tuple[str, ...] = ()
    try:
        text = file.data.decode(encoding)
    except (UnicodeError, LookupError):
        text = file.data.decode("cp1252", errors="replace")
        notes = (f"{printable(str(file.path))} is not UTF-8; it was read as Windows-1252",)
    return _with_plain_ends(text), notes


def _too_large(file: File) -> Document:
    """Return a .py file that is not even decoded; a class that is named in it counts as lost there."""
    label = printable(str(file.path))
    fault = failed(
        f"{label} holds {len(file.data) >> 10:,} KiB, and at most {LARGEST >> 10} KiB of code are read. "
        "Load data from files instead of writing them into the code."
    )
    return Document(file.path, (), prose=file.data[:_MOST_PYTHON].decode("ascii", "replace"), fault=fault.problem)


def _with_plain_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _notebook(
    path: PurePosixPath, text: str, notes: tuple[str, ...], written: dict[PurePosixPath, Document]
) -> Document:
    """Return a notebook's cells; files from %%writefile go into `written`."""
    shown = printable(str(path))
    content, cut = read_json(shown, text)
    code, prose, strange = split_cells(shown, content)
    if cut:
        which = "one whole cell was" if len(content["cells"]) == 1 else f"{len(content['cells'])} whole cells were"
        notes += (f"{cut.message} Its {which} read anyway",)
    if strange:
        notes += (f"{shown} breaks the notebook format ({printable(strange)}), but its cells were read",)
    # JSON can hold half a surrogate pair, which no UTF-8 can, so that it could be neither compiled nor sent on.
    clean = [source.encode(errors="replace").decode() for source in code]
    if clean != code:
        notes += (f"{shown} holds broken characters, which became question marks",)
    sources = [_with_plain_ends(source) for source in clean]
    prose = [_with_plain_ends(source) for source in ([text] if cut else []) + prose]
    found = _of_cells(path, sources, python_version(content), written)
    return replace(found, notes=notes, prose="\n".join(prose), cut=cut)


def _text_notebook(
    path: PurePosixPath, text: str, notes: tuple[str, ...], written: dict[PurePosixPath, Document]
) -> Document:
    """Return the cells of a notebook that is kept as Markdown or YAML."""
    is_project = path.suffix.lower() == ".deepnote"
    sources = read_deepnote(printable(str(path)), text) if is_project else read_markdown(text)
    return replace(_of_cells(path, sources, "", written), notes=notes)


def _script(
    path: PurePosixPath, label: str, text: str, notes: tuple[str, ...], written: dict[PurePosixPath, Document]
) -> Document:
    """Return a .py file as one cell; files from %%writefile go into `written`."""
    if len(text) > LARGEST:  # it is never parsed
        return Document(path, (Cell(label, text),), notes=notes)
    script, has_own_lines = translate_script(text)
    if not has_own_lines:
        label = f"{label} with its cell magics unfolded"
    for part in script.written:
        _write(path.parent, part, "", written)
    cell = Cell(label, script.source, runs=tuple(script.runs))
    dropped = tuple(Place(label, line, quote(said)) for line, said in script.dropped)
    return Document(path, (cell,), notes=notes, magics=script.magics, dropped=dropped)


def _of_cells(
    path: PurePosixPath, sources: list[str], version: str, written: dict[PurePosixPath, Document]
) -> Document:
    """Return a notebook of these code cells without magics; what %%writefile writes is set aside."""
    code: list[Cell] = []
    dropped: list[Place] = []
    magics = size = 0
    for number, source in enumerate(sources, start=1):
        size += len(source) if len(source) <= LARGEST else 0
        # Beyond the caps it is never parsed, and a million lines would take a second.
        found = translate(source) if len(source) <= LARGEST and size <= LARGEST_IN_ALL else Translated(source)
        magics += found.magics
        label = f"code cell {number}"
        dropped += [Place(label, line, quote(text)) for line, text in found.dropped]
        if found.writes:
            _write(path.parent, found, version, written, label)
        else:
            code.append(Cell(label, found.source, version, runs=tuple(found.runs)))
    return Document(path, tuple(code), is_notebook=True, magics=magics, dropped=tuple(dropped))


def _write(
    folder: PurePosixPath, found: Translated, version: str, written: dict[PurePosixPath, Document], label: str = ""
) -> None:
    """Keep the text of a ``%%writefile`` cell as if its file had been handed in; nothing is ever written."""
    target = PurePosixPath(found.writes.replace("\\", "/"))
    if target.suffix != ".py":
        return
    path = folder.joinpath(*(part for part in target.parts if part not in {"/", "..", "."}))
    label, source = label or printable(path.name), found.source
    if found.appends and path in written:
        label, source = printable(path.name), f"{written[path].cells[0].source}\n{source}"
    written[path] = Document(path, (Cell(label, source, version),))
