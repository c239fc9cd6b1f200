"""An autograder for the two-layer-net assignment: submission, replies, verdicts, report, formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import InteractiveShell

    from grader.integrations.shown_check import ShownCheck

__version__ = "0.2.0"


def check(made: Any = None, part: str = "", *, questions: Path | str | None = None) -> ShownCheck:
    """Return how a class does in the public checks, as a page in a notebook and as text elsewhere.

    made : the class, such as TwoLayerNet; in a notebook it may be left out. part : "forward", "loss", "backward", "train",
    "predict" or "tuning"; "" for all. questions : frozen questions that your instructor gave you.
    """
    from grader.integrations.notebook import check_class  # noqa: PLC0415 -- the sandbox imports this file, and numpy is slow

    return check_class(made, part, questions)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magic `%check` to a notebook: this is what `%load_ext grader` calls."""
    from grader.integrations.notebook import add_magic  # noqa: PLC0415 -- the same

    add_magic(shell)
