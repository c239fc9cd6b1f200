"""What the tests of similarity share."""

from functools import cache

import pytest

from grader.similarity import pairs, tokens


@pytest.fixture(autouse=True, scope="session")
def _read_once():
    """Read each program once: the same thirty are compared hundreds of times, and reading is most of the work."""
    pairs.read = cache(tokens.tokenize_program)
    yield
    pairs.read = tokens.tokenize_program
