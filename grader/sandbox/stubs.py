"""What a student's program gets for a name of a module that is not installed.

A *silent* stub stands for what computes nothing: plots, progress bars, logs, seeds, pictures. It takes every use. A *loud*
stub stands for all else: it can be imported and named, also in annotations, and raises StubError where it is used. Where
the module's work can be done in a few lines, the names have the real thing (`KNOWN_NAMES`, filled by `replacements`).
"""

from __future__ import annotations

import dis
import functools
import re
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .older_names import describe_removed_module

# By module, with all below it: what shows, measures, logs or marks, and has no part in the numbers.
_SILENT_MODULES = """
matplotlib mpl_toolkits pylab seaborn plotly bokeh altair plotnine bqplot visdom livelossplot graphviz pydot PIL imageio
cs231n.vis_utils vis_utils
IPython ipywidgets ipykernel google notebook nbformat jupyter jupyterthemes nb_black lab_black
tqdm rich fastprogress alive_progress progressbar progress pyprind click
wandb tensorboard tensorboardX tensorboard_logger mlflow comet_ml neptune clearml sacred
loguru absl coloredlogs colorlog structlog termcolor colorama tabulate prettytable humanize icecream
psutil pynvml GPUtil memory_profiler line_profiler codetiming pyinstrument ipdb pudb snoop threadpoolctl mkl
beartype typeguard jaxtyping nptyping torchtyping typing_extensions numba joblib future sklearn.base
"""
_SILENT = frozenset(_SILENT_MODULES.split())
# And by the last part of a name, whatever module it belongs to.
_SILENT_NAMES = re.compile(
    r"(\w+_)?seed(_\w+)?|no_grad|inference_mode|set_grad_enabled|device|backends|synchronize|empty_cache|set_num_threads"
    r"|(use|enable)_\w*determinis\w*|set_default_\w+|set_printoptions|set_option|set_config|config|options|disable_\w+"
    r"|(jit|njit|function|script|compile|cache|memoize|profile|profiler|jaxtyped)"
    r"|tensorboard|SummaryWriter|TensorBoard|Progbar|summary|logging|get_logger|set_verbosity"
    r"|imsave|imwrite|imshow|savemat|waitKey|destroyAllWindows|namedWindow"
)
# What computes, or reads what the numbers are made of, in spite of its module.
_LOUD = re.compile(r"numba\.cuda|numba\.guvectorize|(PIL|imageio)\b.*\.\w*(open|read)")
_DERIVATIVES = re.compile(r"\w*(grad|jac|hess|vmap|pmap)\w*")  # what makes another function of a function
_EXCEPTIONS = re.compile(r"[A-Z]\w*(Error|Exception|Warning|Interrupt)")
# Questions with one right answer where the module is not there.
_ANSWERS: dict[str, Any] = {"is_available": False, "is_tensor": False, "device_count": 0, "get_array_module": np}
KNOWN_NAMES: dict[str, Mapping[str, Any]] = {}  # by top module
VERSION = "99.0.0"  # where a program asks for one, it is to take the newest module's way
_MOST_ITEMS = 1000  # that next() gets, where list(enumerate(stub)) would have no end
_UNPACK, _UNPACK_STAR, _EXTENDED = (dis.opmap[name] for name in ("UNPACK_SEQUENCE", "UNPACK_EX", "EXTENDED_ARG"))
_TAKE_NONE = {dis.opmap[name] for name in ("FOR_ITER", "DICT_MERGE", "DICT_UPDATE")}


class StubError(ImportError):
    """A stub was used for a computation."""


def describe_missing(name: str) -> str:
    """Return a message that names the missing module and says what to do."""
    module = name.partition(".")[0]
    if removed := describe_removed_module(module):
        return removed
    return (
        f"{name} is a stub: the module {module} is not installed in the grader; use numpy"
        f" (or hand {module}.py in, if it is a file of your own)"
    )


def make_stub(name: str, *, silent: bool = False) -> Any:
    """Return what takes the place of `name`, dotted from the missing module on; silent : as what it is a part of."""
    last = name.rpartition(".")[2]
    if last in _ANSWERS:
        return lambda *_arguments, **_keywords: _ANSWERS[last]
    if _EXCEPTIONS.fullmatch(last):
        return _make_exception(last)
    if _LOUD.match(name):
        return LoudStub(name)
    known = KNOWN_NAMES.get(name.partition(".")[0], {})
    if last in known:
        return known[last]
    parts = name.split(".")
    silent = silent or any(".".join(parts[:n]) in _SILENT for n in (1, 2))
    return SilentStub(name) if silent or any(map(_SILENT_NAMES.fullmatch, parts[1:])) else LoudStub(name)


@functools.cache
def _make_exception(name: str) -> type[Exception]:
    """Return a class that an except clause and warnings.filterwarnings() take."""
    return type(name, (Warning if name.endswith("Warning") else Exception,), {})


# ---------------------------------------------------------------- both kinds


class _Stub:
    """An attribute of a missing module; `_name` is dotted. As a type it is nobody's, in annotations, isinstance and unions."""

    _name: str

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return VERSION
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return make_stub(f"{self._name}.{name}", silent=isinstance(self, SilentStub))

    def __setattr__(self, name: str, value: object) -> None:
        """Accept settings such as `torch.backends.deterministic = True`."""

    def __delattr__(self, name: str) -> None:
        """Accept that as well."""

    def __instancecheck__(self, instance: object) -> bool:
        return False

    def __subclasscheck__(self, subclass: type) -> bool:
        return False

    def __or__(self, other: Any) -> Any:
        return typing.Union[self, other] if _is_type(other) else self._refuse_or_go_on()  # noqa: UP007 -- `|` leads here

    def __ror__(self, other: Any) -> Any:
        return typing.Union[other, self] if _is_type(other) else self._refuse_or_go_on()  # noqa: UP007 -- the same

    def _refuse_or_go_on(self, *_arguments: Any, **_keywords: Any) -> Any:
        raise StubError(describe_missing(self._name))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._name,)

    def __repr__(self) -> str:
        return f"<stub of {self._name}>"


def describe_missing_class(found: object) -> str:
    """Return describe_missing() of a stub; "" for anything else."""
    return describe_missing(found._name) if isinstance(found, _Stub) else ""  # noqa: SLF001 -- its one secret


def _is_type(other: object) -> bool:
    return other is None or isinstance(other, type | types.GenericAlias | types.UnionType | _Stub | str)


def _is_code(arguments: tuple[Any, ...]) -> bool:
    """Return whether a call has the form of a decorator's: it is given a function, a method or a class."""
    return bool(arguments) and isinstance(arguments[0], types.FunctionType | types.MethodType | type)


# ---------------------------------------------------------------- loud


class LoudStub(_Stub):
    """It can be named and passed on, but not used."""

    def __call__(self, *arguments: Any, **_keywords: Any) -> Any:
        """Return a decorated function as it is; refuse every other call."""
        is_decorator = len(arguments) == 1 and isinstance(arguments[0], types.FunctionType)
        if is_decorator and not _DERIVATIVES.fullmatch(self._name.rpartition(".")[2]):
            return arguments[0]
        raise StubError(describe_missing(self._name))

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        """Serve as a base class: the class can be defined, and making an object of it raises StubError."""

        def refuse(*_arguments: Any, **_keywords: Any) -> Any:
            raise StubError(describe_missing(self._name))

        return (type("MissingBase", (), {"__new__": refuse}),)


# Python looks these up on the class, past __getattr__.
_ARITHMETIC = "add sub mul truediv floordiv mod pow matmul and xor lshift rshift"
_SPECIAL = f"""
{_ARITHMETIC} {" ".join(f"r{name}" for name in _ARITHMETIC.split())} neg pos abs invert lt le gt ge
len iter next reversed round getitem setitem delitem contains bool int float complex index enter exit
array array_ufunc array_function
"""
for _method in _SPECIAL.split():
    setattr(LoudStub, f"__{_method}__", LoudStub._refuse_or_go_on)  # noqa: SLF001 -- its own


# ---------------------------------------------------------------- silent


class SilentStub(_Stub):
    """Whatever is done with it, nothing happens; as a number it is zero."""

    def __call__(self, *arguments: Any, **_keywords: Any) -> Any:
        """Return what is decorated as it is; every other call returns a stub."""
        return arguments[0] if _is_code(arguments) else SilentStub(f"{self._name}()")

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        """Serve as a base class with every method."""
        name = self._name

        def get(_self: object, attribute: str) -> Any:
            return _Stub.__getattr__(SilentStub(name), attribute)

        return (type("SilentBase", (), {"__init__": lambda *_, **__: None, "__getattr__": get}),)

    def __iter__(self) -> Iterator[Any]:
        """Return as many stubs as the statement unpacks into; a loop has nothing to go over."""
        frame = sys._getframe(1)  # noqa: SLF001 -- the one way to see who asks
        if count := _count_targets(frame):
            return iter([SilentStub(f"{self._name}[{n}]") for n in range(count)])
        return _SilentItems(self, frame)

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __contains__(self, item: object) -> bool:
        return False

    def __int__(self) -> int:
        return 0

    __index__ = __int__

    def __float__(self) -> float:
        return 0.0

    def __complex__(self) -> complex:
        return 0j

    def __round__(self, digits: int | None = None) -> float:
        return 0

    def __format__(self, form: str) -> str:
        try:
            return format(0.0, form) if form else str(self)
        except ValueError:  # a form for texts
            return format("", form)

    def __enter__(self) -> SilentStub:  # noqa: PYI034 -- one class, never subclassed
        return self

    def __exit__(self, *_error: object) -> None:
        """Let errors through."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: FBT001 -- numpy's own signature
        return np.zeros((), dtype)

    def __array_ufunc__(self, _ufunc: Any, _method: str, *_inputs: Any, **options: Any) -> Any:
        """Take part in sums, but not in those that change an array: a weight is never lost in silence."""
        if "out" in options:
            raise StubError(describe_missing(self._name))
        return SilentStub(self._name)

    def _refuse_or_go_on(self, *_arguments: Any, **_keywords: Any) -> Any:
        return SilentStub(self._name)


for _method in [*_SPECIAL.split(), "array_function"]:
    if f"__{_method}__" not in SilentStub.__dict__:
        setattr(SilentStub, f"__{_method}__", SilentStub._refuse_or_go_on)  # noqa: SLF001 -- its own
for _method in ("lt", "le", "gt", "ge"):
    setattr(SilentStub, f"__{_method}__", lambda *_: False)


class _SilentItems:
    """Nothing to a loop; next() gets the stub, and what goes over all items at once, as max() does, gets it once."""

    def __init__(self, stub: SilentStub, frame: types.FrameType) -> None:
        self._stub, self._made_at, self._given = stub, (id(frame), frame.f_lasti), 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        frame = sys._getframe(1)  # noqa: SLF001 -- the same
        most = 1 if (id(frame), frame.f_lasti) == self._made_at else _MOST_ITEMS
        if frame.f_code.co_code[frame.f_lasti] in _TAKE_NONE or self._given == most:
            raise StopIteration
        self._given += 1
        return self._stub


def _count_targets(frame: types.FrameType) -> int:
    """Return how many values the instruction that a frame is at unpacks; 0 where it unpacks none."""
    code, at = frame.f_code.co_code, frame.f_lasti
    if code[at] == _UNPACK:
        return code[at + 1]
    if code[at] == _UNPACK_STAR:  # with so many names before the star, and so many after it
        return code[at + 1] + (code[at - 1] if code[at - 2] == _EXTENDED else 0)
    return 0
