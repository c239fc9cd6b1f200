"""The arena: a world full of secrets, a shortened assignment, and one host for all attacks."""

from __future__ import annotations

import pytest

from grader.sandbox.host import StudentHost
from hostile.arena import BEST, LIMITS, Arena, short
from hostile.world import World
from reference.questions import draw


@pytest.fixture(scope="session")
def world():
    """Return what the attacks are after."""
    built = World()
    yield built
    built.close()


@pytest.fixture(scope="session")
def brief(assignment):
    """Return the shortened assignment and its questions."""
    shortened = short(assignment)
    return shortened, draw(shortened, shortened.seed)


@pytest.fixture(scope="session")
def attacked():
    """Return the host that all attacks are run on, one after another."""
    with StudentHost(LIMITS) as opened:
        yield opened


@pytest.fixture(scope="session")
def arena(brief, attacked, world, tmp_path_factory):
    """Return the arena."""
    return Arena(*brief, attacked, world, tmp_path_factory.mktemp("arena"))


@pytest.fixture(scope="session")
def honest_program(solution_class):
    """Return the solution as one program that gets full marks in the shortened assignment."""
    return f"import numpy as np\n{solution_class}\n{BEST}\n"


@pytest.fixture(scope="session")
def honest_programs(honest_program):
    """Return a right program and a wrong one, by name, for whatever needs a class around the attacks."""
    wrong = honest_program.replace("np.maximum(0,", "np.maximum(-1,")
    assert wrong != honest_program
    return {"right": honest_program, "wrong": wrong}
