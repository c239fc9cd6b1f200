"""Methods that a class is given after it was made: by a decorator, a call, or a loop that does nothing else.

``@add_to_class(TwoLayerNet)`` before a function, ``attach(TwoLayerNet, loss)``, and
``for f in (loss, train): setattr(TwoLayerNet, f.__name__, f)`` change the class as ``TwoLayerNet.loss = loss`` does.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from grader.submission.binding import DEFINITIONS, bound, root, stored, targets, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ASSIGNMENTS = (ast.Assign, ast.AugAssign, ast.AnnAssign)
BLOCKS = (ast.For, ast.With)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)
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
class Attacher:
    """A function that sets attributes of what it is given, or of classes that it names."""

    of_given: bool
    named: frozenset[str]
    is_quick: bool  # it calls nothing that could take long


@dataclass(frozen=True)
class Classes:
    """What may be a class in one document, and what leads to it."""

    names: frozenset[str]
    aliases: Mapping[str, frozenset[str]]  # `Net = TwoLayerNet`: to set an attribute of one is to set the other's
    attachers: Mapping[str, Attacher]
    plain: frozenset[str]  # functions that are no attachers


def classes_of(nodes: Iterable[ast.stmt]) -> Classes:
    """Find what may be a class among a document's statements, without running them."""
    parts = [part for node in nodes for part in within(node)]
    names: set[str] = set()
    aliases: defaultdict[str, set[str]] = defaultdict(set)
    made: dict[str, ast.Call] = {}
    for part in parts:
        if isinstance(part, (ast.ClassDef, ast.ImportFrom)):
            names |= bound(part, walrus_too=False)
        elif isinstance(part, ast.For) and isinstance(part.target, ast.Name):
            aliases[part.target.id] |= set(sorted(_listed(part.iter))[:_MOST_ALIASES])
        elif isinstance(part, ast.Assign):
            given = stored(part.targets)
            if isinstance(part.value, ast.Attribute) or _makes_a_class(part.value):
                names |= given
            for name in given:
                if isinstance(part.value, ast.Call):
                    made[name] = part.value
                elif isinstance(part.value, ast.Name) and len(aliases[name]) < _MOST_ALIASES:
                    aliases[name].add(part.value.id)
    functions = {part.name: part for part in parts if isinstance(part, _FUNCTIONS)}
    called = {name for part in parts for name in _called(part)} & functions.keys()
    attachers = {name: found for name in called if (found := _attacher(functions[name]))}
    known = Classes(
        frozenset(names),
        {name: frozenset(others) for name, others in aliases.items()},
        attachers,
        frozenset(functions.keys() - attachers.keys()),
    )
    # `method = add_to_class(TwoLayerNet)`, to be used as a decorator
    ready = {
        name: Attacher(of_given=False, named=reached, is_quick=True)
        for name, call in made.items()
        if (reached := frozenset(_by_call(call, known)))
    }
    return replace(known, attachers={**attachers, **ready})


def attached(node: ast.stmt, classes: Classes) -> set[str]:
    """Give the classes to which one simple statement, or one decorated definition, attaches something."""
    if isinstance(node, DEFINITIONS):
        found = {name for mark in node.decorator_list for name in _by_decorator(mark, node, classes)}
    elif isinstance(node, (ast.Expr, ast.Assign)):
        found = _by_value(node.value, classes)
    else:
        found = set()
    for thing in _given_attributes(node) if isinstance(node, (*_ASSIGNMENTS, ast.Expr)) else ():
        found |= _chain(thing) & classes.names
    return found


def meant(names: set[str], classes: Classes) -> set[str]:
    """Add to names the classes that they are other names for."""
    found, queue = set(names), list(names)
    while queue and len(found) < len(names) + _MOST_ALIASES:
        fresh = classes.aliases.get(queue.pop(), frozenset()) - found
        found |= fresh
        queue += fresh
    return names | found & classes.names


def only_attaches(node: ast.stmt, classes: Classes) -> bool:
    """Whether a loop or with block sets attributes and does nothing that could take long."""
    if not isinstance(node, BLOCKS) or any(isinstance(part, (ast.While, ast.Try)) for part in within(node)):
        return False
    return _is_quick(node, classes.attachers) and any(
        list(_given_attributes(part)) or attached(part, classes) for part in within(node)
    )


# ---------------------------------------------------------------- ways to attach


def _by_decorator(mark: ast.expr, node: ast.stmt, classes: Classes) -> set[str]:
    function = mark.func if isinstance(mark, ast.Call) else mark
    if isinstance(function, ast.Attribute):
        # `@TwoLayerNet.method`, and `@d2l.add_to_class(TwoLayerNet)`
        return (_arguments(mark) | {root(function)}) & classes.names
    if not isinstance(function, ast.Name):
        return set()
    attacher = classes.attachers.get(function.id)
    # `@patch` before `def loss(self: TwoLayerNet, X)`, as fastcore has it, asks for the class itself.
    given = _arguments(mark) if isinstance(mark, ast.Call) else _own_class(node)
    given = meant(given, classes) & classes.names
    if attacher:
        return (given if attacher.of_given else set()) | (attacher.named & classes.names)
    return given if function.id not in classes.plain else set()


def _by_value(value: ast.expr, classes: Classes) -> set[str]:
    if isinstance(value, ast.Call):
        return _by_call(value, classes)
    if isinstance(value, _COMPREHENSIONS) and _is_quick(value, classes.attachers):
        # `[setattr(TwoLayerNet, f.__name__, f) for f in (loss, train)]`
        return {name for thing in _given_attributes(value) for name in _chain(thing)} & classes.names
    return set()


def _by_call(call: ast.Call, classes: Classes) -> set[str]:
    """Give the classes that are handed to a function which does nothing but attach."""
    inner = call.func if isinstance(call.func, ast.Call) else call  # `add_to_class(TwoLayerNet)(loss)`
    attacher = classes.attachers.get(inner.func.id) if isinstance(inner.func, ast.Name) else None
    if attacher is None or not _is_quick(call, classes.attachers):
        return set()
    given = meant(_arguments(inner), classes) if attacher.of_given else set()
    return (given | attacher.named) & classes.names


def _attacher(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Attacher | None:
    """Say what a function attaches to, or None where it sets nothing's attributes."""
    own: set[str] = set()
    roots: defaultdict[ast.AST, set[str]] = defaultdict(set)  # by the function in which an attribute is set
    calls: defaultdict[ast.AST, list[ast.expr]] = defaultdict(list)
    queue: list[tuple[ast.AST, ast.AST]] = [(part, function) for part in (function.args, *function.body)]
    while queue:
        part, holder = queue.pop()
        if isinstance(part, (*_ASSIGNMENTS, ast.Call)):
            roots[holder] |= {root(thing) for thing in _given_attributes(part)} - {"", "self"}
        if isinstance(part, ast.arg):
            own.add(part.arg)
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            own.add(part.id)
        elif isinstance(part, ast.Call):
            calls[holder].append(part.func)
        inside = part if isinstance(part, (*_FUNCTIONS, ast.Lambda)) else holder
        queue += [(child, inside) for child in ast.iter_child_nodes(part)]
    reached = {name for names in roots.values() for name in names}
    # Of the functions inside, those that attach are wrappers, which will be run, and the others are methods.
    run = [function, *(holder for holder, names in roots.items() if names)]
    is_quick = all(_is_quick_call(called, {}) for holder in run for called in calls[holder])
    return Attacher(bool(reached & own), frozenset(reached - own), is_quick) if reached else None


# ---------------------------------------------------------------- parts of a tree


def _given_attributes(node: ast.AST) -> Iterator[ast.expr]:
    """Give the objects of which a statement or expression itself sets attributes."""
    assigned: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        assigned = node.targets
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        assigned = [node.target]
    yield from (part.value for part in targets(assigned) if isinstance(part, ast.Attribute))
    if isinstance(node, (*_COMPREHENSIONS, ast.Expr)):
        node = getattr(node, "elt", None) or getattr(node, "value", None) or node
    if isinstance(node, ast.Call) and node.args and _sets_attribute(node.func):
        yield node.args[0]


def _sets_attribute(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr == "__setattr__"
    return isinstance(function, ast.Name) and function.id == "setattr"


def _is_quick(node: ast.AST, attachers: Mapping[str, Attacher]) -> bool:
    """Whether all that is called here is known to be done at once; bodies of functions are not run here."""
    queue = [node]
    while queue:
        part = queue.pop()
        if isinstance(part, _FUNCTIONS):
            queue += part.decorator_list
            continue
        if isinstance(part, ast.Lambda):
            continue
        if isinstance(part, ast.Call) and not _is_quick_call(part.func, attachers):
            return False
        queue += ast.iter_child_nodes(part)
    return True


def _is_quick_call(function: ast.expr, attachers: Mapping[str, Attacher]) -> bool:
    if isinstance(function, ast.Attribute):
        return function.attr in _QUICK_METHODS
    if isinstance(function, ast.Call):  # of what was called in turn, which is looked at by itself
        function = function.func
        return isinstance(function, ast.Name) and function.id in attachers and attachers[function.id].is_quick
    if not isinstance(function, ast.Name):
        return False
    return function.id in _QUICK or (function.id in attachers and attachers[function.id].is_quick)


def _called(node: ast.stmt) -> Iterator[str]:
    """Give the names of the functions that a statement may call to attach something."""
    values = node.decorator_list if isinstance(node, DEFINITIONS) else [getattr(node, "value", None)]
    for value in values:
        function = value
        while isinstance(function, ast.Call):
            function = function.func
        if isinstance(function, ast.Name):
            yield function.id


def _arguments(call: ast.expr) -> set[str]:
    """Give the names that are handed over as they are, `fcnet.TwoLayerNet` as both its names."""
    if not isinstance(call, ast.Call):
        return set()
    return {name for part in [*call.args, *(k.value for k in call.keywords)] for name in _chain(part)}


def _own_class(node: ast.stmt) -> set[str]:
    """Give the class that a function names as that of its `self`."""
    first = [*node.args.posonlyargs, *node.args.args][:1] if isinstance(node, _FUNCTIONS) else []
    return {name for part in first if part.arg == "self" and part.annotation for name in _chain(part.annotation)}


def _chain(node: ast.expr) -> set[str]:
    """Give the names in `package.module.TwoLayerNet`."""
    names: set[str] = set()
    while isinstance(node, ast.Attribute):
        names.add(node.attr)
        node = node.value
    return names | ({node.id} if isinstance(node, ast.Name) else set())


def _listed(node: ast.expr) -> set[str]:
    return (
        {part.id for part in node.elts if isinstance(part, ast.Name)}
        if isinstance(node, (ast.Tuple, ast.List))
        else set()
    )


def _makes_a_class(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "type"
