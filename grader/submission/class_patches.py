"""Find methods that a class gets after its definition: by a decorator, a call, or a loop that does nothing else.

``@add_to_class(TwoLayerNet)`` before a function, ``attach(TwoLayerNet, loss)``, and
``for f in (loss, train): setattr(TwoLayerNet, f.__name__, f)`` change the class as ``TwoLayerNet.loss = loss`` does.
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable

from grader.records import dataclass
from grader.submission.bindings import (
    DEFINITIONS,
    FUNCTIONS,
    assigned_targets,
    find_targets,
    names_bound,
    names_stored,
    root_name,
    walk,
    walk_statements,
)

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)
BLOCKS = (ast.For, ast.With)
# What alone sets an attribute: an assignment, or a call of setattr().
_PATCHING = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Call)
# Of one name. Nobody has more, and 5,000 that all lead to each other would be followed for minutes.
_MOST_ALIASES = 20
# What a block may call and still be run. All of it is done at once; whatever else is called might train for hours,
# and so might a network that is made, or a method of one.
_QUICK_NAMES = """
setattr getattr hasattr delattr globals locals vars eval dir type isinstance issubclass callable print len str repr
zip enumerate range reversed sorted list tuple set dict staticmethod classmethod property
MethodType FunctionType wraps partial partialmethod update_wrapper isfunction getmembers
"""
_QUICK = frozenset(_QUICK_NAMES.split())
_QUICK_METHOD_NAMES = """
items keys values get startswith endswith removeprefix removesuffix replace strip lstrip rstrip split format lower
upper MethodType FunctionType wraps partial partialmethod update_wrapper isfunction getmembers
__setattr__ catch_warnings simplefilter filterwarnings suppress
"""
_QUICK_METHODS = frozenset(_QUICK_METHOD_NAMES.split())


@dataclass(frozen=True)
class _Patcher:
    """A function that sets attributes of classes: those that it is given, or that it names."""

    of_given: bool
    named: frozenset[str]
    is_quick: bool  # it sets some, and calls nothing that could take long

    def reaches(self, given: set[str]) -> set[str]:
        """Return the classes that a call with these reaches."""
        return {*self.named, *(given if self.of_given else ())}


class Classes:
    """The possible classes among a document's statements and the names for them, found without running anything."""

    def __init__(self, nodes: Iterable[ast.stmt]) -> None:
        parts = [part for node in nodes for part in walk_statements(node)]
        self._names: set[str] = set()
        # `Net = TwoLayerNet`: to set an attribute of one is to set the other's.
        self._aliases: defaultdict[str, set[str]] = defaultdict(set)
        self._functions = {part.name: part for part in parts if isinstance(part, FUNCTIONS)}
        self._patchers: dict[str, _Patcher] = {}  # as they are asked for
        made: dict[str, ast.Call] = {}
        for part in parts:
            if isinstance(part, (ast.ClassDef, ast.ImportFrom)):
                self._names |= names_bound(part)
            elif isinstance(part, ast.For) and isinstance(part.iter, (ast.Tuple, ast.List)):
                listed = {one.id for one in part.iter.elts[:_MOST_ALIASES] if isinstance(one, ast.Name)}
                for name in names_stored([part.target]):
                    self._aliases[name] |= listed
            elif isinstance(part, ast.Assign):
                given = names_stored(part.targets)
                match part.value:
                    case ast.Attribute() | ast.Call(ast.Name("type")):
                        self._names |= given
                for name in given:
                    if isinstance(part.value, ast.Call):
                        made[name] = part.value
                    elif isinstance(part.value, ast.Name) and len(self._aliases[name]) < _MOST_ALIASES:
                        self._aliases[name].add(part.value.id)
        # `method = add_to_class(TwoLayerNet)`, to be used as a decorator
        ready = {name: reached for name, call in made.items() if (reached := self._patched_by_call(call))}
        self._patchers |= {name: _Patcher(False, frozenset(reached), True) for name, reached in ready.items()}

    def _patcher(self, name: str) -> _Patcher | None:
        """Return what the function of a name patches; None where there is no such function."""
        if name not in self._patchers and name in self._functions:
            self._patchers[name] = _inspect_patcher(self._functions[name])
        return self._patchers.get(name)

    def patched_by(self, node: ast.stmt) -> set[str]:
        """Return the classes whose attributes one simple statement, or one decorated definition, sets."""
        if isinstance(node, DEFINITIONS):
            return {name for mark in node.decorator_list for name in self._patched_by_decorator(mark, node)}
        found = {name for thing in _objects_patched(node) for name in _chain(thing)}
        value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
        if isinstance(value, ast.Call):
            found |= self._patched_by_call(value)
        elif isinstance(value, _COMPREHENSIONS) and self._is_quick(value):
            # `[setattr(TwoLayerNet, f.__name__, f) for f in (loss, train)]`
            found |= {name for thing in _objects_patched(value) for name in _chain(thing)}
        return found & self._names

    def with_aliased(self, names: set[str]) -> set[str]:
        """Return the names and the classes that they are aliases of."""
        found, queue = set(names), list(names)
        while queue and len(found) < len(names) + _MOST_ALIASES:
            fresh = self._aliases.get(queue.pop(), set()) - found
            found |= fresh
            queue += fresh
        return names | found & self._names

    def only_patches(self, node: ast.stmt) -> bool:
        """Return whether a loop or with block sets attributes and does nothing that could take long."""
        if not isinstance(node, BLOCKS) or any(
            isinstance(part, (ast.While, ast.Try)) for part in walk_statements(node)
        ):
            return False
        return self._is_quick(node) and any(
            _objects_patched(part) or self.patched_by(part) for part in walk_statements(node)
        )

    def _patched_by_decorator(self, mark: ast.expr, node: ast.stmt) -> set[str]:
        function = mark.func if isinstance(mark, ast.Call) else mark
        if isinstance(function, ast.Attribute):
            # `@TwoLayerNet.method`, and `@d2l.add_to_class(TwoLayerNet)`
            return (_arguments(mark) | {root_name(function)}) & self._names
        if not isinstance(function, ast.Name):
            return set()
        # `@patch` before `def loss(self: TwoLayerNet, X)`, as fastcore has it, asks for the class itself.
        given = self.with_aliased(_arguments(mark) if isinstance(mark, ast.Call) else _own_class(node))
        patcher = self._patcher(function.id)  # none where it was imported, and nobody knows
        return (patcher.reaches(given) if patcher else given) & self._names

    def _patched_by_call(self, call: ast.Call) -> set[str]:
        """Return the classes passed to a function that only patches them."""
        inner = call.func if isinstance(call.func, ast.Call) else call  # `add_to_class(TwoLayerNet)(loss)`
        patcher = self._patcher(inner.func.id) if isinstance(inner.func, ast.Name) else None
        if patcher is None or not self._is_quick(call):
            return set()
        return patcher.reaches(self.with_aliased(_arguments(inner))) & self._names

    def _is_quick(self, node: ast.AST) -> bool:
        """Return whether all calls here are known to be quick; bodies of functions are not run here."""
        queue = [node]
        while queue:
            part = queue.pop()
            if isinstance(part, FUNCTIONS):
                queue += part.decorator_list
            elif not isinstance(part, ast.Lambda):
                if isinstance(part, ast.Call) and not _is_quick_call(part.func, self._patcher):
                    return False
                queue += ast.iter_child_nodes(part)
        return True


def _inspect_patcher(function: ast.FunctionDef | ast.AsyncFunctionDef) -> _Patcher:
    """Return which classes a function patches."""
    if not any(_objects_patched(part) for part in walk(function) if isinstance(part, _PATCHING)):
        return _Patcher(of_given=False, named=frozenset(), is_quick=False)
    own: set[str] = set()
    roots: defaultdict[ast.AST, set[str]] = defaultdict(set)  # by the function in which an attribute is set
    calls: defaultdict[ast.AST, list[ast.expr]] = defaultdict(list)
    queue: list[tuple[ast.AST, ast.AST]] = [(part, function) for part in (function.args, *function.body)]
    while queue:
        part, holder = queue.pop()
        if not isinstance(part, ast.Expr):  # the call in it comes by itself
            roots[holder] |= {root_name(thing) for thing in _objects_patched(part)} - {"", "self"}
        if isinstance(part, ast.arg):
            own.add(part.arg)
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            own.add(part.id)
        elif isinstance(part, ast.Call):
            calls[holder].append(part.func)
        inside = part if isinstance(part, (*FUNCTIONS, ast.Lambda)) else holder
        queue += [(child, inside) for child in ast.iter_child_nodes(part)]
    reached = {name for names in roots.values() for name in names}
    # Of the functions inside, those that patch are wrappers, which will be run, and the others are methods.
    run = [function, *(holder for holder, names in roots.items() if names)]
    is_quick = bool(reached) and all(
        _is_quick_call(called, lambda _name: None) for holder in run for called in calls[holder]
    )
    return _Patcher(bool(reached & own), frozenset(reached - own), is_quick)


def _objects_patched(node: ast.AST) -> list[ast.expr]:
    """Return the objects whose attributes a statement or expression itself sets."""
    found = [part.value for part in find_targets(assigned_targets(node)) if isinstance(part, ast.Attribute)]
    match node.value if isinstance(node, ast.Expr) else getattr(node, "elt", node):
        case ast.Call(ast.Name("setattr") | ast.Attribute(attr="__setattr__"), [given, *_]):
            found.append(given)
    return found


def _is_quick_call(function: ast.expr, patcher: Callable[[str], _Patcher | None]) -> bool:
    match function:
        case ast.Attribute(attr=name):
            return name in _QUICK_METHODS
        case ast.Call(ast.Name(name)):  # made by a call, which is looked at by itself
            return (made := patcher(name)) is not None and made.is_quick
        case ast.Name(name):
            return name in _QUICK or ((own := patcher(name)) is not None and own.is_quick)
    return False


def _arguments(call: ast.expr) -> set[str]:
    """Return the names that are passed as arguments; `fcnet.TwoLayerNet` counts as both its names."""
    if not isinstance(call, ast.Call):
        return set()
    return {name for part in [*call.args, *(k.value for k in call.keywords)] for name in _chain(part)}


def _own_class(node: ast.stmt) -> set[str]:
    """Return the class that a function's annotation gives for its `self`."""
    first = [*node.args.posonlyargs, *node.args.args][:1] if isinstance(node, FUNCTIONS) else []
    return {name for part in first if part.arg == "self" and part.annotation for name in _chain(part.annotation)}


def _chain(node: ast.expr) -> set[str]:
    """Return the names in `package.module.TwoLayerNet`."""
    names: set[str] = set()
    while isinstance(node, ast.Attribute):
        names.add(node.attr)
        node = node.value
    return names | ({node.id} if isinstance(node, ast.Name) else set())
