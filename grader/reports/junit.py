"""A report as JUnit XML, as GitLab, Jenkins and others read it: a suite is a submission, a case is a check.

GitLab shows the content of <failure>, <error> and <skipped> and ignores their attributes; of two cases with one name it
drops one, so each name begins with its check's id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from grader.reports import phrases
from grader.text.sanitise import readable

if TYPE_CHECKING:
    from grader.model import Report, VerdictStatus

# Points that are missing make a job's test list red; what could not be judged is neither red nor green. What is carried
# misses none, and says so.
_OUTCOMES: dict[VerdictStatus, str] = {
    "partial": "failure",
    "failed": "failure",
    "carried": "system-out",
    "skipped": "skipped",
}


def to_junit(report: Report) -> str:
    """Write a report as a JUnit XML file of one suite."""
    root = ET.Element("testsuites")
    root.append(suite(report))
    return written(root)


def suite(report: Report) -> ET.Element:
    """Return a report as a <testsuite>, for a file of its own or for a whole class's.

    `readable` leaves no character that XML 1.0 forbids: each control, surrogate and unassigned one is written as its
    escape. ElementTree does the rest.
    """
    report = readable(report)
    made = ET.Element("testsuite", name=report.submission)
    if banner := phrases.banner(report):
        # Its checks are all skipped, which alone would leave the job green.
        _case(made, report, "submission: It can be graded", "error", "\n".join(banner))
    for verdict in report.checks:
        # What passes has nothing to say, unless a person let it pass.
        outcome = _OUTCOMES.get(verdict.status, "system-out" if phrases.adjusted(verdict) else "")
        case = _case(made, report, f"{verdict.id}: {verdict.title}", outcome, phrases.account(verdict))
        if verdict.status == "carried":
            properties = ET.Element("properties")
            # The first line names the mistake, where it has a name.
            first = verdict.message.partition("\n")[0]
            reason = first if first.startswith("Not charged here: ") else phrases.CARRIED
            ET.SubElement(properties, "property", name="carried", value=reason)
            case.insert(0, properties)  # where the schemas of Jenkins and others have it
    if report.rulings:
        ET.SubElement(made, "system-out").text = "\n".join(phrases.rulings(report))
    made.attrib |= _counts(made)
    if "total_seconds" in report.timing:
        made.set("time", f"{report.timing['total_seconds']:.3f}")
    return made


def written(root: ET.Element) -> str:
    """Write <testsuites> as the text of a file."""
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return f"{text.decode()}\n"


def _case(suite: ET.Element, report: Report, name: str, outcome: str, content: str) -> ET.Element:
    case = ET.SubElement(suite, "testcase", classname=report.submission, name=name, file=report.source)
    if outcome:
        ET.SubElement(case, outcome).text = content
    return case


def _counts(suite: ET.Element) -> dict[str, str]:
    counted = {
        "tests": "testcase",
        "failures": "testcase/failure",
        "errors": "testcase/error",
        "skipped": "testcase/skipped",
    }
    return {name: str(len(suite.findall(path))) for name, path in counted.items()}
