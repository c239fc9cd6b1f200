"""Reports as JUnit XML, as GitLab, Jenkins and others read it: a suite is a submission, a case is a check.

GitLab shows the content of <failure>, <error> and <skipped> and ignores their attributes. It takes a case's `classname`
and `name` for its identity in the whole file and drops all but the first of one identity, so each name begins with its
check's id. It reads no file of 30 MB or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from grader.model import Report, Sheet, StudentReport, VerdictStatus
from grader.reports import wording
from grader.reports.export_rows import ExportError, ExportOptions
from grader.text.sanitise import plain_text

# Points that are missing make a job's test list red; what could not be judged is neither red nor green. What is carried
# misses none, and says so.
_OUTCOMES: dict[VerdictStatus, str] = {
    "partial": "failure",
    "failed": "failure",
    "carried": "system-out",
    "skipped": "skipped",
}
# A suite's counts, and what they count.
_COUNTED = {
    "tests": "testcase",
    "failures": "testcase/failure",
    "errors": "testcase/error",
    "skipped": "testcase/skipped",
}
LIMIT = 30_000_000  # bytes
LENGTHS = (2_000, 500, 100, 0)  # characters of a message: the most that let the file stay below the limit
SHORTENED = "Shortened so that CI can read this class's file. The submission's own report is complete."


def to_junit(report: StudentReport) -> str:
    """Return a report as a JUnit XML file of one suite."""
    return _write([_suite(report)])


def _suite(report: Report) -> ET.Element:
    """Return a report as a <testsuite>.

    `sanitise_report` leaves no character that XML 1.0 forbids: each control, surrogate and unassigned one is written as its
    escape. ElementTree does the rest.
    """
    made = ET.Element("testsuite", name=report.submission)
    if banner := wording.banner(report):
        # Its checks are all skipped, which alone would leave the job green.
        _case(made, report, "submission: It can be graded", "error", "\n".join(banner))
    for verdict in report.checks:
        # What passes has nothing to say, unless a person let it pass.
        outcome = _OUTCOMES.get(verdict.status, "system-out" if wording.adjusted(verdict) else "")
        case = _case(made, report, f"{verdict.id}: {verdict.title}", outcome, wording.account(verdict))
        if verdict.status == "carried":
            properties = ET.Element("properties")
            # The first line names the mistake, where it has a name.
            first = verdict.message.partition("\n")[0]
            reason = first if first.startswith("Not charged here: ") else wording.CARRIED
            ET.SubElement(properties, "property", name="carried", value=reason)
            case.insert(0, properties)  # where the schemas of Jenkins and others have it
    if report.rulings:
        ET.SubElement(made, "system-out").text = "\n".join(wording.rulings(report))
    made.attrib |= {name: str(len(made.findall(path))) for name, path in _COUNTED.items()}
    if "total_seconds" in report.timing:
        made.set("time", f"{report.timing['total_seconds']:.3f}")
    return made


def _write(suites: Sequence[ET.Element]) -> str:
    """Return the text of a file of these suites; of several it holds the sums."""
    root = ET.Element("testsuites")
    root.extend(suites)
    if len(suites) != 1:
        root.attrib |= {name: str(sum(int(one.get(name, "0")) for one in suites)) for name in _COUNTED}
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return f"{text.decode()}\n"


def _case(suite: ET.Element, report: Report, name: str, outcome: str, content: str) -> ET.Element:
    case = ET.SubElement(suite, "testcase", classname=report.submission, name=name, file=report.source)
    if outcome:
        ET.SubElement(case, outcome).text = content
    return case


def to_class_junit(sheet: Sheet, _: ExportOptions, limit: int = LIMIT) -> str:
    """Return a class as a JUnit XML file of less than `limit` bytes.

    If it would be longer, every message is shortened alike, and the first of each suite says so. Raises ExportError
    if even that is too long.
    """
    suites = [_suite(report) for report in sheet.reports]
    _number_namesakes(suites)
    told = [[one for one in made.iterfind("testcase/*") if one.tag != "properties"] for made in suites]
    whole = [[(one, one.text or "") for one in some] for some in told]
    text = _write(suites)
    for length in LENGTHS:
        if len(text.encode()) < limit:
            return text
        for messages in whole:
            _shorten(messages, length)
        text = _write(suites)
    if len(text.encode()) < limit:
        return text
    raise ExportError(
        f"{len(suites):,} submissions make a JUnit file of {len(text.encode()) / 1e6:,.1f} MB even without their"
        f" messages, but CI reads less than {limit / 1e6:,.1f}. Export a part of the class at a time."
    )


def _number_namesakes(suites: Sequence[ET.Element]) -> None:
    """Return the suites with a number each where they share a name: names may differ in what is not shown, or after many letters."""
    taken: set[str] = set()
    for one in suites:
        name, number = one.get("name", ""), 1
        while (unique := name if number == 1 else f"{name} ({number})") in taken:
            number += 1
        taken.add(unique)
        one.set("name", unique)
        for case in one:
            case.set("classname", unique)


def _shorten(messages: Sequence[tuple[ET.Element, str]], length: int) -> None:
    said = ""
    for told, whole in messages:
        short = plain_text(whole, length)
        told.text = short if short == whole or said else f"{short}\n{SHORTENED}"
        said = said or (SHORTENED if short != whole else "")
