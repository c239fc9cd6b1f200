"""The report of `grader doctor`: the layers of the sandbox on this system, and the results of the isolation tests."""

import platform
from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.model import Limits
from grader.records import dataclass
from grader.sandbox import self_test
from grader.sandbox.host import StudentHost
from grader.sandbox.policy import LAYERS


@dataclass(frozen=True)
class Checkup:
    """The state of isolation on this system."""

    missing: Mapping[str, str]  # layer -> why it is not in force
    facts: Mapping[str, str]  # layer -> what there is to know of it
    versions: Mapping[str, str]
    found: self_test.Findings

    @property
    def advice(self) -> str:
        """Return why strangers' code must not be run here; "" where it may be."""
        return self_test.refusal_reason(self.found)


def examine(limits: Limits) -> Checkup:
    """Run the self-test in a process like a student's.

    Raises self_test.NotIsolatedError where it gives no result, and what StudentHost raises.
    """
    with StudentHost(limits) as host:
        return Checkup(host.server.missing, host.server.facts, host.server.versions, self_test.run(host, limits))


def view(checkup: Checkup) -> RenderableType:
    """Return the report for a rich console."""
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    versions = ", ".join(f"{name} {version}" for name, version in checkup.versions.items())
    layers, tests, needs = map(_make_table, ("layer", "a student's process tries to", "a student's process needs to"))
    for name in LAYERS:
        why = checkup.missing.get(name)
        state = Text("in force", style="green") if why is None else Text("missing", style="yellow")
        layers.add_row(name, state, Text(why if why is not None else checkup.facts.get(name, "")))
    for test in checkup.found.tests:
        mark = Text("GOT THROUGH", style="bold red") if test.wrong else Text("refused", style="green")
        said = test.said.removeprefix("refused: ")
        tests.add_row(Text(self_test.lower_first(test.what)), mark + Text(f": {said}", style="default"))
    for need in checkup.found.needs:
        mark = Text("FAILED", style="bold red") if need.wrong else Text("works", style="green")
        needs.add_row(Text(self_test.lower_first(need.what)), mark + Text(f": {need.said}" if need.wrong else ""))
    verdict = (
        Text(checkup.advice, style="bold red")
        if checkup.advice
        else Text("It is safe to grade strangers' code here: nothing got through.", style="bold green")
    )
    return Group(Text(f"{system}; {versions}"), Text(), layers, Text(), tests, Text(), needs, Text(), verdict)


def _make_table(title: str) -> Table:
    return Table(title, "", "", box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
