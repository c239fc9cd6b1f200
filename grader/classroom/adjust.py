"""People's decisions: checked, saved in the gradebook, and written into the reports."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from grader.classroom.find_student import DecisionError
from grader.classroom.gradebook import Gradebook, now
from grader.classroom.output import explain_full_disk, write_overview, write_submission
from grader.classroom.results import ClassResults, follow_students
from grader.grading import render
from grader.model import Decision, Report
from grader.text.nearest import nearest
from grader.text.phrases import join_words
from grader.text.sanitise import one_line, plain_text


def add_decisions(book: Gradebook, made: Sequence[tuple[str, Decision]], *, answer: bool = False) -> list[Report]:
    """Save decisions, write the reports and the class page, and return the reports.

    made : each decision with its submission; numbers and digests are filled in here. answer : they answer what these
    students asked for. Raises DecisionError before anything is saved.
    """
    reports = {name: book.report(name) for name, _ in made}
    for name, one in made:
        check_decision(one, reports[name])
    worths = {name: {one.id: one.max_points for one in report.checks} for name, report in reports.items()}
    made = [(name, replace(one, of=worths[name].get(one.check)) if one.kind == "points" else one) for name, one in made]
    save_decisions(book, made, answer=answer)
    return rewrite(book, list(reports))


def save_decisions(book: Gradebook, made: Sequence[tuple[str, Decision]], *, answer: bool = False) -> None:
    """Save decisions at once, with the hand-ins that they are about, and the same words only once."""
    results = ClassResults(book)
    in_force, fresh = results.decisions, []
    seen = {_words(name, one) for name, those in in_force.items() for one in those if one.kind == "comment"}
    # A request lies in later hand-ins, too, and one that a person took back is not asked again.
    every = follow_students(book.decisions(taken_back=True), results.matching)
    seen |= {_words(name, one) for name, those in every.items() for one in those if one.kind == "request"}
    for name, decision in made:
        one = replace(decision, submission_digest=results.last[name].key.submission_digest)
        if (words := _words(name, one)) not in seen:
            fresh.append((name, one))
            seen |= {words} if one.kind in {"comment", "request"} else set()
    for name, one in dict(fresh).items() if answer else ():
        if any(asked.value for asked in [old for old in in_force.get(name, ()) if old.kind == "request"][-1:]):
            fresh.append((name, replace(one, kind="request", check="", value=0.0, comment="", of=None)))
    book.decide_all(fresh)


def ask(text: str) -> Decision:
    """Return a student's request."""
    return Decision(0, "request", "", 1.0, plain_text(text), "the student", now(), "")


def _words(name: str, one: Decision) -> tuple[str, ...]:
    """Return what makes words the same: said once of one hand-in, or asked once of all."""
    return name, one.kind, one.check, one.comment, one.submission_digest if one.kind == "comment" else ""


def find_alike(book: Gradebook, mistake: str, failed: str) -> list[str]:
    """Return the submissions that count and made a mistake, or else fail a check wholly or in part, after all decisions.

    Raises DecisionError, with proposals, where there is none.
    """
    option, wanted, what = ("--mistake", mistake, "made it") if mistake else ("--failed", failed, "fails it")
    found: dict[str, list[str]] = {}
    for report in ClassResults(book).sheet().reports:
        failing = [one.id for one in report.checks if one.status in {"failed", "partial"}]
        for key in dict.fromkeys([one.id for one in report.diagnoses] if mistake else failing):
            found.setdefault(key, []).append(report.submission)
    if wanted not in found:
        raise DecisionError(f"{option} {one_line(wanted)}: nobody in this class {what}: {_propose(wanted, found)}")
    return found[wanted]


def _propose(wanted: str, known: Iterable[str]) -> str:
    near = nearest(wanted, known, most=3)
    return f"did you mean {join_words(near, 'or')}?" if near else f"there are {', '.join(known) or 'none'}."


def withdraw_decision(book: Gradebook, name: str, number: int, said: str) -> Report:
    """Take a decision back and return the new report; said : who, when and why.

    Raises DecisionError where that submission has no such decision.
    """
    every = book.decision_records()
    one = next((one for one in every if one.decision.number == number), None)
    if one is None or one.name != name or one.withdrawn:
        what = "there is no decision with that number" if one is None else "that decision is about another submission"
        if one and one.name == name:
            what = f"it has already been taken back by {one_line(one.withdrawn).removesuffix('.')}"
        left = [str(there.decision.number) for there in every if there.name == name and not there.withdrawn]
        there = f"Decisions in force: {', '.join(left)}." if left else "There are no decisions in force."
        raise DecisionError(f"--withdraw {number}: {what}. {there}")
    book.withdraw(number, said)
    return rewrite(book, [name])[0]


def check_decision(decision: Decision, report: Report, where: str = "--check ") -> None:
    """Raise DecisionError where the rubric lacks the check, or gives other points for it; where : for the message."""
    rows = {verdict.id: verdict for verdict in report.checks}
    if decision.check and decision.check not in rows:
        hint = _propose(decision.check, rows)
        raise DecisionError(f"{where}{one_line(decision.check)}: the rubric has no such check: {hint}")
    most = rows[decision.check].max_points if decision.check else 0.0
    if decision.kind == "points" and not 0 <= decision.value <= most:  # true for NaN too
        raise DecisionError(f"--points {decision.value:g}: {decision.check} gives 0 to {most:g} points.")


def rewrite(book: Gradebook, names: Sequence[str]) -> list[Report]:
    """Write the safety copy, then the reports and pages that these decisions change; return the reports."""
    with explain_full_disk(book.path.parent):
        book.write_copy()
        rewrite_reports(book, names)
        standings = ClassResults(book)
        write_overview(book.path.parent, standings.sheet())
        return [standings.report(name) for name in names]


def rewrite_reports(book: Gradebook, names: Sequence[str]) -> None:
    """Write reports from the gradebook: after a decision, or where somebody removed them."""
    results = ClassResults(book)
    for name in names:
        write_submission(book.path.parent, name, render(results.report(name)))
