"""A program without what a copyist changes in a minute: names, layout, comments, annotations, the order of functions.

Two programs of one form are the same throughout. The words of `tokens` alone do not say so: in them `X.T.dot(dh)` and
`h.T.dot(dh)` read the same, which is the difference between a right gradient and a wrong one.
"""

import ast
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

from grader.similarity.name_table import FUNCTIONS

# What says nothing of what is computed, or is said by the place in which a node stands.
_LEFT_OUT = {"annotation", "returns", "type_comment", "ctx", "kind", "type_params", "simple", "type_ignores"}


def canonical_form(bodies: Sequence[Sequence[ast.stmt]], own: frozenset[str]) -> tuple[str, ...]:
    """Return a digest of each function, and of what stands outside of functions, in no order.

    own : the names that the author chose. In each function the first of them is 1, the next one 2 and so on.
    """
    return tuple(sorted(_digest(part, own) for body in bodies for part in _parts(body)))


def _parts(body: Sequence[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Yield each function outside of functions, and the other statements of each class and text."""
    rest: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, FUNCTIONS):
            yield [statement]
        elif isinstance(statement, ast.ClassDef):
            yield from _parts(statement.body)
        elif not isinstance(statement, (ast.Import, ast.ImportFrom)):
            rest.append(statement)
    if rest := [one for one in rest if not _says_nothing(one)]:
        yield rest


def _says_nothing(node: object) -> bool:
    """Return whether a statement is a text, such as a docstring, or `pass`."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.Pass)


def _digest(statements: Sequence[ast.stmt], own: frozenset[str]) -> str:
    numbers: dict[str, str] = {}
    words: list[str] = []
    todo: list[Any] = [list(statements)]
    while todo:  # no recursion: a text may be nested more deeply than Python's stack
        one = todo.pop()
        if isinstance(one, ast.Constant):
            # In decimals a number of a million digits takes minutes.
            value = hex(one.value) if isinstance(one.value, int) else repr(one.value)
            words.append(f"{type(one.value).__name__} {value}")
        elif isinstance(one, ast.AST):
            words.append("Assign" if isinstance(one, ast.AnnAssign) else type(one).__name__)
            fields = [name for name in one._fields if name not in _LEFT_OUT]
            if isinstance(one, ast.AnnAssign):
                todo += [one.value, [one.target]]
            else:
                todo += [getattr(one, name, None) for name in reversed(fields)]
        elif isinstance(one, list):
            kept = [part for part in one if not _says_nothing(part)]
            words.append(str(len(kept)))
            todo += reversed(kept)
        else:
            words.append(numbers.setdefault(one, f"#{len(numbers)}") if one in own else repr(one))
    return blake2b("\n".join(words).encode("utf-8", "replace"), digest_size=16).hexdigest()
