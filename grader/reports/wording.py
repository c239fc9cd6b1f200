"""Words that several formats share: names of groups and verdicts, points, a sentence on isolation."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby

from grader.model import Decision, Diagnosis, Group, Place, Report, ReportStatus, Ruling, Verdict, VerdictStatus
from grader.records import dataclass
from grader.text.phrases import format_points, join_words, plural

GROUPS: dict[Group, str] = {
    "loss": "Loss",
    "gradients": "Gradients",
    "train": "Training",
    "predict": "Prediction",
    "style": "Style",
}
# In the order in which a student should read them.
STATUSES: dict[VerdictStatus, str] = {
    "failed": "failed",
    "partial": "partly passed",
    "skipped": "not judged",
    "carried": "carried",
    "passed": "passed",
}
# As bars and counts show them: what was earned first.
BEST_FIRST: tuple[VerdictStatus, ...] = ("passed", "carried", "partial", "failed", "skipped")
NOT_STARTED = "Not started: "
NEXT_STEPS = "Next steps, in the order of the notebook"
CARRIED = "It failed because of a mistake that is charged elsewhere. It keeps its points."
KEPT = "It keeps its points."
BANNERS: dict[ReportStatus, str] = {
    "no_submission": "Nothing was found to grade",
    "failed_to_load": "The submission could not be loaded",
    "grader_error": "The grader failed, not the submission",
}

# Not the locale's, which would make a report's text another on another machine.
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

# Layers that the kernel enforces, in words; the rest of the record's names are told apart by these.
_KERNEL = {"landlock": "files (Landlock)", "seccomp": "system calls (seccomp)"}
_OTHERS = {
    "process": "",
    "rlimits": "",
    "no_new_privs": "no new privileges",
    "setuid": "an account of its own",
    "uid": "an account of its own",
    "namespaces": "namespaces of its own",
}


@dataclass(frozen=True)
class Section:
    """One group of checks, with failed ones first."""

    group: str
    title: str
    verdicts: tuple[Verdict, ...]
    points: float
    max_points: float


def sections(report: Report, parts: Mapping[str, Sequence[str]] | None = None) -> list[Section]:
    """Return the groups of the report's checks in the assignment's order.

    parts : the checks of each part of the notebook by its title, which are shown instead of the groups.
    """
    order = list(STATUSES)
    found = []
    checks = {title.lower().replace(" ", "-"): (title, chosen) for title, chosen in (parts or {}).items()} or {
        group: (title, [one.id for one in report.checks if one.group == group]) for group, title in GROUPS.items()
    }
    for group, (title, chosen) in checks.items():
        verdicts = [verdict for verdict in report.checks if verdict.id in chosen]
        if verdicts:
            found.append(
                Section(
                    group,
                    title,
                    tuple(sorted(verdicts, key=lambda verdict: order.index(verdict.status))),
                    sum(verdict.points for verdict in verdicts),
                    sum(verdict.max_points for verdict in verdicts),
                )
            )
    return found


def is_wrong_somewhere(report: Report) -> bool:
    """Return whether something that was judged is wrong. If not, the steps would say of each method only that it is not written."""
    return any(verdict.status not in {"passed", "skipped"} for verdict in report.checks)


def next_steps(parts: Iterable[tuple[str, Sequence[Verdict]]]) -> list[tuple[str, str, str]]:
    """Return what is still to be written: the title of each part, what is missing, and how many checks and points wait for it."""
    found = []
    for title, verdicts in parts:
        if skipped := [verdict for verdict in verdicts if verdict.status == "skipped"]:
            reason = skipped[0].message.partition("\n")[0].removeprefix(NOT_STARTED)
            points = sum(verdict.max_points for verdict in skipped)
            found.append((title, reason, f"{plural(len(skipped), 'check')}, {plural(points, 'point')}"))
    return found


def counts(report: Report) -> str:
    """Return the numbers of verdicts: "12 passed, 2 partly passed, 3 failed"."""
    numbers = Counter(verdict.status for verdict in report.checks)
    return ", ".join(f"{numbers[status]} {STATUSES[status]}" for status in BEST_FIRST if numbers[status])


def banner(report: Report) -> tuple[str, str] | None:
    """Return heading and message if nothing was graded; the first note is the reason."""
    if report.status == "graded":
        return None
    return BANNERS[report.status], report.notes[0] if report.notes else "No reason was recorded."


def remarks(report: Report) -> tuple[str, ...]:
    """Return the notes without the one in the banner."""
    return report.notes if report.status == "graded" else report.notes[1:]


def quotes(places: Sequence[Place]) -> list[tuple[str, list[Place]]]:
    """Return neighbouring lines of one cell or file under their label."""
    return [(label, list(lines)) for label, lines in groupby(places, key=lambda place: place.label)]


def costs(diagnosis: Diagnosis) -> str:
    """Return what a named mistake costs and where; "" where that is unknown."""
    total = sum(diagnosis.costs.values())
    where = ", ".join(f"{check} {format_points(lost)}" for check, lost in diagnosis.costs.items() if lost)
    if total:
        # Behind what stops a whole method more may be wrong.
        returns = "returns" if diagnosis.source else "may return up to"
        return f"Fixing it {returns} {plural(total, 'point')}: {where}."
    if diagnosis.costs:
        return "Fixing it returns points once the other mistakes are fixed, too."
    return "It costs no points by itself." if diagnosis.checks else ""


def titles(report: Report) -> dict[str, str]:
    """Return each check's title without its full stop."""
    return {verdict.id: verdict.title.removesuffix(".") for verdict in report.checks}


def adjusted(verdict: Verdict) -> str:
    """Return the grader's own points if a person decided; else ""."""
    return "" if verdict.adjusted_from is None else f"adjusted: {format_points(verdict.adjusted_from)} by the grader"


def standing(verdict: Verdict) -> str:
    """Return a sentence that explains a carried verdict if its message does not; else ""."""
    if verdict.status != "carried":
        return ""
    return KEPT if "charged" in verdict.message else CARRIED


def late(report: Report) -> str:
    """Return how late a submission was: "late by 2 days"; "" if it was on time."""
    return f"late by {plural(report.late_days, 'day')}" if report.late_days else ""


def signature(decision: Decision) -> str:
    """Return who decided and when: "Ada Lovelace on 22 November 2026"."""
    try:
        day = date.fromisoformat(decision.at[:10])
        when = f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    except ValueError:
        when = decision.at
    return " on ".join(part for part in (decision.by or "an unnamed person", when) if part)


def ruling(one: Ruling) -> str:
    """Return a sentence on a decision: its effect, by whom, when and why."""
    kind = one.decision.kind
    said = kind == "comment" or (one.applies and kind == "points") or (kind == "request" and not one.decision.value)
    joint = " by " if said else ". Asked by " if kind == "request" else ". Decided by "
    why = f': "{one.decision.comment}"' if one.decision.comment else "."
    return f"{one.effect}{joint}{signature(one.decision)}{why}"


def rulings(report: Report) -> list[str]:
    """Return a sentence for each decision, beginning with its number."""
    return [f"{one.decision.number}. {ruling(one)}" for one in report.rulings]


def account(verdict: Verdict) -> str:
    """Return a verdict in plain lines without its title: points, message, quoted lines."""
    remarks = ", ".join(part for part in (adjusted(verdict), "hidden check" if verdict.hidden else "") if part)
    aside = f" ({remarks})" if remarks else ""
    earned = f"{format_points(verdict.points)} of {format_points(verdict.max_points)} points{aside}."
    return "\n".join(line for line in (earned, standing(verdict), finding(verdict)) if line)


def finding(verdict: Verdict) -> str:
    """Return what a check found: its message and the lines that it speaks of; "" of a hidden one."""
    # A place without a line is the remark that some were left out.
    places = [str(place) if place.line else place.label for place in verdict.places]
    quoted = [f"  {place}" for place in places if place not in verdict.message]
    return "\n".join(line for line in (verdict.message, *quoted) if line)


def is_locked_down(layers: Sequence[str]) -> bool:
    """Return whether the kernel kept the student's code from files or from other processes."""
    return any(layer in layers for layer in _KERNEL)


def isolation(layers: Sequence[str]) -> str:
    """Return how the student's code was isolated, for readers who do not know the layers' names."""
    separate = "process" in layers
    if not layers:
        return "Not run."
    if "same_process" in layers:
        return "Asked in the notebook's own process: nothing was isolated, and no time limit was in force."
    sentence = "Run in a separate process" if separate else "Run inside the grader's own process: not isolated"
    if "rlimits" in layers:
        sentence += " with resource limits" if separate else ", with resource limits"
    kernel = [words for layer, words in _KERNEL.items() if layer in layers]
    if separate and not kernel:
        # Whatever else is in force, without these two it may read files and reach others: as on macOS and Windows.
        sentence += ": not isolated"
    if len(kernel) == len(_KERNEL):
        sentence += f"; the kernel's lock-down of {join_words(kernel)} was in force"
    elif kernel:
        sentence += f"; of the kernel lock-down only that of {kernel[0]} was in force"
    else:
        sentence += "; the kernel lock-down was not in force"
    further = [_OTHERS.get(layer, layer) for layer in layers if layer not in _KERNEL]
    named = list(dict.fromkeys(words for words in further if words))
    return f"{sentence}. Further layers: {', '.join(named)}." if named else f"{sentence}."
