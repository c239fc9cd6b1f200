"""Reports as JUnit XML, as CI services read it: a suite is a submission, a case is a check.

GitLab shows the content of <failure> and <error> and ignores their attributes; most other readers show @message. GitLab
takes a case's `classname` and `name` for its identity in the whole file and drops all but the first of one identity, so
each name begins with its check's id. It reads no file of 30 MB or more. Jenkins's schema (junit-10.xsd) has no place for
a case's file, line and properties, so they are left out for Jenkins.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from grader.model import Report, Sheet, StudentReport, Verdict, VerdictStatus
from grader.reports import wording
from grader.reports.annotations import find_position
from grader.reports.export_rows import ExportError, ExportOptions, JUnitSchema
from grader.text.sanitise import one_line, plain_text

# Points that are missing make a job's test list red, those of unfinished parts too: CI takes skipped tests for no news.
# What is carried misses none, and says so.
_OUTCOMES: dict[VerdictStatus, str] = {
    "partial": "failure",
    "failed": "failure",
    "carried": "system-out",
    "skipped": "failure",
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


def to_junit(report: StudentReport, schema: JUnitSchema = "gitlab") -> str:
    """Return a report as a JUnit XML file of one suite."""
    return _write([_suite(report, schema)])


def _suite(report: Report, schema: JUnitSchema) -> ET.Element:
    """Return a report as a <testsuite>.

    `sanitise_report` leaves no character that XML 1.0 forbids: each control, surrogate and unassigned one is written as its
    escape. ElementTree does the rest.
    """
    made = ET.Element("testsuite", name=report.submission)
    failed = report.status == "grader_error"  # which says nothing of the submission
    if banner := wording.banner(report):
        case = ET.SubElement(made, "testcase", name="submission: It can be graded", file=report.source)
        ET.SubElement(case, "error" if failed else "failure", message=_first_line(banner[1])).text = "\n".join(banner)
    for verdict in report.checks:
        unjudged = failed and verdict.status == "skipped"
        made.append(_case(report, verdict, "skipped" if unjudged else _OUTCOMES.get(verdict.status, "")))
    if report.rulings:
        ET.SubElement(made, "system-out").text = "\n".join(wording.rulings(report))
    made.attrib |= {name: str(len(made.findall(path))) for name, path in _COUNTED.items()}
    seconds = report.timing.get("total_seconds")
    if seconds is not None:
        made.set("time", f"{seconds:.3f}")
    for case in made.iterfind("testcase"):
        case.set("classname", report.submission)
        if seconds is not None:  # all checks judge one run: each has an equal share of its time
            case.set("time", f"{seconds / int(made.attrib['tests']):.3f}")
        if schema == "jenkins":
            case.attrib = {name: text for name, text in case.attrib.items() if name not in {"file", "line"}}
            for properties in case.findall("properties"):
                case.remove(properties)
    return made


def _case(report: Report, verdict: Verdict, outcome: str) -> ET.Element:
    """Return a check as a <testcase>; one that passes says nothing, unless a person let it pass."""
    case = ET.Element("testcase", name=f"{verdict.id}: {verdict.title}", file=report.source)
    case.attrib |= find_position(report, verdict.places[-1] if verdict.places else None)  # the innermost
    if verdict.status == "carried":
        # The first line names the mistake, where it has a name.
        first = _first_line(verdict.message)
        reason = first if first.startswith("Not charged here: ") else wording.CARRIED
        ET.SubElement(ET.SubElement(case, "properties"), "property", name="carried", value=reason)
    if outcome or wording.adjusted(verdict):
        told = ET.SubElement(case, outcome or "system-out")
        told.text = wording.account(verdict)
        if told.tag in {"failure", "skipped"}:
            told.set("message", _first_line(verdict.message) or _first_line(told.text))
    return case


def _first_line(text: str) -> str:
    return one_line(text.partition("\n")[0])


def _write(suites: Sequence[ET.Element]) -> str:
    """Return the text of a file of these suites, with their sums."""
    root = ET.Element("testsuites")
    root.extend(suites)
    # Jenkins's schema knows no sum of skipped cases.
    sums = {name: sum(int(one.get(name, "0")) for one in suites) for name in _COUNTED if name != "skipped"}
    root.attrib |= {name: str(total) for name, total in sums.items()}
    root.set("time", f"{sum(float(one.get('time', '0')) for one in suites):.3f}")
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return f"{text.decode()}\n"


def to_class_junit(sheet: Sheet, options: ExportOptions, limit: int = LIMIT) -> str:
    """Return a class as a JUnit XML file of less than `limit` bytes.

    If it would be longer, every message is shortened alike, and the first of each suite says so. Raises ExportError
    if even that is too long.
    """
    suites = [_suite(report, options.schema) for report in sheet.reports]
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
        for case in one.iterfind("testcase"):
            case.set("classname", unique)


def _shorten(messages: Sequence[tuple[ET.Element, str]], length: int) -> None:
    said = ""
    for told, whole in messages:
        short = plain_text(whole, length)
        told.text = short if short == whole or said else f"{short}\n{SHORTENED}"
        told.attrib = {name: text[:length] for name, text in told.attrib.items()}
        said = said or (SHORTENED if short != whole else "")
