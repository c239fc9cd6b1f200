"""Names that numpy and Python once had: put back where that changes no result, so that versions decide no grade.

A program may be right under one numpy and raise under the next. What is put back is noted in the report; of the rest
`grader.diagnosis` says the versions.
"""

import base64
import collections
import collections.abc
import fractions
import pkgutil
import re
import sys
import time
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

# In which version what went, as found by looking for each name in every release since 1.23. numpy tells itself what
# takes the place of most that went with 2.0: see `__expired_attributes__`.
NUMPY = {
    "1.23": {"asscalar": "array.item()", "alen": "len"},
    "1.24": {
        "float": "float", "int": "int", "bool": "bool", "object": "object", "str": "str", "complex": "complex",
        "long": "int", "unicode": "str", "bool8": "np.bool_", "object0": "np.object_", "typeDict": "np.sctypeDict",
    },
    "1.25": {"math": "math"},
    "2.0": {
        "product": "np.prod", "cumproduct": "np.cumprod", "NAN": "np.nan", "RankWarning": "np.exceptions.RankWarning",
        "msort": "np.sort(..., axis=0)", "asfarray": "np.asarray(..., dtype=float)",
        "NINF": "-np.inf", "NZERO": "-0.0", "PZERO": "0.0",
    },
    "2.4": {"in1d": "np.isin", "trapz": "np.trapezoid"},
    "2.5": {"row_stack": "np.vstack"},
}  # fmt: skip
METHODS = {
    "ptp": ("2.0", "np.ptp(array)"),
    "itemset": ("2.0", "array[place] = value"),
    "newbyteorder": ("2.0", "array.view(array.dtype.newbyteorder())"),
    "tostring": ("2.3", "array.tobytes()"),
}
_PEP_594 = """
aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes sndhdr spwd sunau
telnetlib uu xdrlib
"""
MODULES = {
    "imp": ("3.12", "importlib"),
    "distutils": ("3.12", ""),
    **dict.fromkeys(("asyncore", "asynchat", "smtpd"), ("3.12", "asyncio")),
    **dict.fromkeys(_PEP_594.split(), ("3.13", "")),
}
_PYTHON: dict[types.ModuleType, dict[str, tuple[str, str]]] = {
    collections: {name: ("3.10", f"collections.abc.{name}") for name in collections.abc.__all__},
    time: {"clock": ("3.8", "time.perf_counter")},
    fractions: {"gcd": ("3.9", "math.gcd")},
    base64: {"encodestring": ("3.9", "base64.encodebytes"), "decodestring": ("3.9", "base64.decodebytes")},
}
_SAME = re.compile(r"Use `(np\.\w+)` instead\.")
_NUMBERS = {"-np.inf": -np.inf, "-0.0": -0.0, "0.0": 0.0}


def _in1d(ar1: Any, ar2: Any, *options: Any, **named: Any) -> Any:
    return np.isin(np.ravel(ar1), ar2, *options, **named)


def _asfarray(a: Any, dtype: Any = np.float64) -> Any:
    return np.asarray(a, dtype=dtype if np.issubdtype(dtype, np.inexact) else np.float64)


# Where the new name by itself does not do the same.
_SPECIAL: dict[str, Callable[..., Any]] = {
    "in1d": _in1d,
    "asfarray": _asfarray,
    "msort": lambda a: np.sort(a, axis=0),
    "asscalar": lambda a: a.item(),
}


class Older(NamedTuple):
    """A name that went: with which version, and what takes its place; "" where nothing does."""

    version: str
    instead: str


def find_in_numpy(name: str) -> Older | None:
    """Return what became of a name of numpy's; None where no numpy up to this one is known to have lost it."""
    for version, names in NUMPY.items():
        if name in names and _numbers(version) <= _numbers(np.__version__):
            return Older(version, names[name])
    same = _SAME.fullmatch(getattr(np, "__expired_attributes__", {}).get(name, ""))
    return Older("2.0", same[1]) if same else None


def put_back(note: Callable[[str], None], place: Callable[[], tuple[str, int] | None]) -> None:
    """Let numpy and the standard library answer for what they once had, where `place` says that the student's code asks."""
    noted = set[str]()

    def serve(module: types.ModuleType, find: Callable[[str], Older | None], package: str) -> None:
        own = module.__dict__.get("__getattr__")

        def get(name: str) -> Any:
            older = None if name.startswith("__") else find(name)
            where = place() if older else None
            if older is None or where is None:
                if own is not None:
                    return own(name)
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            short = f"{'np' if module is np else module.__name__}.{name}"
            if short not in noted:
                noted.add(short)
                note(
                    f"{package} has no {short} (gone with {older.version}): {older.instead} took its place ({where[0]}, line {where[1]})"
                )
            return _value(name, older.instead)

        module.__dict__["__getattr__"] = get

    serve(np, find_in_numpy, f"numpy {np.__version__}")
    python = f"Python {sys.version.split()[0]}"
    for module, names in _PYTHON.items():
        serve(module, {name: Older(*gone) for name, gone in names.items()}.get, python)


def describe_removed_module(name: str) -> str:
    """Return what became of a module of the standard library; "" where Python is not known to have lost it."""
    version, instead = MODULES.get(name, ("", ""))
    if not version or name in sys.stdlib_module_names:
        return ""
    return f"Python {sys.version.split()[0]} has no module {name} (gone with {version})" + (
        f"; use {instead}" if instead else ""
    )


def _value(name: str, instead: str) -> Any:
    if name in _SPECIAL:
        return _SPECIAL[name]
    if instead in _NUMBERS:
        return _NUMBERS[instead]
    full = re.sub(r"^np\.", "numpy.", instead)
    return pkgutil.resolve_name(full if "." in full or full == "math" else f"builtins.{full}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
