"""Parse a text, and put Python's complaints into plain words."""

import ast
import re
from functools import lru_cache

from grader.model import Place, Problem
from grader.records import dataclass
from grader.submission.bindings import FUNCTIONS, walk_statements
from grader.submission.errors import SubmissionError, failed
from grader.submission.name_submissions import printable
from grader.submission.newer_syntax import find_newer_syntax, parse_once

# CPython's tree takes some 900 bytes a byte of source at worst (256 KiB of "a\n": 240 MB); whole solutions take 30 KB.
LARGEST = 256 * 1024
LARGEST_IN_ALL = 512 * 1024  # of one submission
_LONGEST_QUOTE = 160

# (Python's message, the line, what it is, how to write it); the first whose two patterns are found is told.
_PYTHON_2 = (
    (r"call to 'print'", r"", "print statement", "print({0})"),
    (r"call to 'exec'", r"", "exec statement", "exec(...)"),
    (r"", r"^\s*print\s+[^\s(=]", "print statement", "print({0})"),
    (r"", r"^\s*exec\s+['\"\w]", "exec statement", "exec(...)"),
    (r"", r"^\s*except\b[^:#]*,\s*\w+\s*:", "except clause with a comma", "except ValueError as error:"),
    (r"", r"^\s*raise\s+\w+\s*,", "raise statement with a comma", 'raise ValueError("...")'),
    (r"leading zeros", r"", "octal number", "0o777 for 0777"),
    (r"invalid (?:decimal|octal|hexadecimal) literal", r"\b\d+[lL]\b", "long number", "10 for 10L"),
    (r"", r"<>", "comparison with <>", "!="),
    (r"", r"`[^`]+`", "backticks", "repr(...)"),
    (r"", r"\b[uU][rR]['\"]", "ur'' text", "r'...'"),
    (r"", r"\blambda\s*\(", "lambda with a tuple as its parameter", "lambda pair: pair[0]"),
)
# (Python's message, what to do about it)
_PLAIN = (
    (r"inconsistent use of tabs", "Tabs and spaces are mixed in the indentation: use four spaces everywhere"),
    (r"expected an indented block", "Nothing is indented below that line: write the body, or `pass` for now"),
    (
        r"unindent does not match",
        "The indentation matches no block above: line it up with the block that it belongs to",
    ),
    (r"unexpected indent", "The line is indented further than its block: line it up with the lines above"),
    (r"was never closed", "A bracket is opened there and not closed before the end"),
    (r"unmatched|does not match opening", "A closing bracket does not match an opening one"),
    (r"unterminated|EOL while|EOF while", "A text in quotes is not closed"),
    (r"invalid character|non-printable", "Python does not know a character, perhaps from copying: type it again"),
    (r"null bytes", "The file holds null characters: it is damaged, or it is not a text file"),
    (r"expected ':'", "A colon is missing at the end of the line"),
    (r"Maybe you meant '=='", "A single = is written instead of ==, or a value instead of a name"),
    (r"perhaps you forgot a comma", "A comma or an operator is missing between two values"),
    (r"duplicate argument", "Two parameters of one function have the same name"),
    (
        r"'return' outside function",
        "The line belongs to a method but lost its indentation: line it up with the method's other lines",
    ),
    (r"unexpected EOF", "The text ends in the middle of a statement"),
)


@dataclass(frozen=True)
class Complaint:
    """What is wrong with a text, and where."""

    place: Place
    message: str  # for the student, in whole sentences
    short: str  # the same for an exception's message

    @property
    def problem(self) -> Problem:
        """The complaint as a submission's problem."""
        return Problem("failed_to_load", self.message, self.place)


def quote(line: str) -> str:
    """Return a student's line for a report, shortened and without control characters."""
    line = line.replace("\t", "    ")
    cut = line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}..."
    return printable(cut)


@lru_cache(maxsize=64)
def lines_of(source: str) -> list[str]:
    """Return the lines of a cell or file; cached, because many places are looked up."""
    return source.split("\n")


def place_in(label: str, source: str, line: int) -> Place:
    """Return a line of a cell or file with its text; a line beyond the end has none."""
    lines = lines_of(source)
    return Place(label, line, quote(lines[line - 1]) if 1 <= line <= len(lines) else "")


def parse(source: str, label: str, written_for: str = "") -> list[ast.stmt]:
    """Return the syntax tree of one cell or file; `written_for` : the Python version that a notebook names, or "".

    Raises SubmissionError, with where and how to mend it, for what is not Python 3, too large or too deeply nested.
    """
    if len(source) > LARGEST:
        raise failed(
            f"{label} holds {len(source) // 1024:,} KiB of code, and the grader reads at most {LARGEST // 1024} KiB. "
            "Load data from files instead of writing them into the code."
        )
    try:
        return parse_strictly(source)
    except SyntaxError as error:
        raise SubmissionError(explain_syntax_error(error, source, label, written_for).problem) from error
    except (RecursionError, MemoryError) as error:
        # CPython's parser gives up by itself long before its stack ends: 6,000 levels, or 200 brackets.
        raise failed(f"{label} is nested too deeply for Python to read. Split the expression into steps.") from error
    except ValueError as error:
        raise failed(f"{label} cannot be read as Python: {error}.") from error


def parse_strictly(text: str) -> list[ast.stmt]:
    """Return the syntax tree of a text; refuse a `return` outside a method, which lost its indentation."""
    body = parse_once(text)
    inner = (
        part for node in body if isinstance(node, ast.ClassDef) for part in walk_statements(node, but_not=FUNCTIONS)
    )
    for part in inner:
        if isinstance(part, ast.Return):
            raise syntax_error_at("'return' outside function", part.lineno)
    return body


def syntax_error_at(said: str, line: int) -> SyntaxError:
    """Return the SyntaxError that Python would raise at a line."""
    error = SyntaxError(said)
    error.lineno = line
    return error


def explain_syntax_error(
    error: SyntaxError, source: str, label: str, written_for: str = "", first_line: int = 1, text: str | None = None
) -> Complaint:
    """Return what Python found wrong with a cell or file, in plain words.

    text : the part that it refused, which begins at `first_line` of the source; or the whole source.
    """
    later = find_newer_syntax(source if text is None else text, written_for)
    if later:
        place = place_in(label, source, later.line + first_line - 1)
        return Complaint(place, f"{later.words(written_for)} at {place}. {later.mend}.", later.short())
    place = place_in(label, source, (error.lineno or 1) + first_line - 1)
    old = _python_2(error.msg or "", place.text)
    if old:
        message = f"Written for Python 2: {old[0]} at {place}. This grader runs Python 3: write {old[1]}."
        return Complaint(place, message, f"it holds Python 2's {old[0]}; in Python 3 write {old[1]}")
    # Python counts from the beginning of what it was given.
    said = re.sub(r"(?<=\bline )\d+", lambda found: str(int(found[0]) + first_line - 1), error.msg or "invalid syntax")
    said = printable(said)
    plain = next((words for pattern, words in _PLAIN if re.search(pattern, said, re.IGNORECASE)), "")
    if re.match(r"<{7}|={7}|>{7}", place.text):
        plain = "It is the mark of a Git merge: resolve the merge first"
    message = f"Python cannot read {place}. Python says: {said}." + (f" {plain}." if plain else "")
    return Complaint(place, message, said)


def _python_2(said: str, line: str) -> tuple[str, str] | None:
    """Return the Python 2 syntax in a line, and how to write it in Python 3."""
    code = line.split("#", maxsplit=1)[0]
    for message, text, what, write in _PYTHON_2:
        if re.search(message, said) and re.search(text, code):
            printed = re.search(r"\bprint\s+(.*?)[,;\s]*$", code)
            return what, write.format(printed[1] if printed and len(printed[1]) < 80 else "...")
    return None
