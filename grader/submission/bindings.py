"""The names that single statements bind and change, and how to walk through statements in blocks."""

import ast
from collections.abc import Iterable, Iterator

# Methods that fill a list, a dictionary or a set in place, as in `best_hyperparameters.update(reg=0.1)`.
_FILLING = {"append", "extend", "insert", "update", "setdefault", "add"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)


def walk_statements(node: ast.stmt, *, but_not: tuple[type[ast.stmt], ...] = DEFINITIONS) -> Iterator[ast.stmt]:
    """Yield a statement and those in its blocks, without entering these kinds of nodes and without recursion."""
    queue: list[ast.stmt] = [node]
    while queue:
        part = queue.pop()
        yield part
        if isinstance(part, but_not):
            continue
        for name in ("body", "orelse", "finalbody"):
            queue += getattr(part, name, [])
        for handler in [*getattr(part, "handlers", []), *getattr(part, "cases", [])]:
            queue += handler.body


def walk(node: ast.AST) -> list[ast.AST]:
    """Return a node and all below it in the order of ast.walk(), which takes twice as long."""
    found = [node]
    for part in found:
        for name in part._fields:
            value = getattr(part, name, None)
            if type(value) is list:
                found += [one for one in value if isinstance(one, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    return found


def names_bound(node: ast.stmt) -> set[str]:
    """Return the names that one simple statement binds."""
    if isinstance(node, DEFINITIONS):
        return {node.name}
    if isinstance(node, IMPORTS):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names if alias.name != "*"}
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return set()
    assigned = assigned_targets(node)
    if assigned or isinstance(node, ast.Expr):
        # Not the whole value: in `losses = [loss for loss in history]` the inner name is the comprehension's own.
        assigned = assigned + [part.target for part in walk(node) if isinstance(part, ast.NamedExpr)]
    return names_stored(assigned)


def assigned_targets(node: ast.AST) -> list[ast.expr]:
    """Return the targets of an assignment as they are written."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, (ast.AnnAssign, ast.AugAssign)) else []


def names_stored(assigned: Iterable[ast.expr]) -> set[str]:
    """Return the names that are assigned to."""
    return {part.id for part in find_targets(assigned) if isinstance(part, ast.Name)}


def find_targets(assigned: Iterable[ast.expr]) -> list[ast.expr]:
    """Return the targets of an assignment, also those inside tuples and lists."""
    found: list[ast.expr] = []
    queue = list(assigned)
    while queue:
        target = queue.pop()
        if isinstance(target, (ast.Tuple, ast.List)):
            queue += target.elts
        elif isinstance(target, ast.Starred):
            queue.append(target.value)
        else:
            found.append(target)
    return found


def names_changed(node: ast.stmt) -> set[str]:
    """Return the names whose objects one simple statement changes."""
    match node:
        case ast.Expr(ast.Call(ast.Name("setattr"), [ast.Name(name), *_])):
            return {name}
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(name), method))) if method in _FILLING:
            return {name}
    held = [part for part in find_targets(assigned_targets(node)) if isinstance(part, (ast.Attribute, ast.Subscript))]
    return {root_name(part) for part in held} - {""}


def root_name(node: ast.expr) -> str:
    """Return the name that a chain of attributes and subscripts begins with."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def names_bound_anywhere(node: ast.stmt) -> dict[str, ast.stmt]:
    """Return the names that a statement binds or changes anywhere in its blocks, such as a loop's body, and where."""
    found: dict[str, ast.stmt] = {}
    for inner in walk_statements(node):
        names = names_bound(inner) | names_changed(inner)
        if isinstance(inner, (ast.For, ast.AsyncFor)):
            names |= names_stored([inner.target])
        elif isinstance(inner, (ast.With, ast.AsyncWith)):
            names |= names_stored([item.optional_vars for item in inner.items if item.optional_vars])
        found |= dict.fromkeys(names, inner)
    return found
