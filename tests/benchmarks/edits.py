"""Right programs with one thing changed in their text: an operator, a constant, a name, a key, a keyword, a statement.

An edit is found in the syntax tree and made in the text, so every line keeps its number.
"""

from __future__ import annotations

import ast
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef
Change = tuple[int, int, str]  # first byte, byte after the last, what stands there instead

METHODS = ("loss", "train", "predict")
# In which order edits are drawn in each style, as long as there are any.
TURNS = ("loss", "train", "loss", "predict", "loss", "train")

OPERATORS: Mapping[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
}
COMPARISONS: Mapping[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Gt: (">", ("<", ">=")),
    ast.Lt: ("<", (">", "<=")),
    ast.GtE: (">=", ("<", ">")),
    ast.LtE: ("<=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
}
CALLS = {
    "max": "min",
    "amax": "amin",
    "argmax": "argmin",
    "maximum": "minimum",
    "sum": "mean",
    "mean": "sum",
    "exp": "log",
    "log": "exp",
    "zeros": "ones",
}
KEYS = {
    "W1": ("W2", "b1"),
    "W2": ("W1",),
    "b1": ("b2",),
    "b2": ("b1",),
    "train_acc_history": ("val_acc_history",),
    "val_acc_history": ("train_acc_history",),
}
NUMBERS = {"0": "1", "1": "2", "2": "1", "0.5": "1.0", ".5": "1.0", "0.0": "1.0", "1.0": "2.0", "2.0": "1.0"}
KEYWORDS = frozenset({"keepdims", "axis", "reg", "size", "replace"})
MIXED_UP = (
    frozenset({"reg", "learning_rate", "learning_rate_decay", "rate", "lr"}),
    frozenset({"N", "D"}),
    frozenset({"num_train", "batch_size", "num_iters", "iterations_per_epoch", "per_epoch"}),
    frozenset({"X", "X_batch", "X_val", "xb"}),
    frozenset({"y", "y_batch", "y_val", "yb"}),
    frozenset({"train_acc_history", "val_acc_history", "loss_history"}),
    frozenset({"num_examples", "num_classes"}),
    frozenset({"batch", "classes"}),
    frozenset({"data_loss", "reg_loss"}),
)


@dataclass(frozen=True)
class Edit:
    """One change of a right program. truth : the lines at which a place counts as exact."""

    style: str
    method: str  # "loss", "train" or "predict": whichever reaches the line, in this order
    kind: str
    line: int
    truth: frozenset[int]
    before: str
    after: str
    text: str  # the whole program


def drawn(styles: Mapping[str, str], seed: int) -> Iterator[Edit]:
    """Yield edits without end of choice: style after style, method after method, each kind as likely as the others.

    styles : the right programs' text, by name.
    """
    chance = random.Random(seed)
    waiting: dict[tuple[str, str], dict[str, list[Edit]]] = defaultdict(lambda: defaultdict(list))
    for style, source in styles.items():
        for edit in every_edit(style, source):
            waiting[style, edit.method][edit.kind].append(edit)
    for kinds in waiting.values():
        for found in kinds.values():
            chance.shuffle(found)
    while any(waiting.values()):
        for method in TURNS:
            for style in styles:
                kinds = waiting[style, method]
                if kinds:
                    kind = chance.choice(sorted(kinds))
                    yield kinds[kind].pop()
                    if not kinds[kind]:
                        del kinds[kind]


def every_edit(style: str, source: str) -> Iterator[Edit]:
    """Yield each edit of a program that still parses and says something else."""
    program = Text(source)
    right, lines = ast.dump(program.tree), source.splitlines()
    reached = methods_of(program.tree)
    for function in functions(program.tree):
        if (method := reached.get(function)) is None or function.name == "__init__":
            continue
        scope = names_of(function)
        for statement in statements(function.body):
            own = statement_lines(statement)
            for kind, (first, end, new) in changes(program, statement, scope):
                text = program.changed(first, end, new)
                try:
                    if ast.dump(ast.parse(text)) == right:
                        continue
                except SyntaxError:
                    continue
                line = program.line_of(first)
                truth = own | neighbours(function, statement) if kind == "statement deleted" else own
                after = text.splitlines()[line - 1]
                yield Edit(style, method, kind, line, truth, lines[line - 1].strip(), after.strip(), text)


class Text:
    """A program's text, and where its syntax tree's nodes stand in it."""

    def __init__(self, source: str) -> None:
        self.tree = ast.parse(source)
        self.bytes = source.encode()
        self.starts = [0]
        for line in self.bytes.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return a node's first byte and the byte after its last."""
        first = self.starts[node.lineno - 1] + node.col_offset
        return first, self.starts[node.end_lineno - 1] + node.end_col_offset

    def line_of(self, byte: int) -> int:
        """Return the number of the line that holds a byte."""
        return sum(start <= byte for start in self.starts)

    def changed(self, first: int, end: int, new: str) -> str:
        """Return the text with something else in one place."""
        return (self.bytes[:first] + new.encode() + self.bytes[end:]).decode()

    def between(self, left: ast.AST, right: ast.AST, old: str, new: str) -> Change | None:
        """Return the change of an operator between two nodes."""
        gap, end = self.span(left)[1], self.span(right)[0]
        at = self.bytes.find(old.encode(), gap, end)
        return None if at < 0 else (at, at + len(old), new)


def changes(program: Text, statement: ast.stmt, scope: Mapping[str, int]) -> Iterator[tuple[str, Change]]:
    """Yield the changes in one statement; of one with a body, in its head alone."""
    for node in own_nodes(statement):
        yield from ((kind, change) for kind, change in node_changes(program, node, statement, scope) if change)
    called = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    if called or isinstance(statement, ast.Assign | ast.AugAssign):
        first, end = program.span(statement)
        yield "statement deleted", (first, end, "pass" + "\n" * program.bytes[first:end].count(b"\n"))


def node_changes(
    program: Text, node: ast.AST, statement: ast.stmt, scope: Mapping[str, int]
) -> Iterator[tuple[str, Change | None]]:
    """Yield the changes that one node takes."""
    match node:
        case ast.BinOp() | ast.AugAssign():
            yield from operator_changes(program, node)
        case ast.Compare():
            yield from comparison_changes(program, node)
        case ast.Constant():
            yield from number_changes(program, node, statement)
        case ast.Name(ctx=ast.Load()):
            others = [other for other, line in scope.items() if line < node.lineno and mixed_up(node.id, other)]
            yield from (("name", (*program.span(node), other)) for other in others)
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            first, end = program.span(node.slice)
            quote = chr(program.bytes[first])
            yield from (("key", (first, end, f"{quote}{other}{quote}")) for other in KEYS.get(key, ()))
        case ast.Attribute():
            yield from attribute_changes(program, node)
        case ast.Call():
            yield from (("keyword dropped", keyword_change(program, node, one)) for one in node.keywords)
        case ast.UnaryOp(op=ast.USub()):
            first, _ = program.span(node)
            yield "minus dropped", (first, first + 1, "")


def operator_changes(program: Text, node: ast.BinOp | ast.AugAssign) -> Iterator[tuple[str, Change | None]]:
    """Yield another operator in the place of this one."""
    if pair := OPERATORS.get(type(node.op)):
        left, right = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
        yield "operator", program.between(left, right, *pair)


def comparison_changes(program: Text, node: ast.Compare) -> Iterator[tuple[str, Change | None]]:
    """Yield other comparisons in the place of this one."""
    if len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        old, others = COMPARISONS[type(node.ops[0])]
        for other in others:
            yield "comparison", program.between(node.left, node.comparators[0], old, other)


def number_changes(program: Text, node: ast.Constant, statement: ast.stmt) -> Iterator[tuple[str, Change | None]]:
    """Yield other numbers; an axis becomes the other axis."""
    if type(node.value) not in {int, float}:
        return
    first, end = program.span(node)
    text = program.bytes[first:end].decode()
    if text in {"0", "1"} and is_axis(node, statement):
        yield "axis", (first, end, "1" if text == "0" else "0")
    else:
        yield "constant", (first, end, NUMBERS.get(text, f"{2 * node.value!r}"))


def is_axis(node: ast.Constant, statement: ast.stmt) -> bool:
    """Return whether a number says along which axis something is reduced."""
    for call in ast.walk(statement):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            told = [one.value for one in call.keywords if one.arg == "axis"]
            reduces = call.func.attr in CALLS and "maximum" not in call.func.attr
            if node in told or (reduces and node in call.args):
                return True
    return False


def attribute_changes(program: Text, node: ast.Attribute) -> Iterator[tuple[str, Change | None]]:
    """Yield the change without a transposition, or of one function to its opposite."""
    _, end = program.span(node)
    if node.attr == "T":
        yield "transposition dropped", (program.span(node.value)[1], end, "")
        if program.bytes[program.span(node.value)[1] : end] != b".T":  # parentheses stand between
            yield "transposition dropped", (end - 2, end, "")
    elif node.attr in CALLS:
        yield "function", (end - len(node.attr), end, CALLS[node.attr])


def keyword_change(program: Text, call: ast.Call, one: ast.keyword) -> Change | None:
    """Return the change that drops a keyword, with its comma."""
    if one.arg not in KEYWORDS:
        return None
    first, end = program.span(one)
    if call.args or one is not call.keywords[0]:
        return program.bytes.rfind(b",", 0, first), end, ""
    comma = re.match(rb"\s*,\s*", program.bytes[end:])
    return first, end + (comma.end() if comma else 0), ""


def mixed_up(name: str, other: str) -> bool:
    """Return whether a student might write one name for the other."""
    if name == other or len(name) == 0:
        return False
    if any(name in group and other in group for group in MIXED_UP):
        return True
    bare, other_bare = re.sub(r"\d", "", name), re.sub(r"\d", "", other)
    gradient = {name, other} in ({name, f"d{name}"}, {other, f"d{other}"})
    longer = name.startswith(f"{other}_") or other.startswith(f"{name}_")
    return gradient or longer or (bare == other_bare and bare not in {name, other})


def functions(tree: ast.Module) -> list[Function]:
    """Return all functions and methods of a program."""
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def methods_of(tree: ast.Module) -> dict[Function, str]:
    """Return, for each function, which of loss, train and predict reaches it, the first of these where several do."""
    known = functions(tree)
    calls = {
        function: {
            node.id if isinstance(node, ast.Name) else node.attr
            for node in ast.walk(function)
            if isinstance(node, ast.Name | ast.Attribute)
        }
        for function in known
    }
    found: dict[Function, str] = {function: function.name for function in known if function.name in METHODS}
    for method in METHODS:
        waiting = [function for function in known if function.name == method]
        while waiting:
            called = calls[waiting.pop()]
            for function in known:
                if function.name in called and function not in found:
                    found[function] = method
                    waiting.append(function)
    return found


def method_at(source: str, line: int) -> str:
    """Return which method a line belongs to, "other" where it is none's."""
    reached = methods_of(ast.parse(source))
    inside = [one for one in reached if one.lineno <= line <= one.end_lineno]
    return reached[max(inside, key=lambda one: one.lineno)] if inside else "other"


def names_of(function: Function) -> dict[str, int]:
    """Return the names that a function gives values, each with the line where it first does."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    found = {argument.arg: function.lineno for argument in arguments}
    stored = [node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    for node in sorted(stored, key=lambda one: one.lineno):
        found.setdefault(node.id, node.lineno)
    return {name: line for name, line in found.items() if name not in {"self", "verbose", "_"}}


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements and those inside them; what is done if verbose and what stands in inner functions is left out."""
    for statement in body:
        if isinstance(statement, ast.If) and "verbose" in ast.unparse(statement.test):
            continue
        if isinstance(statement, Function | ast.ClassDef | ast.Raise):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        yield statement
        for field in ("body", "orelse", "finalbody"):
            yield from statements(getattr(statement, field, []))


def own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement, without those of the statements in it, of f-strings and of printing."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and ast.unparse(node.func) == "print"):
            continue
        yield node
        waiting += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def statement_lines(statement: ast.stmt) -> frozenset[int]:
    """Return the lines of a statement; of one with a body, those of its head."""
    body = getattr(statement, "body", None)
    last = max(statement.lineno, body[0].lineno - 1) if body else statement.end_lineno
    return frozenset(range(statement.lineno, last + 1))


def neighbours(function: Function, deleted: ast.stmt) -> frozenset[int]:
    """Return the lines where a statement that is gone is missed as well as at its own.

    They are those of the statement right before it and right after it, and of the first one below that reads what it gave.
    """
    order = sorted(statements(function.body), key=lambda one: (one.lineno, one.col_offset))
    at = order.index(deleted)
    below = order[at + 1 :]
    near = order[max(at - 1, 0) : at] + below[:1]
    targets = deleted.targets if isinstance(deleted, ast.Assign) else [getattr(deleted, "target", None)]
    given = {
        ast.unparse(node)
        for target in targets
        if target is not None
        for node in ([target, *target.elts] if isinstance(target, ast.Tuple) else [target])
    }
    given |= {name.partition("[")[0] for name in given}
    reads = (one for one in below if given & {ast.unparse(n) for n in own_nodes(one) if isinstance(n, ast.expr)})
    first = next(reads, None)
    return frozenset().union(*(statement_lines(one) for one in [*near, *([first] if first else [])]))


def widened(source: str, lines: Sequence[int]) -> frozenset[int]:
    """Return lines with all others of the innermost statement that each of them stands in."""
    found = set(lines)
    spans = [statement_lines(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    for line in lines:
        around = [span for span in spans if line in span and len(span) > 1]
        found |= min(around, key=len, default=frozenset())
    return frozenset(found)
