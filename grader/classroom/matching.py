"""Whose submission is it: the entries of a class folder and the students of a roster, brought together.

Only what a platform itself puts into a name counts, and only where it fits exactly one student; what merely looks
alike is suggested in words. An entry left unmatched costs a teacher a minute, a wrong one costs two students a mark.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from types import MappingProxyType

from grader.classroom.roster import Roster, RosterError
from grader.records.sheet import Student
from grader.report.untrusted import line as shown
from grader.submission.naming import without_ending

LISTED = 20  # lines of one kind in the terminal
SUGGESTIONS = 100  # unmatched entries for which similar names are sought

# Each platform's own part comes first and is bounded by what it cannot hold; what follows, the student chose.
_CANVAS = re.compile(r"(?P<who>[^_]*)(?:_LATE)?_(?P<number>\d+)_\d+_.*", re.DOTALL)
_CANVAS_HIDDEN = re.compile(r"anon(?:_LATE)?_\w+_\d+_.*", re.DOTALL)
_MOODLE = re.compile(r"(?P<who>[^_]*)_\d+_assignsubmission_.*", re.DOTALL)
_MOODLE_HIDDEN = re.compile(r"\D*\d+\s*")  # "Participant 12", in whatever language
_GRADESCOPE = re.compile(r"submission_\d+")
_BRIGHTSPACE = re.compile(r"\d+-\d+ - (?P<who>.+?) - .*", re.DOTALL)
_BLACKBOARD = re.compile(r"(?P<who>.+?)_attempt_\d{4}(?:-\d\d){5}(?:_.*)?", re.DOTALL)
_BROWSER = re.compile(r"\s*\(\d{1,3}\)$")

_NAME_IT = "put its name beside its student, in a column `submission` of the roster."
_KINDS = {
    "id": "ID",
    "sis_id": "student number",
    "login": "login",
    "email": "e-mail",
    "github": "GitHub account",
}
_ACCOUNTS = {"-": ("github", "login"), "_": ("login",)}  # by what stands before them
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})


@dataclass(frozen=True)
class EntryName:
    """What one submission is called."""

    original: str  # of its file or folder, as handed in
    name: str  # the safe one, under which it is graded; no two entries share it


@dataclass(frozen=True)
class Unmatched:
    """A submission whose student the roster does not tell."""

    name: str
    why: str  # and how to mend it


@dataclass(frozen=True)
class Matching:
    """Which submission is whose. Each student is in `students`, in `undecided` or in `missing`, and in one of them."""

    students: Mapping[str, Student]  # by the submissions' safe names; no student twice
    how: Mapping[str, str]  # in words, for each of `students`: "by the ID 12345 in its name"
    unmatched: tuple[Unmatched, ...] = ()  # in the entries' order
    missing: tuple[Student, ...] = ()  # nothing fits them; in the roster's order
    undecided: tuple[Student, ...] = ()  # something fits, but not it alone, or not them alone; in the roster's order
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Finding:
    """What one entry's name says."""

    students: tuple[Student, ...] = ()  # all whom it fits
    how: str = ""
    why: str = ""  # it is nobody's
    note: str = ""


@dataclass(frozen=True)
class _Index:
    """The roster, by each thing that an entry may be called."""

    exact: Mapping[tuple[str, str], Student]  # by kind and casefolded value
    local: Mapping[str, tuple[Student, ...]]  # by what stands before the @
    named: Mapping[str, tuple[Student, ...]]  # by the full name, run together, in each order
    grams: Mapping[str, tuple[tuple[str, Student], ...]]  # by three letters of the name, with the name


def match(names: Sequence[EntryName], roster: Roster) -> Matching:
    """Find each entry's student.

    The roster's column `submission` wins over everything; then an exact ID, login, e-mail or account; then the full
    name. An entry that fits two students stays unmatched, and so do two entries that fit one.

    Raises RosterError if that column names no entry, or one entry for two students.
    """
    index = _index(roster.students)
    claimed = _claimed(names, roster)
    stems = [without_ending(entry.original) for entry in names]
    blackboard = [found["who"] for stem in stems if (found := _BLACKBOARD.fullmatch(stem))]
    prefixes = _common_prefix(stems, "-", index) | _common_prefix(blackboard, "_", index)
    ids_known = any((found := _CANVAS.fullmatch(stem)) and ("id", found["number"]) in index.exact for stem in stems)
    findings = {
        entry.name: claimed.get(entry.name) or _find(stem, index, prefixes, ids_known=ids_known)
        for entry, stem in zip(names, stems, strict=True)
    }
    return _settled(names, findings, set(claimed), roster, index)


def _settled(
    names: Sequence[EntryName], findings: Mapping[str, _Finding], claimed: set[str], roster: Roster, index: _Index
) -> Matching:
    """Keep the findings that are one entry's and one student's; say of the others why they are not."""
    fitting = defaultdict[Student, list[str]](list)
    own = {findings[name].students[0]: name for name in claimed}
    for name, finding in findings.items():
        if len(finding.students) == 1 and (name in claimed or finding.students[0] not in own):
            fitting[finding.students[0]].append(name)
    students = {entries[0]: student for student, entries in fitting.items() if len(entries) == 1}
    unmatched: list[Unmatched] = []
    for entry in names:
        finding = findings[entry.name]
        if entry.name in students:
            continue
        if len(finding.students) == 1:
            why = _contested(entry.name, finding.students[0], own, fitting)
        elif finding.students:
            people = _several([_called(student) for student in finding.students], "; ")
            why = f"it fits {len(finding.students)} students: {people}. To decide, {_NAME_IT}"
        else:
            similar = _similar(entry.original, index) if len(unmatched) < SUGGESTIONS else ""
            why = f"{finding.why}{similar or '.'} To mend it, {_NAME_IT}"
        unmatched.append(Unmatched(entry.name, why))
    matched = set(students.values())
    touched = {student for finding in findings.values() for student in finding.students} - matched
    return Matching(
        students=MappingProxyType({entry.name: students[entry.name] for entry in names if entry.name in students}),
        how=MappingProxyType({entry.name: findings[entry.name].how for entry in names if entry.name in students}),
        unmatched=tuple(unmatched),
        missing=tuple(one for one in roster.students if one not in matched and one not in touched),
        undecided=tuple(one for one in roster.students if one in touched),
        notes=_grouped({entry.name: findings[entry.name].note for entry in names if entry.name in students}),
    )


def _grouped(notes: Mapping[str, str]) -> tuple[str, ...]:
    """Say once what is to be said of many."""
    names = defaultdict[str, list[str]](list)
    for name, note in notes.items():
        names[note].append(name)
    return tuple(f"{_several(those)}: {note}" for note, those in names.items() if note)


def _several(names: Sequence[str], between: str = ", ") -> str:
    """Name the first five, in an order that no roster and no folder decides."""
    first = between.join(shown(name, 200) for name in sorted(names)[:5])
    return f"{first} and {len(names) - 5} more" if len(names) > 5 else first


def _contested(name: str, student: Student, own: Mapping[Student, str], fitting: Mapping[Student, list[str]]) -> str:
    if student in own:
        return (
            f"it fits {_called(student)}, whose submission is {shown(own[student], 80)}: the roster's column"
            " `submission` says so."
        )
    others = [other for other in fitting[student] if other != name]
    return (
        f"it fits {_called(student)}, and so does {_several(others)}. Take away all but one, or put the name of the one"
        " that counts beside its student, in a column `submission` of the roster."
    )


def _claimed(names: Sequence[EntryName], roster: Roster) -> dict[str, _Finding]:
    """Give what the roster's column `submission` decides, by safe names."""
    entries = defaultdict[str, set[str]](set)
    for entry in names:
        entries[_composed(entry.original)].add(entry.name)
        entries[_composed(entry.name)].add(entry.name)
    lines: dict[str, int] = {}
    claimed = {}
    for claim in roster.claims:
        where = f"{roster.source}, line {claim.line}: the submission"
        found = entries.get(_composed(claim.entry), set())
        if len(found) != 1:
            what = "is not among those handed in" if not found else "may be " + " or ".join(sorted(map(shown, found)))
            raise RosterError(
                f'{where} "{shown(claim.entry, 80)}" {what}. Expected is the name of one file or folder as it was'
                " handed in, or nothing."
            )
        (name,) = found
        if name in lines:
            raise RosterError(
                f'{where} "{shown(claim.entry, 80)}" stands in line {lines[name]} already. Expected is one student'
                " for each: delete it from the wrong line."
            )
        lines[name] = claim.line
        claimed[name] = _Finding((claim.student,), how=f"by line {claim.line} of the roster, which names it")
    return claimed


def _find(stem: str, index: _Index, prefixes: Mapping[str, str], *, ids_known: bool) -> _Finding:
    """Read one entry's name as its platform wrote it."""
    if _CANVAS_HIDDEN.fullmatch(stem):
        return _Finding(
            why="Canvas hid the names when it was downloaded: switch anonymous grading off and download again"
        )
    if found := _CANVAS.fullmatch(stem):
        return _of_canvas(found["who"], found["number"], index, ids_known=ids_known)
    if found := _MOODLE.fullmatch(stem):
        if _MOODLE_HIDDEN.fullmatch(found["who"]):
            return _Finding(why="Moodle hid the names when it was downloaded: reveal the identities and download again")
        return _of_moodle(found["who"], index)
    if _GRADESCOPE.fullmatch(stem):
        return _Finding(
            why="Gradescope's export says only the submission's number; whose it is stands in its file"
            " submission_metadata.yml"
        )
    if found := _BLACKBOARD.fullmatch(stem):
        missing = _Finding(why="no login of the roster stands before `_attempt_`")
        return _of_account(found["who"], "_", index, prefixes) or missing
    if found := _BRIGHTSPACE.fullmatch(stem):
        return _by_name(found["who"], index)
    plain = _of_plain(stem, index)
    if plain.students:
        return plain
    return _of_account(stem, "-", index, prefixes) or plain


def _of_canvas(who: str, number: str, index: _Index, *, ids_known: bool) -> _Finding:
    """Read `doejane_LATE_12345_98765_net.ipynb`: the last name and the first, and the user's ID."""
    by_id, by_number = index.exact.get(("id", number)), index.exact.get(("sis_id", number))
    by_name = _named(who, index)
    if by_id and by_number and by_id != by_number:
        return _Finding((by_id, by_number))
    if by_id:
        how = f"by the ID {number} in its name"
        if not who or not by_id.name or by_id in by_name or _alike(who, by_id):
            return _Finding((by_id,), how)
        if by_name:  # the ID is one student's and the name is another's
            return _Finding((by_id, *by_name))
        note = (
            f'its ID {number} is {_called(by_id)}\'s, and the name before it is "{shown(who, 60)}": check whose it is'
        )
        return _Finding((by_id,), how, note=note)
    if by_number:
        if by_number in by_name and len(by_name) == 1:
            return _Finding(by_name, f"by the student number {number} and the name before it")
        return _Finding(
            why=f'the number {number} is {_called(by_number)}\'s, but the name before it, "{shown(who, 60)}", is not'
        )
    if len(by_name) == 1 and by_name[0].id and ids_known:
        return _Finding(why=f"its name fits {_called(by_name[0])}, but its ID is {number}")
    note = "the ID that Canvas wrote is not in the roster, so the full name alone tells whose it is: check it"
    return _Finding(
        by_name, "by the full name in its name", f"neither its ID {number} nor its name is in the roster", note
    )


def _of_moodle(who: str, index: _Index) -> _Finding:
    """Read `Jane Doe_4711_assignsubmission_file_`; the number is the assignment's, and in no roster."""
    finding = _by_name(who, index)
    if finding.students:
        return finding
    # Of a group's, its name comes first. It must be the student's own: a part of "Mary-Jane Doe" is another's name.
    grouped = {
        student
        for at, char in enumerate(who)
        if char == "-"
        for student in _named(who[at + 1 :], index)
        if _composed(student.section).casefold() == _composed(who[:at]).casefold()
    }
    return _Finding(tuple(grouped), "by the group and the full name in its name", finding.why)


def _of_plain(stem: str, index: _Index) -> _Finding:
    """Read what is one student's ID, login, e-mail, account or full name, and nothing else."""
    for text in (stem, _BROWSER.sub("", stem)):
        folded = _composed(text).strip().casefold()
        exact = {kind: index.exact[kind, folded] for kind in _KINDS if (kind, folded) in index.exact}
        local, named = index.local.get(folded, ()), _named(text, index)
        if exact:
            others = sorted(_called(one) for one in {*local, *named} - set(exact.values()))
            note = f"it could be the name of {others[0]} too: check whose it is" if others else ""
            return _Finding(
                tuple(set(exact.values())), f"by the {_KINDS[next(iter(exact))]}, which is its name", note=note
            )
        if local or named:
            how = "by the e-mail's beginning, which is its name" if local else "by the full name, which is its name"
            return _Finding(tuple({*local, *named}), how)
    return _Finding(why="no ID, login, e-mail, GitHub account or full name of the roster is its name")


def _of_account(text: str, separator: str, index: _Index, prefixes: Mapping[str, str]) -> _Finding | None:
    """Read `two-layer-net-jane-doe`, as GitHub Classroom names repositories: the assignment and the account."""
    tails = _tails(text, separator, index)
    here = {student for prefix, student in tails if prefix == prefixes.get(separator, "")}
    if here:
        return _Finding(tuple(here), "by the account at the end of its name")
    if len({student for _, student in tails}) > 1:
        return _Finding(tuple({student for _, student in tails}))
    # Whoever calls an account "x-doe" must not be taken for "doe".
    why = "an account of the roster stands in it, but what stands before is not as in the other names"
    return _Finding(why=why) if tails else None


def _common_prefix(texts: Sequence[str], separator: str, index: _Index) -> dict[str, str]:
    """Give what most names begin with before an account of the roster; {} where that is not one beginning."""
    accounts, all_names = Counter[str](), Counter[str]()
    for text in texts:
        accounts.update({prefix for prefix, _ in _tails(text, separator, index)})
        folded = _composed(text).casefold()[:255]
        all_names.update(folded[:at] for at, char in enumerate(folded) if char == separator)
    ranked = sorted(((accounts[prefix], all_names[prefix], prefix) for prefix in accounts), reverse=True)[:2]
    if not ranked or (len(ranked) == 2 and ranked[0][:2] == ranked[1][:2]):
        return {}
    return {separator: ranked[0][2]}


def _tails(text: str, separator: str, index: _Index) -> list[tuple[str, Student]]:
    """Give each ending of a text, after a separator, that is an account of the roster, and what stands before it."""
    folded = _composed(text).casefold()[:255]
    return [
        (folded[:at], index.exact[kind, folded[at + 1 :]])
        for at, char in enumerate(folded)
        if char == separator and at
        for kind in _ACCOUNTS[separator]
        if (kind, folded[at + 1 :]) in index.exact
    ]


def _by_name(who: str, index: _Index) -> _Finding:
    return _Finding(
        _named(who, index), "by the full name in its name", f'nobody in the roster is called "{shown(who.strip(), 60)}"'
    )


def _named(text: str, index: _Index) -> tuple[Student, ...]:
    return index.named.get("".join(_words(text)), ())


def _index(students: Iterable[Student]) -> _Index:
    exact = {}
    local, named = defaultdict[str, set[Student]](set), defaultdict[str, set[Student]](set)
    grams = defaultdict[str, set[tuple[str, Student]]](set)
    for student in students:
        for kind in _KINDS:
            if value := _composed(getattr(student, kind)).casefold():
                exact[kind, value] = student
        for address in (student.email, student.login):
            before, at, _ = _composed(address).casefold().partition("@")
            if at and before:
                local[before].add(student)
        for spelling in _spellings(student):
            named[spelling].add(student)
            for gram in _grams(spelling):
                grams[gram].add((spelling, student))
    return _Index(exact, _fixed(local), _fixed(named), {gram: tuple(pairs) for gram, pairs in grams.items()})


def _fixed(found: Mapping[str, set[Student]]) -> dict[str, tuple[Student, ...]]:
    return {key: tuple(students) for key, students in found.items()}


def _spellings(student: Student) -> set[str]:
    """Give the full name run together: as it stands, and with each part of it first, as "van der Berg, Jan" needs."""
    if _words(student.name) in (_words(student.first_name), _words(student.last_name)):
        return set()  # half a name is nobody's
    found = set()
    for name in (student.name, _transcribed(student.name)):
        words = _words(name)
        found |= {"".join(words[at:] + words[:at]) for at in range(min(len(words), 12))}
    return found - {""}


def _transcribed(name: str) -> str:
    """Write umlauts as German does without them: Müller, Mueller."""
    name = _composed(name).casefold()
    return name.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("å", "aa")


def _words(text: str) -> list[str]:
    """Give a name's words without case, accents and punctuation."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_LETTERS)
    # Accents on Latin letters alone: in other scripts marks are vowels. Apostrophes part no words: O'Brien, obrien.
    kept = (char for char in folded if not "\u0300" <= char <= "\u036f" and char not in "'\u2019\u00b4`")
    seen = (char for char in kept if unicodedata.category(char) != "Cf")
    return "".join(char if unicodedata.category(char)[0] in "LNM" else " " for char in seen).split()


def _composed(text: str) -> str:
    """Give one form to what macOS and others write in two."""
    return unicodedata.normalize("NFC", text)


def _called(student: Student) -> str:
    """Call a student so that no other is meant."""
    known = next(
        (f"{word} {shown(value, 60)}" for kind, word in _KINDS.items() if (value := getattr(student, kind))), ""
    )
    name = shown(student.name, 60)
    return f"{name} ({known})" if name and known else name or f"the student with the {known}"


def _alike(who: str, student: Student) -> bool:
    """Whether a name may be another form of a student's: a word of it stands there, or most letters agree."""
    text = "".join(_words(who))
    if any(word in text for word in _words(student.name) if len(word) > 2):
        return True
    return any(SequenceMatcher(None, text, spelling).ratio() >= 0.6 for spelling in _spellings(student))


def _grams(text: str) -> set[str]:
    return {text[at : at + 3] for at in range(min(max(1, len(text) - 2), 120))}


def _similar(original: str, index: _Index) -> str:
    """Ask whether a similar name was meant; "" without one. Never more than a question."""
    stem = without_ending(original)
    found = _CANVAS.fullmatch(stem) or _MOODLE.fullmatch(stem) or _BRIGHTSPACE.fullmatch(stem)
    text = "".join(_words(found["who"] if found else stem))[:120]
    shared = Counter(pair for gram in _grams(text) for pair in index.grams.get(gram, ()))
    ranked = sorted(shared, key=lambda pair: (-shared[pair], pair[0], _called(pair[1])))[:8]
    scored = [
        (1.0 if len(name) > 5 and name in text else SequenceMatcher(None, text, name).ratio(), _called(student))
        for name, student in ranked
    ]
    score, person = min(((-score, person) for score, person in scored), default=(0.0, ""))
    return f". Did you mean {person}?" if score <= -0.75 else ""


def lines(matching: Matching) -> list[str]:
    """Tell a terminal what was matched and, above all, what was not."""
    found, listed = len(matching.students), len(matching.students) + len(matching.undecided) + len(matching.missing)
    plural, verb = "" if listed == 1 else "s", "has" if found == 1 else "have"
    told = [f"Of {listed} student{plural} on the roster, {found} {verb} a submission."]
    told += _told(
        "Submissions that are nobody's yet:", [f"{shown(one.name, 80)}: {one.why}" for one in matching.unmatched]
    )
    told += _told("Students for whom that leaves it open:", list(map(_called, matching.undecided)))
    told += _told("Students without a submission:", list(map(_called, matching.missing)))
    return told + _told("To be checked:", list(matching.notes))


def _told(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    more = [f"  and {len(items) - LISTED} more"] if len(items) > LISTED else []
    return [title, *(f"  {item}" for item in items[:LISTED]), *more]
