"""What takes a missing module's place and does its work: progress bars that pass items on, numba, joblib, Python 2's names."""

from __future__ import annotations

import builtins
import contextlib
import functools
import io
import itertools
import pickle
import queue
import types
import typing
import urllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from .stubs import KNOWN_NAMES, SilentStub

# ---------------------------------------------------------------- progress bars


class _WithEveryMethod(type):
    """`tqdm.pandas()`, `tqdm.set_lock(...)`: what else the class itself is asked for does nothing."""

    def __getattr__(cls, name: str) -> Any:
        return SilentStub("tqdm.tqdm").__getattr__(name)


class Progress(metaclass=_WithEveryMethod):
    """A progress bar without the bar: what is iterated passes through, in each of the ways that such modules have."""

    def __init__(self, iterable: Any = None, *_arguments: Any, total: Any = None, **keywords: Any) -> None:
        self.iterable = () if iterable is None else iterable
        total = next((keywords[name] for name in ("max", "max_value", "maxval") if name in keywords), total)
        self.total = len(iterable) if total is None and hasattr(iterable, "__len__") else total
        self.n = 0

    def __iter__(self) -> Iterator[Any]:
        for item in self.iterable:
            yield item
            self.n += 1

    def __len__(self) -> int:
        return self.total or 0

    def __bool__(self) -> bool:
        return True

    def __call__(self, iterable: Iterable[Any] = (), *_arguments: Any, **_keywords: Any) -> Progress:
        """Pass items on: `progressbar.ProgressBar()(items)`."""
        return Progress(iterable)

    iter = track = __call__

    def update(self, n: Any = 1) -> None:
        """Count."""
        self.n += n

    @staticmethod
    def write(text: Any, *_arguments: Any, end: str = "\n", **_keywords: Any) -> None:
        """Print."""
        print(text, end=end)  # noqa: T201 -- for the student

    def __enter__(self) -> Progress:  # noqa: PYI034 -- one class, never subclassed
        return self

    def __exit__(self, *_error: object) -> None:
        """Let errors through."""

    def __getattr__(self, name: str) -> Any:
        return SilentStub("tqdm.tqdm()").__getattr__(name)


def _trange(*arguments: int, **_keywords: Any) -> Progress:
    return Progress(range(*arguments))


def _map(function: Callable[..., Any], *iterables: Iterable[Any], **_keywords: Any) -> list[Any]:
    return list(map(function, *iterables))


_ITEMS = """
tqdm tqdm_notebook tqdm_gui atqdm track progress_bar master_bar alive_it progressbar ProgressBar Bar ProgBar ProgPercent
prog_bar prog_percent
"""
_PROGRESS: dict[str, Any] = {
    **dict.fromkeys(_ITEMS.split(), Progress),
    **dict.fromkeys(("trange", "tnrange", "ttgrange"), _trange),
    **dict.fromkeys(("tmap", "thread_map", "process_map"), _map),
    "tenumerate": lambda items, start=0, **_: enumerate(items, start),
    "tzip": lambda *iterables, **_: zip(*iterables, strict=False),
    "tproduct": lambda *iterables, **_: itertools.product(*iterables),
}
_PROGRESS_MODULES = ("tqdm", "rich", "fastprogress", "alive_progress", "progressbar", "progress", "pyprind", "click")

# ---------------------------------------------------------------- numba, joblib and small ones


def _jit(*arguments: Any, **_keywords: Any) -> Any:
    """Replace numba's decorators, bare, with options or a signature: without the compiler the numbers are the same."""
    if arguments and isinstance(arguments[0], types.FunctionType | type):
        return arguments[0]
    return lambda function: function


def _vectorize(*arguments: Any, **_keywords: Any) -> Any:
    """Replace numba.vectorize: the function is called for each entry."""
    if not (arguments and isinstance(arguments[0], types.FunctionType)):
        return _vectorize
    function = arguments[0]
    each = np.frompyfunc(function, function.__code__.co_argcount, 1)

    @functools.wraps(function)
    def call(*values: Any) -> Any:
        result = each(*values)
        return np.array(result.tolist()).reshape(result.shape) if isinstance(result, np.ndarray) else result

    return call


class _TypedDict(dict[Any, Any]):
    @classmethod
    def empty(cls, *_types: Any, **_named: Any) -> _TypedDict:
        return cls()


def _run_all(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    return [call() for call in calls]


def _delay(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments, **keywords: functools.partial(function, *arguments, **keywords)


def _dump(value: Any, to: Any, *_arguments: Any, **_keywords: Any) -> None:
    with contextlib.nullcontext(to) if hasattr(to, "write") else open(to, "wb") as file:  # noqa: PTH123 -- whatever open() takes
        pickle.dump(value, file)


def _load(source: Any, *_arguments: Any, **_keywords: Any) -> Any:
    with contextlib.nullcontext(source) if hasattr(source, "read") else open(source, "rb") as file:  # noqa: PTH123 -- the same
        return pickle.load(file)  # noqa: S301 -- in the student's own process, of the student's own file


_JIT = dict.fromkeys(("jit", "njit", "generated_jit", "jitclass", "stencil", "cfunc", "jit_module", "overload"), _jit)
KNOWN_NAMES.update(
    {
        **dict.fromkeys(_PROGRESS_MODULES, _PROGRESS),
        "rich": {**_PROGRESS, "print": print, "log": print},
        "numba": {**_JIT, "vectorize": _vectorize, "prange": range, "List": list, "Dict": _TypedDict},
        "joblib": {"Parallel": lambda *_, **__: _run_all, "delayed": _delay, "dump": _dump, "load": _load},
        "torch": {"save": _dump, "load": _load},
        "icecream": {"ic": lambda *values: values[0] if len(values) == 1 else values or None},
        "termcolor": {"colored": lambda text, *_, **__: str(text), "cprint": Progress.write},
        "typing_extensions": {name: getattr(typing, name) for name in typing.__all__},
    }
)

PARTLY = frozenset({"torch"})  # most of it is not there

# ---------------------------------------------------------------- Python 2


def _old_div(a: Any, b: Any) -> Any:
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


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
# By module.
PYTHON_2: Mapping[str, Mapping[str, Any]] = {
    "past": {},
    "past.builtins": _BUILTINS,
    "past.utils": {"old_div": _old_div},
    "future": {"standard_library": SilentStub("future.standard_library")},
    "future.builtins": _PYTHON_3,
    "future.utils": _ITERATE,
    "six": _SIX,
    "six.moves": _MOVES,
    "__builtin__": _BUILTINS,
}
# Modules that Python 3 has under another name, and such that do what one of Python's does.
RENAMED = {
    "cPickle": "pickle",
    "imp": "importlib",
    "Queue": "queue",
    "ConfigParser": "configparser",
    "StringIO": "io",
    "urllib2": "urllib.request",
    "dill": "pickle",
    "cloudpickle": "pickle",
    "simplejson": "json",
    "ujson": "json",
}
