"""Pass arguments to the student's methods, whose parameters may have other names than the assignment's."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .capture import ReportedError
from .signatures import read_signature, surely_takes

# The assignment's interface: a method whose parameters have other names is called by position only where the
# arguments asked are the first ones of this order; otherwise a value could land in another's place.
INTERFACE = {
    "loss": ("X", "y", "reg"),
    "train": (
        "X",
        "y",
        "X_val",
        "y_val",
        "learning_rate",
        "learning_rate_decay",
        "reg",
        "num_iters",
        "batch_size",
        "verbose",
    ),
    "predict": ("X",),
}


class ArgumentBinder:
    """Binds the arguments of one call's steps; `positional` names the methods that are called by position."""

    def __init__(self, methods: Mapping[str, str]) -> None:
        self._methods = methods  # what the assignment calls loss, train and predict
        self.positional: list[str] = []
        self._by_name: set[tuple[str, tuple[str, ...]]] = set()

    def bind(
        self,
        method: str,
        function: Callable[..., Any],
        arguments: Mapping[str, Any],
    ) -> tuple[list[Any], dict[str, Any]]:
        """Return positional and keyword arguments: by name where the student's names allow it, else by position."""
        # Reading a signature takes as long as a small loss, and a sweep asks for two hundred of those.
        if (method, tuple(arguments)) in self._by_name:
            return [], dict(arguments)
        signature = None if surely_takes(function, arguments) else read_signature(function)
        if signature is None:
            return [], dict(arguments)
        if _binds(signature, (), arguments):
            self._by_name.add((method, tuple(arguments)))
            return [], dict(arguments)
        names = tuple(arguments)
        own = list(signature.parameters)
        in_place = all(name not in own or own.index(name) == number for number, name in enumerate(names))
        in_order = names == INTERFACE.get(method, names)[: len(names)]
        if in_place and in_order and _binds(signature, tuple(arguments.values()), {}):
            if method not in self.positional:
                self.positional.append(method)
            return list(arguments.values()), {}
        takes = ", ".join((["self"] if inspect.ismethod(function) else []) + _parameters(signature))
        asked = ", ".join(_argument(name, value) for name, value in arguments.items())
        called = self._methods.get(method, method)
        raise ReportedError("TypeError", f"{called}() takes ({takes}) but is asked as {called}({asked})")


def _binds(signature: inspect.Signature, positional: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    try:
        signature.bind(*positional, **keywords)
    except TypeError:
        return False
    return True


def _parameters(signature: inspect.Signature) -> list[str]:
    stars: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [
        stars.get(parameter.kind, "")
        + (name if parameter.default is parameter.empty else _argument(name, parameter.default))
        for name, parameter in signature.parameters.items()
    ]


def _argument(name: str, value: Any) -> str:
    if isinstance(value, np.ndarray):
        return name
    plain = type(value) in {bool, int, float, str, type(None)}
    return f"{name}={value!r}" if plain else f"{name}=..."
