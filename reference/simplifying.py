"""What a student would not write out: loops over two names, products with one, axes for maxout, parts for complex numbers."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reference.regularisers import Names


@dataclass(frozen=True)
class Facts:
    """What is known where a step is written.

    single : every layer is one affine map, so no axis is there for maxout.
    known : expressions that have a name here. unrolled : the parameters are local variables, one by one.
    """

    names: Names
    single: bool
    known: Mapping[str, str]
    unrolled: bool


def replaced(node: Any, env: Mapping[str, Any], *, own: bool = False) -> Any:
    """Put what `env` gives in the place of names; a mapping is a Layer, whose fields are read.

    own : nobody else holds the node, so it need not be copied.
    """
    return _Replacement(env).visit(node if own else copy.deepcopy(node))


def simplified(facts: Facts, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Simplify statements, which may become more (a loop unrolled) or fewer."""
    return _all(_Simplification(facts), statements)


def is_zeros(node: ast.expr) -> bool:
    """Return whether an expression is an array of zeros, or a product with one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return is_zeros(node.left) or is_zeros(node.right)
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "np.zeros_like"


def _all(visitor: ast.NodeTransformer, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
    results: list[ast.stmt] = []
    for statement in statements:
        result = visitor.visit(statement)
        results += result if isinstance(result, list) else [result]
    return results


class _Replacement(ast.NodeTransformer):
    def __init__(self, env: Mapping[str, Any]) -> None:
        self.env = env

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self.env:
            return node
        value = self.env[node.id]
        if isinstance(value, Mapping):
            raise TypeError(f"a layer is written field by field, but {node.id} is used as a whole")
        if isinstance(value, ast.Name):
            return ast.Name(value.id, node.ctx)
        new: ast.expr = copy.deepcopy(value)
        if isinstance(new, ast.Name | ast.Attribute | ast.Subscript):
            new.ctx = node.ctx
        return new

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and isinstance(self.env.get(node.value.id), Mapping):
            return copy.deepcopy(self.env[node.value.id][node.attr])  # type: ignore[no-any-return]
        return self.generic_visit(node)


class _Simplification(ast.NodeTransformer):
    """Bottom up; each method says what is known of one kind of node."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    # ------------------------------------------------------------ loops and collections that are known

    def visit_For(self, node: ast.For) -> Any:
        node.iter = self.visit(node.iter)
        items = self._items(node.iter)
        if items is None:
            node.body = _all(self, node.body)
            return node
        return [
            result
            for item in items
            for result in _all(self, [replaced(statement, _bound(node.target, item)) for statement in node.body])
        ]

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> Any:
        elements = self._unrolled(node.generators, [node.elt])
        return node if elements is None else ast.Tuple([element for (element,) in elements], ast.Load())

    def visit_ListComp(self, node: ast.ListComp) -> Any:
        elements = self._unrolled(node.generators, [node.elt])
        return node if elements is None else ast.List([element for (element,) in elements], ast.Load())

    def visit_DictComp(self, node: ast.DictComp) -> Any:
        elements = self._unrolled(node.generators, [node.key, node.value])
        if elements is None:
            node.key, node.value = self.visit(node.key), self.visit(node.value)
            return node
        return ast.Dict([key for key, _ in elements], [value for _, value in elements])

    def _unrolled(self, generators: list[ast.comprehension], parts: list[ast.expr]) -> list[list[ast.expr]] | None:
        if not generators:
            return [[self.visit(part) for part in parts]]
        first, *rest = generators
        first.iter = self.visit(first.iter)
        items = self._items(first.iter)
        if items is None or first.ifs:
            return None
        results = []
        for item in items:
            env = _bound(first.target, item)
            inner = self._unrolled([replaced(later, env) for later in rest], [replaced(part, env) for part in parts])
            if inner is None:
                return None
            results += inner
        return results

    def _items(self, node: ast.expr) -> list[ast.expr] | None:
        if isinstance(node, ast.Tuple | ast.List):
            return node.elts
        if self.facts.unrolled and ast.unparse(node) == "self.params.items()":
            flat = [name for pair in self.facts.names for name in pair]
            return [ast.parse(f"({name!r}, self.params[{name!r}])", mode="eval").body for name in flat]
        return None

    # ------------------------------------------------------------ expressions

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        index = node.slice
        if isinstance(node.value, ast.Tuple) and isinstance(index, ast.Constant) and isinstance(index.value, int):
            return node.value.elts[index.value]
        if self.facts.single and isinstance(index, ast.Tuple) and ast.unparse(index.elts[0]) == "...":
            return node.value
        return self._known(node)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if isinstance(node.func, ast.Lambda):
            names = [argument.arg for argument in node.func.args.args]
            return self.visit(replaced(node.func.body, dict(zip(names, node.args, strict=True))))
        if isinstance(node.func, ast.Name) and node.func.id == "sum" and isinstance(node.args[0], ast.Tuple):
            first, *rest = node.args[0].elts
            for other in rest:
                first = ast.BinOp(first, ast.Add(), other)
            return first
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"swapaxes", "astype"}:
            words = ", ".join(ast.unparse(argument) for argument in (*node.args, *node.keywords))
            if self.facts.single and (node.func.attr, words) == ("swapaxes", "-1, -2"):
                return ast.Attribute(node.func.value, "T", ast.Load())
            if (node.func.attr, words) == ("astype", "np.int64") and "argmax" in ast.unparse(node.func.value):
                return node.func.value
        return self._known(node)

    def visit_keyword(self, node: ast.keyword) -> Any:
        self.generic_visit(node)
        if self.facts.single and node.arg == "axis" and ast.unparse(node.value) == "-2":
            node.value = ast.Constant(0)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self.generic_visit(node)
        return node.value if node.attr == "real" else node

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        self.generic_visit(node)
        if self.facts.single and ast.unparse(node.test).endswith(".ndim == 2"):
            return node.body
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.op, ast.Add | ast.Sub) and is_zeros(node.right):
            return node.left
        if isinstance(node.op, ast.Mult):
            return _product(node)
        if isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant):
            # (2 W) / 2 is how a step says W.
            factors = _factors(node.left)
            if isinstance(factors[0], ast.Constant) and factors[0].value == node.right.value and len(factors) > 1:
                return _chain(factors[1:])
        return node

    def _known(self, node: ast.expr) -> ast.expr:
        name = self.facts.known.get(ast.unparse(node)) if self.facts.known else None
        return ast.Name(name, ast.Load()) if name else node

    # ------------------------------------------------------------ assignments

    def visit_Assign(self, node: ast.Assign) -> Any:
        # A target such as params["W1"] is a place, not the value that stands there.
        node.value = self.visit(node.value)
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                target.slice = self.visit(target.slice)
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            return _one_by_one(target, value)
        return node


def _bound(target: ast.expr, value: ast.expr) -> dict[str, ast.expr]:
    if isinstance(target, ast.Name):
        return {target.id: value}
    assert isinstance(target, ast.Tuple)
    assert isinstance(value, ast.Tuple)
    return {
        name: bound
        for part, given in zip(target.elts, value.elts, strict=True)
        for name, bound in _bound(part, given).items()
    }


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _chain(factors: Sequence[ast.expr]) -> ast.expr:
    first, *rest = factors
    for other in rest:
        first = ast.BinOp(first, ast.Mult(), other)
    return first


def _product(node: ast.BinOp) -> ast.expr:
    factors = _factors(node)
    numbers = [number for number in map(_number, factors) if number is not None]
    others = [factor for factor in factors if _number(factor) is None]
    product = 1.0
    for number in numbers:
        product *= number
    if not others or not numbers:
        return node
    if product == 1.0:
        return _chain(others)
    if len(numbers) == 1 and isinstance(factors[0], ast.Constant):
        return node
    return _chain([ast.Constant(int(product) if product == int(product) else product), *others])


def _number(node: ast.expr) -> float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _one_by_one(target: ast.Tuple, value: ast.Tuple) -> Any:
    # Only pairs of pairs, (W1, b1), (W2, b2) = ...: anything else may need all of its right side first.
    if not any(isinstance(part, ast.Tuple) for part in value.elts):
        return ast.Assign([target], value, lineno=1)
    lines = []
    for part, given in zip(target.elts, value.elts, strict=True):
        used = [name for name in _bound(part, given) if not name.startswith("_")] if isinstance(part, ast.Tuple) else []
        if not used:
            continue
        bound = _bound(part, given)
        names: list[ast.expr] = [ast.Name(name, ast.Store()) for name in used]
        values = [bound[name] for name in used]
        pair = len(used) > 1
        lines.append(
            ast.Assign(
                [ast.Tuple(names, ast.Store()) if pair else names[0]],
                ast.Tuple(values, ast.Load()) if pair else values[0],
                lineno=1,
            )
        )
    return lines
