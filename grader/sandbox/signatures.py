"""The signature of a student's function, whatever its annotations name."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

_OPTIONS: dict[str, Any] = {}
if sys.version_info >= (3, 14):
    from annotationlib import Format

    _OPTIONS["annotation_format"] = Format.STRING


def read_signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return a function's signature; None where Python cannot tell it.

    From Python 3.14 on annotations are evaluated when they are asked for, and not with `def`: a program that forgot to
    import Optional runs there. As texts they ask for no name; a division by zero in one would still be carried out.
    """
    try:
        return inspect.signature(function, **_OPTIONS)
    except Exception:  # noqa: BLE001 -- it is the student's own expression that is evaluated
        return None
