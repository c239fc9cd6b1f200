"""Match the submissions of a class folder to the students of a roster.

Only what a platform itself puts into a name counts, and only if it fits exactly one student; similar names are only
suggested. An unmatched submission costs a teacher a minute; a wrong match costs two students a mark.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from grader.classroom.match_entries import EntryMatch, find_conventions, match_entry, suggest_student
from grader.classroom.name_index import Index, build_index, describe_student, normalize, split_words
from grader.classroom.roster import Claim, Roster, RosterError
from grader.model.class_sheet import Student
from grader.records import dataclass, field, replace
from grader.submission.name_submissions import without_ending
from grader.text.phrases import join_some, join_words
from grader.text.sanitise import one_line

LISTED = 20  # lines of one kind in the terminal
SUGGESTIONS = 100  # unmatched entries for which similar names are sought
Teams = Mapping[Student, tuple[Student, ...]]
_NAME_IT = "write its name beside its student in a roster column `submission`."


@dataclass(frozen=True)
class Matching:
    """Which submission is whose. Each student is in `students`, in `undecided` or in `missing`, and in one of them."""

    students: Mapping[str, Student]  # by the submissions' safe names; no student twice
    how: Mapping[str, str]  # in words, for each of `students`: "by the ID 12345 in its name"
    unmatched: Mapping[str, str] = field(default_factory=dict)  # why the others have no student, and how to mend it
    missing: tuple[Student, ...] = ()  # nothing fits them; in the roster's order
    undecided: tuple[Student, ...] = ()  # something fits, but not it alone, or not them alone; in the roster's order
    notes: tuple[str, ...] = ()
    # The student's hand-ins that do not count, and the one that does.
    superseded: Mapping[str, str] = field(default_factory=dict)
    # Of a team's hand-in, the students besides the one in `students`.
    partners: Mapping[str, tuple[Student, ...]] = field(default_factory=dict)

    def owners(self, name: str) -> tuple[Student, ...]:
        """Return whose a submission is: nobody's, a student's or a team's."""
        return (*((self.students[name],) if name in self.students else ()), *self.partners.get(name, ()))


def match_roster(
    originals: Mapping[str, str],
    roster: Roster,
    *,
    whole: bool = True,
    choose: Callable[[Sequence[str]], str] | None = None,
) -> Matching:
    """Return each entry's student.

    The roster's column `submission` wins over everything; then an exact ID, login, e-mail or account; then the full
    name. An entry that fits two students stays unmatched.
    originals : the name of each file or folder as handed in, by the safe one, under which it is graded.
    whole : these are all entries there are; otherwise whatever else that column names may still come.
    choose : returns which of several entries of one student counts; without it they all stay unmatched.

    Raises RosterError if that column names no entry, or one entry for two students.
    """
    index = build_index(roster.students)
    claimed = _claimed(originals, roster, whole=whole)
    teams = _teams(roster, claimed)
    called = {"".join(split_words(claim.team)): claim.student for claim in reversed(roster.claims) if claim.team}
    stems = {name: without_ending(original) for name, original in originals.items()}
    participants = {claim.participant: claim.student for claim in roster.claims if claim.participant}
    usual = find_conventions(list(stems.values()), index, participants)
    findings = {
        name: claimed.get(name) or _of_team(match_entry(stem, index, usual), stem, teams, called)
        for name, stem in stems.items()
    }
    return _settle(originals, findings, set(claimed), roster, index, choose, teams)


def _settle(
    originals: Mapping[str, str],
    findings: Mapping[str, EntryMatch],
    claimed: set[str],
    roster: Roster,
    index: Index,
    choose: Callable[[Sequence[str]], str] | None,
    teams: Teams,
) -> Matching:
    """Return the matches of one entry with one student, and for the others why there is none."""
    fitting = defaultdict[Student, list[str]](list)
    findings = {
        name: replace(one, students=one.students[:1]) if name in claimed else one for name, one in findings.items()
    }
    own = {findings[name].students[0]: name for name in claimed}
    for name, finding in findings.items():
        if len(finding.students) == 1 and (name in claimed or finding.students[0] not in own):
            fitting[finding.students[0]].append(name)
    superseded = _superseded(fitting, choose)
    students = {
        name: student
        for student, entries in fitting.items()
        for name in entries
        if len(entries) == 1 or name in superseded.values()
    }
    left = [name for name in originals if name not in students and name not in superseded]
    unmatched = {
        name: _contested(name, finding.students[0], own, fitting)
        if len((finding := findings[name]).students) == 1
        else _why_left(finding, suggest_student(originals[name], index) if at < SUGGESTIONS else "")
        for at, name in enumerate(left)
    }
    partners = {name: mates for name, student in students.items() if (mates := teams.get(student, (student,))[1:])}
    matched = {*students.values(), *(mate for mates in partners.values() for mate in mates)}
    touched = {student for finding in findings.values() for student in finding.students} - matched
    return Matching(
        students=MappingProxyType({name: students[name] for name in originals if name in students}),
        how=MappingProxyType({name: findings[name].how for name in originals if name in students}),
        unmatched=unmatched,
        missing=tuple(one for one in roster.students if one not in matched and one not in touched),
        undecided=tuple(one for one in roster.students if one in touched),
        notes=_grouped({name: findings[name].note for name in originals if name in students}),
        superseded=superseded,
        partners=partners,
    )


def _teams(roster: Roster, claimed: Mapping[str, EntryMatch]) -> Teams:
    """Return each team by each of its students, the first in the roster first."""
    members = defaultdict[str, list[Student]](list)
    for claim in roster.claims:
        if claim.team:
            members[claim.team.casefold()].append(claim.student)
    found = [tuple(students) for students in members.values()] + [one.students for one in claimed.values()]
    return {student: team for team in found for student in team if len(team) > 1}


def _of_team(finding: EntryMatch, stem: str, teams: Teams, called: Mapping[str, Student]) -> EntryMatch:
    """Return the finding, in which a team counts as its first student; or the team after which the entry is named.

    called : a student of each team, by its name in one word.
    """
    if called and not finding.students:
        # Whole, before what Canvas and Moodle add, or behind the assignment's name, the longest first.
        tails = [stem[at + 1 :] for at, char in enumerate(stem) if char == "-"]
        for text in (stem, stem.partition("_")[0], *tails):
            if student := called.get("".join(split_words(text))):
                finding = EntryMatch((student,), "by the team in its name")
                break
    leads = tuple(dict.fromkeys(teams.get(student, (student,))[0] for student in finding.students))
    return replace(finding, students=leads)


def _superseded(
    fitting: Mapping[Student, Sequence[str]], choose: Callable[[Sequence[str]], str] | None
) -> dict[str, str]:
    """Return the entry that counts for each of its student's other entries."""
    if choose is None:
        return {}
    counting = [(choose(entries), entries) for entries in fitting.values() if len(entries) > 1]
    return {name: counts for counts, entries in counting for name in entries if name != counts}


def _grouped(notes: Mapping[str, str]) -> tuple[str, ...]:
    """Return each note once, with all names that it is about."""
    names = defaultdict[str, list[str]](list)
    for name, note in notes.items():
        names[note].append(name)
    return tuple(f"{join_some(sorted(those), 5, 200)}: {note}" for note, those in names.items() if note)


def _why_left(finding: EntryMatch, similar: str) -> str:
    """Return why an entry that fits nobody, or several, is nobody's, and how to mend it; similar : see `suggest_student`."""
    if finding.students:
        people = join_some(sorted(map(describe_student, finding.students)), 5, 200, "; ")
        return f"it fits {len(finding.students)} students: {people}. To decide, {_NAME_IT}"
    return f"{finding.why}{similar or '.'} To mend it, {_NAME_IT}"


def _contested(name: str, student: Student, own: Mapping[Student, str], fitting: Mapping[Student, list[str]]) -> str:
    if student in own:
        return (
            f"it fits {describe_student(student)}, but the roster's column `submission` says that their submission is"
            f" {one_line(own[student], 80)}."
        )
    others = [other for other in fitting[student] if other != name]
    return (
        f"it fits {describe_student(student)}, and so does {join_some(sorted(others), 5, 200)}. Remove all but one, or write the name of the one"
        " that counts beside its student in a roster column `submission`."
    )


def _claimed(originals: Mapping[str, str], roster: Roster, *, whole: bool) -> dict[str, EntryMatch]:
    """Return the matches that the roster's column `submission` gives, by safe names."""
    entries = defaultdict[str, set[str]](set)
    for name, original in originals.items():
        entries[normalize(original)].add(name)
        entries[normalize(name)].add(name)
    claims = defaultdict[str, list[Claim]](list)
    for claim in roster.claims:
        where = f"{roster.source}, line {claim.line}: the submission"
        found = entries.get(normalize(claim.submission), set())
        if not claim.submission or not (found or whole):
            continue
        if len(found) != 1:
            what = (
                "is not among those handed in" if not found else "may be " + " or ".join(sorted(map(one_line, found)))
            )
            raise RosterError(
                f'{where} "{one_line(claim.entry, 80)}" {what}. Give the name of one file or folder as it was'
                " handed in, or nothing."
            )
        (name,) = found
        claims[name].append(claim)
    return {
        name: EntryMatch(
            tuple(one.student for one in those),
            how=f"by line{'s' * (len(those) > 1)} {join_words([str(one.line) for one in those])} of the roster, which"
            f" name{'s' * (len(those) == 1)} it",
        )
        for name, those in claims.items()
    }


def describe_matching(matching: Matching) -> list[str]:
    """Return lines for a terminal on what was matched and what was not."""
    found = sum(len(matching.owners(name)) for name in matching.students)
    listed = found + len(matching.undecided) + len(matching.missing)
    plural, verb = "" if listed == 1 else "s", "has" if found == 1 else "have"
    together = {name: sorted(map(describe_student, matching.owners(name))) for name in matching.partners}
    counting: dict[str, list[str]] = {}
    for old, new in sorted(matching.superseded.items()):
        counting.setdefault(new, []).append(old)
    lists = {
        "Submissions without a student:": [f"{one_line(name, 80)}: {why}" for name, why in matching.unmatched.items()],
        "Handed in together:": [f"{one_line(name, 80)}: {join_some(who, 5, 200)}" for name, who in together.items()],
        "Of several hand-ins of one student one counts:": [
            f"{one_line(new, 80)} counts for {describe_student(matching.students[new])}, and not {join_some(old, 5, 200)}"
            for new, old in sorted(counting.items())
        ],
        "Students who may have handed in one of these:": list(map(describe_student, matching.undecided)),
        "Students without a submission:": list(map(describe_student, matching.missing)),
        "Please check:": list(matching.notes),
    }
    said = [f"Of {listed} student{plural} on the roster, {found} {verb} a submission."]
    for title, items in lists.items():
        more = [f"  and {len(items) - LISTED} more"] if len(items) > LISTED else []
        said += [title, *(f"  {item}" for item in items[:LISTED]), *more] if items else []
    return said
