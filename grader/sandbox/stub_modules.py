"""Stub modules in place of modules that are not installed, so that a submission loads without them.

Nine of ten notebooks import matplotlib and never need it for the network. What a name of such a module does is in `stubs`.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Callable
from typing import Any

from . import stubs
from .replacements import PARTLY, PYTHON_2, RENAMED

# These get no stub: an attempt to import the grader must fail as any missing module does, and so must a part of
# numpy that this numpy does not have.
NEVER = frozenset({"grader", "reference", "numpy"})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The last finder: it makes a stub of every module that no other finder has, if the student's own code imports it.

    `asks` returns whether the import under way comes from the student's code and may get a stub.
    `used` collects the names of the modules that got one.
    """

    def __init__(self, asks: Callable[[], bool]) -> None:
        self._asks = asks
        self.used: list[str] = []

    def find_spec(self, fullname: str, *_others: Any) -> importlib.machinery.ModuleSpec | None:
        """Answer for a missing module; see importlib.abc.MetaPathFinder."""
        top = fullname.partition(".")[0]
        if top in NEVER or not self._asks():
            return None
        # A part of the standard library can be out of reach where no file may be opened; `os.nonsense` is another matter.
        there = sys.modules.get(top)
        if top in sys.stdlib_module_names and there is not None and getattr(there.__spec__, "loader", None) is not self:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def exec_module(self, module: types.ModuleType) -> None:
        """Put the stub's names into the module."""
        name = module.__spec__.name if module.__spec__ else module.__name__
        if name in RENAMED:
            sys.modules[name] = importlib.import_module(RENAMED[name])
            return
        top = name.partition(".")[0]
        module.__dict__.update(PYTHON_2.get(name, stubs.KNOWN_NAMES.get(top, {})))
        if top not in PYTHON_2 and (top not in stubs.KNOWN_NAMES or top in PARTLY):
            self.used.append(name)
        module.__dict__["__getattr__"] = _getter(name)


def _getter(module: str) -> Callable[[str], Any]:
    """Return a module's `__getattr__` (PEP 562); special names stay missing, so that `import *` takes what is there."""

    def get(name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name != "__version__":
            raise AttributeError(f"the stub of {module} has no {name}")
        return stubs.VERSION if name == "__version__" else stubs.make_stub(f"{module}.{name}")

    return get
