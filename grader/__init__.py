"""An autograder for the two-layer-net assignment: submission, replies, verdicts, report, formats."""

__version__ = "0.1.0"
