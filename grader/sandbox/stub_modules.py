"""Stub modules in place of modules that are not installed, so that a submission loads without them.

Nine of ten notebooks import matplotlib and never need it for the network. There are three kinds: *real things* for the names
of compatibility modules (`past.builtins.xrange` is `range`), *no-op* stubs for plots and notebooks, which accept anything,
and *failing* stubs for all else, which can be imported, and raise an error that names the missing module when they are used.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import importlib.abc
import importlib.machinery
import io
import itertools
import pickle
import queue
import sys
import types
import urllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .older_names import describe_removed_module

_NO_OP = """
matplotlib mpl_toolkits pylab seaborn plotly bokeh altair IPython ipywidgets ipykernel google notebook nbformat
cs231n.vis_utils vis_utils
"""
NO_OP = frozenset(_NO_OP.split())
# These get no stub: an attempt to import the grader must fail as any missing module does, and so must a part of
# numpy that this numpy does not have.
NEVER = frozenset({"grader", "reference", "numpy"})


class StubError(ImportError):
    """A stub was used for a computation."""


# ---------------------------------------------------------------- failing


class FailingStub:
    """An attribute of a missing module: it can be named and passed on, but not used."""

    _name: str

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __getattr__(self, name: str) -> FailingStub:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return FailingStub(f"{self._name}.{name}")

    def __setattr__(self, name: str, value: object) -> None:
        """Accept settings such as `torch.backends.deterministic = True`."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Return a decorated function as it is; refuse every other call."""
        if len(arguments) == 1 and not keywords and isinstance(arguments[0], types.FunctionType):
            return arguments[0]  # a decorator, such as @numba.jit
        raise StubError(describe_missing(self._name))

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        """Serve as a base class: the class can be defined, and making an object of it raises StubError."""

        def refuse(*_arguments: Any, **_keywords: Any) -> Any:
            raise StubError(describe_missing(self._name))

        return (type("MissingBase", (), {"__new__": refuse}),)

    def __repr__(self) -> str:
        return f"<stub of {self._name}>"


def _refuse(self: FailingStub, *_arguments: Any) -> Any:
    raise StubError(describe_missing(self._name))


# Python looks these up on the class, past __getattr__.
_SPECIAL = """
add sub mul truediv floordiv mod pow matmul and or xor lshift rshift
radd rsub rmul rtruediv rfloordiv rmod rpow rmatmul rand ror rxor rlshift rrshift
neg pos abs invert lt le gt ge eq ne len iter next reversed round getitem setitem delitem contains
bool int float complex index enter exit array array_ufunc array_function
"""
for _method in _SPECIAL.split():
    setattr(FailingStub, f"__{_method}__", _refuse)
FailingStub.__hash__ = object.__hash__  # type: ignore[method-assign]


def describe_missing(name: str) -> str:
    """Return a message that names the missing module and says what to do."""
    module = name.partition(".")[0]
    if removed := describe_removed_module(module):
        return removed
    return (
        f"{name} is a stub: the module {module} is not installed in the grader; use numpy"
        f" (or hand {module}.py in, if it is a file of your own)"
    )


# ---------------------------------------------------------------- no-op


class NoOpStub:
    """An attribute of a plotting or notebook module: whatever is done with it, nothing happens."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        # The one call whose result is always unpacked into two.
        return _subplots if name == "subplots" else NoOpStub()

    def __setattr__(self, name: str, value: object) -> None:
        """Forget it."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Return a decorated function as it is; every other call returns a stub."""
        if len(arguments) == 1 and not keywords and isinstance(arguments[0], types.FunctionType):
            return arguments[0]
        return NoOpStub()

    def __getitem__(self, key: object) -> NoOpStub:
        return NoOpStub()

    def __setitem__(self, key: object, value: object) -> None:
        """Forget it."""

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> NoOpStub:  # noqa: PYI034 -- one class, never subclassed
        return self

    def __exit__(self, *_error: object) -> None:
        """Let errors through."""


def _subplots(*_arguments: Any, **_keywords: Any) -> tuple[NoOpStub, NoOpStub]:
    return NoOpStub(), NoOpStub()


# ---------------------------------------------------------------- real things


class Progress:
    """tqdm without the bar: what is iterated passes through."""

    def __init__(self, iterable: Iterable[Any] | None = None, *_arguments: Any, **_keywords: Any) -> None:
        self.iterable = () if iterable is None else iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def __len__(self) -> int:
        return len(self.iterable)  # type: ignore[arg-type]

    def __enter__(self) -> Progress:  # noqa: PYI034 -- one class, never subclassed
        return self

    def __exit__(self, *_error: object) -> None:
        """Let errors through."""

    def __getattr__(self, name: str) -> Any:
        return NoOpStub().__getattr__(name)


def _trange(*arguments: int, **_keywords: Any) -> Progress:
    return Progress(range(*arguments))


def _old_div(a: Any, b: Any) -> Any:
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


def _identity_decorator(*arguments: Any, **_keywords: Any) -> Any:
    """Replace numba's jit, used bare or with options: without the compiler the numbers are the same."""
    if len(arguments) == 1 and callable(arguments[0]):
        return arguments[0]
    return lambda function: function


def _iterate(method: str) -> Callable[[Mapping[Any, Any]], Iterator[Any]]:
    return lambda mapping: iter(getattr(mapping, method)())


_PYTHON_3 = {name: getattr(builtins, name) for name in dir(builtins) if not name.startswith("_")}
_BUILTINS = {
    **_PYTHON_3,
    "xrange": range,
    "unicode": str,
    "long": int,
    "basestring": str,
    "raw_input": input,
    "unichr": chr,
    "reduce": functools.reduce,
}
_ITERATE = {f"iter{name}": _iterate(name) for name in ("items", "keys", "values")}
_SIX = {
    "PY2": False,
    "PY3": True,
    "string_types": (str,),
    "integer_types": (int,),
    "text_type": str,
    "binary_type": bytes,
    **_ITERATE,
}
_MOVES = {
    **{name: _BUILTINS[name] for name in ("range", "xrange", "zip", "map", "filter", "input", "reduce")},
    "cPickle": pickle,
    "urllib": urllib,
    "queue": queue,
    "StringIO": io.StringIO,
    "zip_longest": itertools.zip_longest,
}
_TQDM = {"tqdm": Progress, "trange": _trange, "tqdm_notebook": Progress, "tnrange": _trange}
_NUMBA = {"jit": _identity_decorator, "njit": _identity_decorator, "vectorize": _identity_decorator, "prange": range}
REAL: Mapping[str, Mapping[str, Any]] = {
    "past": {},
    "past.builtins": _BUILTINS,
    "past.utils": {"old_div": _old_div},
    "future": {"standard_library": NoOpStub()},
    "future.builtins": _PYTHON_3,
    "future.utils": _ITERATE,
    "six": _SIX,
    "six.moves": _MOVES,
    "__builtin__": _BUILTINS,
    "tqdm": _TQDM,
    "tqdm.notebook": _TQDM,
    "tqdm.auto": _TQDM,
    "numba": _NUMBA,
}
# Modules that Python 3 has under another name.
RENAMED = {
    "cPickle": "pickle",
    "imp": "importlib",
    "Queue": "queue",
    "ConfigParser": "configparser",
    "StringIO": "io",
    "urllib2": "urllib.request",
}


# ---------------------------------------------------------------- the finder


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The last finder: it makes a stub of every module that no other finder has, if the student's own code imports it.

    `asks` returns whether the import under way comes from the student's code and may get a stub.
    `used` collects the names of the modules that got one.
    """

    def __init__(self, asks: Callable[[], bool]) -> None:
        self._asks = asks
        self.used: list[str] = []

    def find_spec(
        self,
        fullname: str,
        _path: Sequence[str] | None,
        _target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for a missing module; see importlib.abc.MetaPathFinder."""
        top = fullname.partition(".")[0]
        if top in NEVER or not self._asks():
            return None
        # A part of the standard library can be out of reach where no file may be opened; `os.nonsense` is another matter.
        there = sys.modules.get(top)
        if top in sys.stdlib_module_names and there is not None and getattr(there.__spec__, "loader", None) is not self:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, _spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        """Leave it to Python to make an empty module."""
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        """Put the stub's names into the module."""
        name = module.__spec__.name if module.__spec__ else module.__name__
        if name in RENAMED:
            sys.modules[name] = importlib.import_module(RENAMED[name])
            return
        things = REAL.get(name)
        if things is not None:
            module.__dict__.update(things)
        if name not in REAL and name.partition(".")[0] not in REAL:
            self.used.append(name)
        no_op = name in NO_OP or name.partition(".")[0] in NO_OP
        module.__dict__["__getattr__"] = _getter(name, no_op=no_op)


def _getter(module: str, *, no_op: bool) -> Callable[[str], Any]:
    """Return a module's `__getattr__` (PEP 562); special names stay missing, so that `import *` takes what is there."""

    def get(name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(f"the stub of {module} has no {name}")
        return getattr(NoOpStub(), name) if no_op else FailingStub(f"{module}.{name}")

    return get
