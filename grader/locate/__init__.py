"""Where a program goes wrong, by its own values: one recorded question, each line's values held against the right ones."""

from grader.locate.locate import locate

__all__ = ["locate"]
