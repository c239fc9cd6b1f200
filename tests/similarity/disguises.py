"""How a copy is made to look like another program: each way by itself, and all at once."""

from __future__ import annotations

import ast
import builtins
import random
from collections.abc import Callable, Sequence

KEPT = frozenset(
    {"TwoLayerNet", "loss", "train", "predict", "params", "self", "np", "numpy", "plt", "best_hyperparameters"}
    | {"X", "y", "reg", "X_val", "y_val", "learning_rate", "learning_rate_decay", "num_iters", "batch_size", "verbose"}
    | set(dir(builtins))
)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def renamed(source: str, dice: random.Random) -> str:
    """Rename every variable, parameter, helper and attribute that the interface does not name."""
    tree = ast.parse(source)
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, (*FUNCTIONS, ast.ClassDef))}
    defined |= {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    # A keyword may be numpy's as well: `axis`.
    keywords = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    taken = sorted(name for name in (bound | defined) - keywords if name not in KEPT and not name.startswith("__"))
    dice.shuffle(taken)
    new = {name: f"thing{number}" for number, name in enumerate(taken)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = new.get(node.arg, node.arg)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            node.name = new.get(node.name, node.name)
        elif isinstance(node, ast.Attribute) and node.attr in defined:
            node.attr = new.get(node.attr, node.attr)
    return ast.unparse(tree)


def reordered(source: str, dice: random.Random) -> str:
    """Put functions and methods in another order, and swap neighbouring statements that do not need each other."""
    tree = ast.parse(source)
    for block in _blocks(tree):
        at = [index for index, node in enumerate(block) if isinstance(node, FUNCTIONS)]
        moved = [block[index] for index in at]
        dice.shuffle(moved)
        for index, node in zip(at, moved, strict=True):
            block[index] = node
        index = 0
        while index + 1 < len(block):
            if _independent(block[index], block[index + 1]) and dice.random() < 0.7:
                block[index], block[index + 1] = block[index + 1], block[index]
                index += 1
            index += 1
    return ast.unparse(tree)


def padded(source: str, dice: random.Random) -> str:
    """Add comments, docstrings, prints, assertions and statements that nobody needs."""
    tree = ast.parse(source)
    useless = (
        "unused = 3 * 4 + 1",
        "print('here')",
        "assert True, 'fine'",
        "spare = [n * 2 for n in range(3)]",
        "pass",
    )
    for block in _blocks(tree):
        for index in range(len(block), 0, -1):
            if dice.random() < 0.2 and not isinstance(block[index - 1], (ast.Return, *FUNCTIONS)):
                block.insert(index, ast.parse(dice.choice(useless)).body[0])
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            node.body.insert(0, ast.parse("'''Do what is asked.'''").body[0])
    return "# my own work\n" + ast.unparse(tree).replace("\n    def ", "\n    # a method\n    def ")


def turned(source: str, dice: random.Random) -> str:
    """Write `x += y` as `x = x + y`, and the other way about."""

    class Turn(ast.NodeTransformer):
        def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
            load = ast.parse(ast.unparse(node.target), mode="eval").body
            return ast.Assign([node.target], ast.BinOp(load, node.op, node.value), lineno=0)

        def visit_Assign(self, node: ast.Assign) -> ast.AST:
            value, target = node.value, node.targets[0]
            if isinstance(value, ast.BinOp) and ast.unparse(value.left) == ast.unparse(target):
                return ast.AugAssign(target, value.op, value.right)
            return node

    return ast.unparse(ast.fix_missing_locations(Turn().visit(ast.parse(source))))


def split(source: str, dice: random.Random) -> str:
    """Return a part of each formula a variable of its own, in the line above."""
    tree = ast.parse(source)
    count = 0
    for block in _blocks(tree):
        for index in range(len(block) - 1, -1, -1):
            value = getattr(block[index], "value", None) if isinstance(block[index], (ast.Assign, ast.Return)) else None
            if isinstance(value, ast.BinOp):
                side = "left" if isinstance(value.left, (ast.BinOp, ast.Call)) else "right"
            elif isinstance(value, ast.Call) and value.args and isinstance(value.args[-1], (ast.BinOp, ast.Call)):
                side = ""
            else:
                continue
            part = getattr(value, side) if side else value.args[-1]
            count += 1
            name = ast.Name(f"part{count}", ast.Load())
            if side:
                setattr(value, side, name)
            else:
                value.args[-1] = name
            block.insert(index, ast.Assign([ast.Name(f"part{count}", ast.Store())], part, lineno=0))
    return ast.unparse(ast.fix_missing_locations(tree))


def everything(source: str, dice: random.Random) -> str:
    """Do all of it."""
    for form in (turned, split, reordered, padded, renamed):
        source = form(source, dice)
    return source


FORMS: dict[str, Callable[[str, random.Random], str]] = {
    "renamed": renamed,
    "reordered": reordered,
    "padded": padded,
    "turned": turned,
    "split": split,
    "everything": everything,
}


def halves(first: str, second: str, method: str = "loss") -> str:
    """Return the second program with one method, and all that is outside the class, of the first."""
    mine, other = ast.parse(first), ast.parse(second)
    taken = {node.name: node for node in ast.walk(mine) if isinstance(node, FUNCTIONS)}
    for node in ast.walk(other):
        if isinstance(node, ast.ClassDef) and node.name == "TwoLayerNet":
            node.body = [taken[part.name] if getattr(part, "name", "") == method else part for part in node.body]
    here = {node.name for node in ast.walk(other) if isinstance(node, (*FUNCTIONS, ast.ClassDef))}
    helpers = [node for node in mine.body if getattr(node, "name", None) not in here]
    return ast.unparse(ast.Module([*helpers, *other.body], []))


def _blocks(tree: ast.AST) -> list[list[ast.stmt]]:
    found = [getattr(node, field) for node in ast.walk(tree) for field in ("body", "orelse") if hasattr(node, field)]
    return [block for block in found if isinstance(block, list) and block]


def _independent(first: ast.stmt, second: ast.stmt) -> bool:
    def names(node: ast.stmt, kinds: Sequence[type]) -> set[str]:
        return {p.id for p in ast.walk(node) if isinstance(p, ast.Name) and isinstance(p.ctx, tuple(kinds))}

    if not all(isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) for node in (first, second)):
        return False
    everything = names(first, [ast.Store, ast.Load]) & names(second, [ast.Store])
    return not everything and not names(first, [ast.Store]) & names(second, [ast.Load])
