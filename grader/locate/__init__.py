"""Where a program goes wrong, by its own values: one recorded question, each line's values held against the right ones."""

from grader.locate.locate import Located
from grader.locate.passes import many_passes
from grader.locate.step_table import table
from grader.locate.withholding import with_many_passes

__all__ = ["Located", "many_passes", "table", "with_many_passes"]
