"""The signature of a student's function, whatever its annotations name."""

import inspect
import sys
import types
from collections.abc import Callable, Collection
from typing import Any

_OPTIONS: dict[str, Any] = {}
if sys.version_info >= (3, 14):
    from annotationlib import Format

    _OPTIONS["annotation_format"] = Format.STRING


def surely_takes(function: Callable[..., Any], names: Collection[str]) -> bool:
    """Return True where a plain method can be called with arguments of these names: seen at once, without its signature."""
    plain = getattr(function, "__func__", None)
    if type(function) is not types.MethodType or type(plain) is not types.FunctionType or plain.__dict__:
        return False
    code = plain.__code__
    own = code.co_varnames[1 : code.co_argcount]
    needed = own[: len(own) - len(plain.__defaults__ or ())]
    plainly = not code.co_posonlyargcount and not code.co_kwonlyargcount
    return plainly and set(needed) <= set(names) <= set(own)


def read_signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return a function's signature; None where Python cannot tell it.

    From Python 3.14 on annotations are evaluated when they are asked for, and not with `def`: a program that forgot to
    import Optional runs there. As texts they ask for no name; a division by zero in one would still be carried out.
    """
    try:
        return inspect.signature(function, **_OPTIONS)
    except Exception:  # noqa: BLE001 -- it is the student's own expression that is evaluated
        return None
