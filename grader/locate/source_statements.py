"""The student's text, statement by statement: where each begins, and which names it reads."""

import ast
import re
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice, takewhile

from grader.model import CLASSIC, Methods, Place, Segment, Submission
from grader.records import dataclass
from grader.submission.bindings import FUNCTIONS, assigned_targets, names_stored

_HOLDERS = (ast.stmt, ast.excepthandler, ast.match_case)
_KEYS = re.compile(r"\[(?:'([^']*)'|(\d+))\]")
_MOST_LINKS = 8  # self.params["W1"][0].T.dot has five
_LONGEST = 40  # nodes of a name such as self.params["W1"][0], which has twelve
_PART = re.compile(r"\[(?:'([^']*)'|(-?\d+))\]$")


@dataclass(frozen=True)
class Reads:
    """The names that a statement reads. parts : what it reads by a constant key or as an attribute, such as "grads['W1']" and "self.x"."""

    names: frozenset[str]
    parts: frozenset[str]


@dataclass(frozen=True)
class Statements:
    """All statements of a submission, by label and line."""

    lines: Mapping[str, list[str]]
    by_line: Mapping[tuple[str, int], ast.stmt]
    around: Mapping[ast.stmt, ast.stmt]  # the statement that a statement stands in
    methods: Methods = CLASSIC  # what the assignment calls the three methods

    def start(self, label: str, line: int) -> int:
        """Return the first line of the statement that a line belongs to."""
        found = self.by_line.get((label, line))
        return found.lineno if found is not None else line

    def place(self, label: str, line: int) -> Place | None:
        """Return a line with its text; None where there is none such."""
        lines = self.lines.get(label)
        return Place(label, line, lines[line - 1]) if lines and 1 <= line <= len(lines) else None

    def reads(self, label: str, line: int, name: str = "") -> Reads:
        """Return what the statement at a line reads; with a name such as "return[0]", for that part of its value alone."""
        found = self.by_line.get((label, line))
        if found is None:
            return Reads(frozenset(), frozenset())
        part = _part(found, name)
        return _reads(found if part is None else part)

    def enclosing(self, label: str, line: int, kinds: tuple[type[ast.stmt], ...]) -> list[int]:
        """Return the lines of the statements of some kinds around a line in its function, the innermost first."""
        inside = takewhile(lambda node: not isinstance(node, FUNCTIONS), self._outwards(label, line))
        return [node.lineno for node in islice(inside, 1, None) if isinstance(node, kinds)]

    def naming(self, label: str, within: int, *words: str) -> list[int]:
        """Return the statements of the function around a line that set something and name all of these words."""
        sets = [one for one in self._of_function(label, within) if assigned_targets(one)]
        return [one.lineno for one in sets if all(word in ast.unparse(one) for word in words)]

    def definition(self, method: str) -> tuple[str, int] | None:
        """Return the label and line of a method, where it is written last; None where it is not."""
        own = vars(self.methods)[method]
        found = [at for at, node in self.by_line.items() if isinstance(node, FUNCTIONS) and node.name == own]
        return found[-1] if found else None

    def setting(self, label: str, within: int, key: str) -> int | None:
        """Return the last statement of the function around a line that sets a gradient by its key; None where none does."""
        found = [
            one.lineno
            for one in self._of_function(label, within)
            if isinstance(one, ast.Assign)
            for target in one.targets
            if isinstance(target, ast.Subscript)
            and isinstance(target.slice, ast.Constant)
            and target.slice.value == key
        ]
        return found[-1] if found else None

    def binds(self, label: str, line: int, name: str) -> bool:
        """Return whether a statement gives a name a new value, and does not change the one that it has."""
        node = self.by_line.get((label, line))
        return isinstance(node, ast.Assign) and name in names_stored(node.targets)

    def literal_loop(self, label: str, line: int) -> int | None:
        """Return the line of the loop around a line that goes through names written out in it; None where there is none."""
        loops = (node for node in islice(self._outwards(label, line), 1, None) if isinstance(node, ast.For))
        return next((loop.lineno for loop in loops if isinstance(loop.iter, ast.List | ast.Tuple)), None)

    def _outwards(self, label: str, line: int) -> Iterator[ast.stmt]:
        """Yield the statement at a line and those that it stands in, the innermost first."""
        node = self.by_line.get((label, line))
        while node is not None:
            yield node
            node = self.around.get(node)

    def _of_function(self, label: str, line: int) -> list[ast.stmt]:
        """Return the statements of the function around a line."""
        function = next((node for node in self._outwards(label, line) if isinstance(node, FUNCTIONS)), None)
        return list(_walk_statements(function)) if function else []

    def compares(self, label: str, line: int) -> bool:
        """Return whether a statement compares something, as a ReLU's mask does."""
        node = self.by_line.get((label, line))
        return node is not None and any(isinstance(part, ast.Compare) for part in ast.walk(node))

    def is_loop(self, label: str, line: int) -> bool:
        """Return whether a statement is a loop."""
        return isinstance(self.by_line.get((label, line)), ast.For | ast.While)

    def stores_into(self, label: str, line: int, names: set[str]) -> bool:
        """Return whether a statement changes entries of one of these names, or updates it in place."""
        node = self.by_line.get((label, line))
        return any(
            (isinstance(target, ast.Subscript) and ast.unparse(target.value) in names)
            or (isinstance(node, ast.AugAssign) and ast.unparse(target) in names)
            for target in (assigned_targets(node) if node else ())
        )

    def part_line(self, label: str, line: int, name: str) -> int:
        """Return the line of one entry of a dict that is written over several lines; else the statement's own."""
        node, found = self.by_line.get((label, line)), _PART.search(name)
        if node is None or found is None or node.end_lineno == node.lineno:
            return line
        for part in ast.walk(node):
            if isinstance(part, ast.Dict):
                for key, value in zip(part.keys, part.values, strict=True):
                    if isinstance(key, ast.Constant) and str(key.value) == (found[1] or found[2]):
                        return value.lineno
            if isinstance(part, ast.keyword) and part.arg == found[1]:
                return part.value.lineno
        return line


@lru_cache(maxsize=4)
def statements(submission: Submission, methods: Methods = CLASSIC) -> Statements:
    """Return the statements of a submission's cells and files; what does not parse has none."""
    lines: dict[str, list[str]] = {}
    by_line: dict[tuple[str, int], ast.stmt] = {}
    around: dict[ast.stmt, ast.stmt] = {}
    for segment in (*(module.segment for module in submission.modules), *submission.segments):
        lines[segment.label] = segment.quoted.splitlines()
        for node in _walk(segment):
            around |= {inner: node for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.stmt)}
            body = getattr(node, "body", None)
            end = node.end_lineno or node.lineno
            if isinstance(body, list) and body:  # of an `if`, the line of the `if` itself
                end = max(node.lineno, body[0].lineno - 1)
            for line in range(node.lineno, end + 1):
                by_line[segment.label, line] = node
    return Statements(lines, by_line, around, methods)


def _walk(segment: Segment) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(segment.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return list(_walk_statements(tree))


def _walk_statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements in a node in the order of `ast.walk`, without looking at expressions."""
    waiting = deque([node])
    while waiting:
        part = waiting.popleft()
        if isinstance(part, ast.stmt):
            yield part
        waiting += (one for one in ast.iter_child_nodes(part) if isinstance(one, _HOLDERS))


def _part(statement: ast.stmt, name: str) -> ast.expr | None:
    """Return the expression that makes one part of a tuple or dict that a statement writes out; None where there is none."""
    value = getattr(statement, "value", None) if isinstance(statement, ast.Return | ast.Assign) else None
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        pairs = zip(target.elts, value.elts, strict=True)
        return next((one for to, one in pairs if isinstance(to, ast.Name) and to.id == name), None)
    for key, number in _KEYS.findall(name):
        if isinstance(value, ast.Tuple) and number and int(number) < len(value.elts):
            value = value.elts[int(number)]
        elif isinstance(value, ast.Dict):
            entries = zip(value.keys, value.values, strict=True)
            value = next((one for k, one in entries if isinstance(k, ast.Constant) and k.value == key), None)
        else:
            return None
    return value if isinstance(value, ast.expr) and "[" in name else None


@lru_cache(maxsize=500)
def _reads(statement: ast.stmt | ast.expr) -> Reads:
    looked_at: list[ast.AST] = [statement]
    if isinstance(statement, ast.For | ast.While | ast.If | ast.With):
        looked_at = [part for part in (getattr(statement, "iter", None), getattr(statement, "test", None)) if part]
    names, parts, inside = set[str](), set[str](), set[int]()
    nodes = [node for one in looked_at for node in ast.walk(one)]
    for node in nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            inside.add(id(node.value))
            if isinstance(node.ctx, ast.Load) and (owner := _short_text(node.value)):
                parts.add(f"{owner}[{node.slice.value!r}]")
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            path = _short_text(node)
            parts |= {path} if path and "[" not in path else set()  # of h[i].sum no key is known
        if isinstance(node, ast.Name) and id(node) not in inside and isinstance(node.ctx, ast.Load):
            names.add(node.id)
        if isinstance(node, ast.AugAssign):
            target = _short_text(node.target)
            parts.add(target)
            names.add(target.split("[")[0])
    return Reads(frozenset(names) - {""}, frozenset(parts) - {""})


def _short_text(node: ast.expr) -> str:
    """Return the source of an expression; "" of a long one, which is no name of anything.

    Each link of a chain of two hundred attributes holds all before it: written out one by one they took seconds.
    """
    start: ast.expr = node
    for _ in range(_MOST_LINKS):
        if not isinstance(start, ast.Attribute | ast.Subscript | ast.Call):
            break
        start = start.func if isinstance(start, ast.Call) else start.value
    else:
        return ""
    return "" if len([*islice(ast.walk(node), _LONGEST + 1)]) > _LONGEST else ast.unparse(node)
