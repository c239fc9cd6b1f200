"""What the names of a program mean: modules, its own functions and attributes, and names that its author chose."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from grader.records import dataclass

# Of `a.b.c`; each link of a longer chain would walk the rest of it again.
_LONGEST_CHAIN = 8
# What everybody calls them, where the cell that imports them was left out.
_USUAL = {"np": "numpy", "numpy": "numpy", "plt": "matplotlib.pyplot"}
Assignment = ast.Assign | ast.AnnAssign
# Functions inside functions are searched so far for what they read; each level is another walk of what is inside.
_DEEPEST = 3
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class NameTable:
    """What the names of one program mean."""

    modules: Mapping[str, str]  # what was imported: "np" -> "numpy", "exp" -> "numpy.exp"
    attributes: frozenset[str]  # that it defines itself, methods and functions of its own modules among them
    names: frozenset[str]  # that it binds itself
    given: frozenset[str]  # functions that the skeleton defines: nobody can rename them


def build_name_table(nodes: Iterable[ast.AST], given: frozenset[str]) -> NameTable:
    """Read what a program imports, defines and stores; `nodes` are all of its nodes."""
    modules = dict(_USUAL)
    defined: set[str] = set()
    attributes: set[str] = set()
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            attributes.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    foreign = {name: module for name, module in modules.items() if name not in defined}
    return NameTable(
        foreign, frozenset(defined | attributes) - given, frozenset(defined | names) - given - foreign.keys(), given
    )


def interface_names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the functions and attributes that a skeleton defines: its interface, which nobody can rename."""
    return frozenset(
        part.name if isinstance(part, FUNCTIONS) else part.attr
        for part in nodes
        if isinstance(part, FUNCTIONS) or (isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store))
    )


def list_identifiers(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    """Return every name that stands in a program, with its line."""
    for node in nodes:
        if isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield node.name, node.lineno


def root_name(node: ast.expr) -> str:
    """Return the name at the start of `a.b.c`, or ""."""
    for _ in range(_LONGEST_CHAIN):
        if not isinstance(node, ast.Attribute):
            break
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


class DeferredAssignments:
    """The variables of one function that are set once: each is told where it is first read, and never if nobody reads it.

    So statements that do not need each other may stand in any order, a formula may be split over variables, and what
    was added for show is not seen.
    """

    def __init__(self, scope: Sequence[ast.AST]) -> None:
        stored: Counter[str] = Counter()
        self._inside: set[str] = set()  # read by functions inside this one
        self._waiting: dict[str, _Waiting] = {}
        todo = [(node, 0) for node in scope]
        while todo:
            node, depth = todo.pop()
            if isinstance(node, ast.Name):
                if depth:
                    self._inside.add(node.id)
                elif isinstance(node.ctx, ast.Store):
                    stored[node.id] += 1
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                stored.update(node.names * 2)
            depth += isinstance(node, FUNCTIONS)
            if depth <= _DEEPEST:
                todo += [(part, depth) for part in ast.iter_child_nodes(node)]
        self._once = {name for name, count in stored.items() if count == 1}

    def takes(self, node: Assignment) -> bool:
        """Return whether an assignment waits for its first reader."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [name for target in targets for name in _plain_names(target)]
        if node.value is None or not names or not self._once.issuperset(names):
            return False
        waiting = _Waiting(node, tuple(names))
        self._waiting |= dict.fromkeys(names, waiting)
        return True

    def used(self, name: ast.Name) -> list[Assignment]:
        """Return the assignment that a name waits for, once."""
        found = self._waiting.get(name.id) if isinstance(name.ctx, ast.Load) else None
        if found is None:
            return []
        for other in found.names:
            self._waiting.pop(other, None)
        return [found.node]

    def rest(self) -> list[Assignment]:
        """Return what waits only because its reader is a function inside."""
        found = {id(waiting): waiting.node for name, waiting in self._waiting.items() if name in self._inside}
        return list(found.values())


@dataclass(frozen=True)
class _Waiting:
    node: Assignment
    names: tuple[str, ...]  # any of which brings it


def _plain_names(target: ast.expr) -> list[str]:
    """Return the names that a target sets; "", which is set never, for each place in it that is no name."""
    parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    return [part.id if isinstance(part, ast.Name) else "" for part in parts]
