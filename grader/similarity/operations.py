"""One node of a syntax tree: its parts and its word, in the order in which Python evaluates them."""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence

from grader.records import dataclass
from grader.similarity.name_table import NameTable, root_name

_OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.MatMult: "dot", ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_NOTHING = (ast.Pass, ast.Assert, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Delete)
_GAP = "."  # an operand that is no constant
_LONGEST_KEY = 24


@dataclass(frozen=True)
class Token:
    """What one operation is compared by."""

    word: str
    line: int


Part = ast.AST | Token


def split_node(node: ast.AST, known: NameTable) -> list[Part]:
    """Return what a node is made of: nodes that are still to be told, and its own word where it has one."""
    rule = _RULES.get(type(node))
    if rule is not None:
        return rule(node, known)
    if isinstance(node, _NOTHING):
        return []
    # What a comprehension, a `with` or a `match` is made of counts; its own kind is one more word.
    word = [Token(type(node).__name__, node.lineno)] if isinstance(node, ast.stmt) else []
    return [*ast.iter_child_nodes(node), *word]


def _assign(node: ast.Assign | ast.AnnAssign, known: NameTable) -> list[Part]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if node.value is None:
        return []
    value = _constant(node.value)
    # Starting from nothing says nothing: `loss = 0.0`, `y_pred = None`.
    says = value is not None and value not in {"0", "None", "False", "True", "text"}
    word = [Token(f"={value}", node.lineno)] if says else []
    return [node.value, *word, *_stores(targets, known)]


def _augmented(node: ast.AugAssign, known: NameTable) -> list[Part]:
    # `x += y` in the words of `x = x + y`
    sum_of = ast.BinOp(_loaded(node.target), node.op, node.value, lineno=node.lineno)
    return [sum_of, *_stores([node.target], known)]


def _loaded(target: ast.Name | ast.Attribute | ast.Subscript) -> ast.expr:
    place = {"lineno": target.lineno}
    if isinstance(target, ast.Subscript):
        return ast.Subscript(target.value, target.slice, ast.Load(), **place)
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load(), **place)
    return ast.Name(target.id, ast.Load(), **place)


def _stores(targets: Iterable[ast.expr], known: NameTable) -> list[Part]:
    found: list[Part] = []
    waiting = list(targets)[::-1]
    while waiting:
        target = waiting.pop()
        if isinstance(target, (ast.Tuple, ast.List)):
            waiting += reversed(target.elts)
        elif isinstance(target, ast.Subscript):
            found += [target.value, target.slice, Token(f"set[{_index(target.slice, known)}]", target.lineno)]
        elif isinstance(target, (ast.Attribute, ast.Starred)):
            found.append(target.value)
    return found


def _loop(node: ast.For | ast.AsyncFor, known: NameTable) -> list[Part]:
    return [node.iter, Token("for", node.lineno), *_stores([node.target], known), *node.body, *node.orelse]


def _branch(node: ast.If, known: NameTable) -> list[Part]:
    if not node.orelse and all(_is_silent(statement, known) for statement in node.body):
        return []
    otherwise: list[Part] = [Token("else", node.lineno), *node.orelse] if node.orelse else []
    return [node.test, Token("if", node.lineno), *node.body, *otherwise]


def _is_silent(node: ast.stmt, known: NameTable) -> bool:
    return isinstance(node, _NOTHING) or (isinstance(node, ast.Expr) and not _expression(node, known))


def _expression(node: ast.Expr, known: NameTable) -> list[Part]:
    value = node.value
    printed = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print"
    drawn = isinstance(value, ast.Call) and known.modules.get(root_name(value.func), "").startswith("matplotlib")
    return [] if printed or drawn or isinstance(value, ast.Constant) else [value]


def _call(node: ast.Call, known: NameTable) -> list[Part]:
    operands: list[ast.expr] = [*node.args]
    function = node.func
    if isinstance(function, ast.Attribute):
        is_method = root_name(function) not in known.modules
        name, own = function.attr, is_method and function.attr in known.attributes
        if is_method:
            # `x.sum(axis=0)` in the words of `np.sum(x, axis=0)`
            operands.insert(0, function.value)
    elif isinstance(function, ast.Name):
        name = known.modules.get(function.id, function.id).split(".")[-1]
        own = function.id in known.names
    else:
        name, own = "", True
        operands.insert(0, function)
    values = [keyword.value for keyword in node.keywords]
    if name == "dict":
        return _entries([ast.Constant(keyword.arg) for keyword in node.keywords], values, node.lineno, operands)
    if own:
        return [*operands, *values, Token("call", node.lineno)]
    if name in known.given:
        return [*operands, *values, Token(f"call {name}", node.lineno)]
    # An axis may be told by place or by name.
    told = [f"{'' if keyword.arg == 'axis' else keyword.arg}={_operand(keyword.value)}" for keyword in node.keywords]
    shown = ",".join([*map(_operand, operands), *sorted(word.removeprefix("=") for word in told)])
    return [*operands, *values, Token(f"{name}({shown})", node.lineno)]


def _entries(
    keys: Sequence[ast.expr | None], values: Sequence[ast.expr], line: int, before: Sequence[ast.expr] = ()
) -> list[Part]:
    found: list[Part] = [*before]
    for key, value in zip(keys, values, strict=True):
        word = Token(f"set[{_operand(key)}]" if key else "**", getattr(value, "lineno", line))
        found += [value, word]
    return found


def _binary(node: ast.BinOp, _: NameTable) -> list[Part]:
    name = _OPERATORS.get(type(node.op), type(node.op).__name__)
    shown = [_operand(node.left), _operand(node.right)]
    if isinstance(node.op, (ast.Add, ast.Mult)):
        shown.sort()
    return [node.left, node.right, Token(f"{name}({','.join(shown)})", node.lineno)]


def _unary(node: ast.UnaryOp, _: NameTable) -> list[Part]:
    return [] if _constant(node) is not None else [node.operand, Token(type(node.op).__name__, node.lineno)]


def _comparison(node: ast.Compare, _: NameTable) -> list[Part]:
    names = "".join(_OPERATORS.get(type(op), type(op).__name__) for op in node.ops)
    shown = ",".join(map(_operand, (node.left, *node.comparators)))
    return [node.left, *node.comparators, Token(f"{names}({shown})", node.lineno)]


def _attribute(node: ast.Attribute, known: NameTable) -> list[Part]:
    # `np.newaxis` is None by another name.
    is_silent = node.attr in known.attributes or node.attr in known.given or _is_new_axis(node, known)
    word: list[Part] = [] if is_silent else [Token(f".{node.attr}", node.lineno)]
    return word if root_name(node) in known.modules else [node.value, *word]


def _subscript(node: ast.Subscript, known: NameTable) -> list[Part]:
    return [node.value, node.slice, Token(f"[{_index(node.slice, known)}]", node.lineno)]


def _index(node: ast.expr, known: NameTable) -> str:
    if isinstance(node, ast.Tuple):
        return ",".join(
            _index(element, known) if isinstance(element, ast.Slice) else _axis(element, known) for element in node.elts
        )
    if isinstance(node, ast.Slice):
        return ":".join(_operand(end) if end else "" for end in (node.lower, node.upper, node.step))
    return _axis(node, known)


def _axis(node: ast.expr, known: NameTable) -> str:
    return "None" if _is_new_axis(node, known) else _operand(node)


def _is_new_axis(node: ast.expr, known: NameTable) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "newaxis" and root_name(node) in known.modules


def _elements(node: ast.Tuple | ast.List | ast.Set, _: NameTable) -> list[Part]:
    # The keys that a loop runs over: ("W1", "b1")
    return [
        Token(repr(element.value), element.lineno)
        if isinstance(element, ast.Constant) and isinstance(element.value, str) and _operand(element) != "text"
        else element
        for element in node.elts
    ]


def _comprehension(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, _: NameTable) -> list[Part]:
    made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    return [*node.generators, Token("for", node.lineno), *made]


def _generator(node: ast.comprehension, _: NameTable) -> list[Part]:
    return [node.iter, *node.ifs]


def _operand(node: ast.expr) -> str:
    return _constant(node) or _GAP


def _constant(node: ast.expr) -> str | None:
    """Return a constant as it stands in a word, or None where it is none."""
    sign = ""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = "-", node.operand
    if isinstance(node, ast.JoinedStr):
        return "text"
    if not isinstance(node, ast.Constant):
        return None
    value = node.value
    if isinstance(value, str):
        # A key says what is meant; any other text may be reworded.
        return value if len(value) <= _LONGEST_KEY and value.isidentifier() else "text"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 64:
        return "large"  # Python refuses to write one of 4,300 digits
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return f"{sign}{int(value)}"  # 2.0 for 2
    return f"{sign}{value!r}" if not isinstance(value, bytes) else "text"


_Rule = Callable[..., "list[Part]"]
_RULES: Mapping[type[ast.AST], _Rule] = {
    ast.Assign: _assign,
    ast.AnnAssign: _assign,
    ast.AugAssign: _augmented,
    ast.For: _loop,
    ast.AsyncFor: _loop,
    ast.If: _branch,
    ast.Expr: _expression,
    ast.Return: lambda node, _: [*([node.value] if node.value else []), Token("return", node.lineno)],
    ast.ClassDef: lambda node, _: node.body,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: lambda node, _: [*node.values, Token(type(node.op).__name__, node.lineno)],
    ast.Compare: _comparison,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Dict: lambda node, _: _entries(node.keys, node.values, node.lineno),
    ast.Tuple: _elements,
    ast.List: _elements,
    ast.Set: _elements,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.comprehension: _generator,
    ast.IfExp: lambda node, _: [node.test, node.body, node.orelse, Token("if", node.lineno)],
    ast.Lambda: lambda node, _: [node.body],
    ast.NamedExpr: lambda node, _: [node.value],
    ast.JoinedStr: lambda *_: [],
    ast.Constant: lambda *_: [],
    ast.Name: lambda *_: [],
}
