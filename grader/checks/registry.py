"""The table of checks. A check is one function, which `@check` registers under the function's name."""

from collections.abc import Callable
from functools import wraps
from inspect import getdoc

from grader.checks.context import GradingContext, cached_per_submission
from grader.model import Finding, Group
from grader.records import dataclass

Judge = Callable[[GradingContext], Finding]


@dataclass(frozen=True)
class Check:
    """One check.

    by_chance : whether a wrong program may pass by chance. of_network : whether it judges the code of the network;
    false for numbers that the student chose.
    """

    id: str
    title: str  # the sentence that the student reads
    group: Group
    function: Judge
    by_chance: bool
    of_network: bool


CHECKS: dict[str, Check] = {}


def check(
    group: Group,
    *,
    needs: Callable[[GradingContext], Finding | None] | None = None,
    by_chance: bool = False,
    of_network: bool = True,
) -> Callable[[Judge], Judge]:
    """Return a decorator that enters a function into CHECKS; the first line of its docstring is the check's title.

    needs : returns the finding to report where the check cannot be judged, and None where it can.
    """

    def enter(function: Judge) -> Judge:
        @cached_per_submission
        @wraps(function)
        def judge(context: GradingContext) -> Finding:
            return (needs(context) if needs else None) or function(context)

        name, title = function.__name__, (getdoc(function) or "").splitlines()[0]
        CHECKS[name] = Check(name, title, group, judge, by_chance, of_network)
        return judge

    return enter
