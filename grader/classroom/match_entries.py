"""Find students by the names of hand-ins. Each platform builds names in its own way, and only its own part counts."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from grader.classroom.name_index import (
    KINDS,
    Index,
    describe_student,
    find_named,
    normalize,
    resembles,
    split_words,
    trigrams,
)
from grader.model.class_sheet import Student
from grader.records import dataclass
from grader.submission.name_submissions import without_ending
from grader.text.sanitise import one_line

# Each platform's own part comes first and is bounded by what it cannot hold; what follows, the student chose.
_CANVAS = re.compile(r"(?P<who>[^_]*)(?:_LATE)?_(?P<number>\d+)_\d+_.*", re.DOTALL)
_CANVAS_HIDDEN = re.compile(r"anon(?:_LATE)?_\w+_\d+_.*", re.DOTALL)
_MOODLE = re.compile(r"(?P<who>[^_]*)_(?P<number>\d+)_assignsubmission_.*", re.DOTALL)
# "Participant 12", in whatever language, or the word alone, in the languages that are met most
_MOODLE_HIDDEN = re.compile(
    r"\D*\d+\s*|(?:.*-)?(?:participant[ei]?|partecipante|teilnehmer\W?(?:in)?|deelnemer|deltagare|deltaker)",
    re.IGNORECASE,
)
_GRADESCOPE = re.compile(r"submission_\d+")
_BRIGHTSPACE = re.compile(r"\d+-\d+ - (?P<who>.+?) - .*", re.DOTALL)
_BLACKBOARD = re.compile(r"(?P<who>.+?)_attempt_\d{4}(?:-\d\d){5}(?:_.*)?", re.DOTALL)
_BRANCH = re.compile(r"-(?:main|master)$")  # of a repository that was downloaded as a zip
_BROWSER = re.compile(r"\s*\(\d{1,3}\)$")
_ACCOUNTS = {"-": ("github", "login"), "_": ("login",)}  # by what stands before them


@dataclass(frozen=True)
class EntryMatch:
    """The students that one entry's name fits, and how."""

    students: tuple[Student, ...] = ()  # all whom it fits
    how: str = ""
    why: str = ""  # it is nobody's
    note: str = ""


@dataclass(frozen=True)
class Conventions:
    """How the names of this class are built."""

    prefixes: Mapping[str, str]  # by the separator before an account: what most names begin with
    ids_known: bool  # the IDs in Canvas's names are those of the roster
    participants: Mapping[str, Student]  # by the numbers that Moodle gives them in one assignment
    hidden: frozenset[str]  # what Moodle calls several people: it is no name


def count_people(names: Iterable[str]) -> int:
    """Return how many people's hand-ins these are, by what platforms put into names."""
    numbers, words = set(), set()
    for stem in map(without_ending, names):
        for pattern in (_CANVAS, _MOODLE, _GRADESCOPE, _BRIGHTSPACE, _BLACKBOARD):
            if found := pattern.fullmatch(stem):
                who, *number = found.groups() or (stem,)
                numbers.add(number[0] if number else who)
                # Moodle may hide names behind one word; a student's own "hw_2_1_net" and "hw_3_1_net" are one person's.
                words.add(number[0] if pattern is _MOODLE else who)
                break
    return min(len(numbers), len(words))


def find_conventions(stems: Sequence[str], index: Index, participants: Mapping[str, Student]) -> Conventions:
    """Return how the names of this class are built, which no single name shows."""
    blackboard = [found["who"] for stem in stems if (found := _BLACKBOARD.fullmatch(stem))]
    numbers = {(found["who"], found["number"]) for stem in stems if (found := _MOODLE.fullmatch(stem))}
    people = Counter(who for who, _ in numbers)
    stems = [_BRANCH.sub("", stem) for stem in stems]
    return Conventions(
        prefixes=_common_prefix(stems, "-", index) | _common_prefix(blackboard, "_", index),
        ids_known=any((found := _CANVAS.fullmatch(stem)) and ("id", found["number"]) in index.exact for stem in stems),
        participants=participants,
        hidden=frozenset(who for who, times in people.items() if times > 1 and not find_named(who, index)),
    )


def match_entry(stem: str, index: Index, usual: Conventions) -> EntryMatch:
    """Return what one entry's name says, read as its platform wrote it."""
    if _CANVAS_HIDDEN.fullmatch(stem):
        return EntryMatch(why="Canvas hid the names in this download: turn off anonymous grading and download again")
    if found := _CANVAS.fullmatch(stem):
        return _of_canvas(found["who"], found["number"], index, ids_known=usual.ids_known)
    if found := _MOODLE.fullmatch(stem):
        return _of_moodle(found["who"], found["number"], index, usual)
    if _GRADESCOPE.fullmatch(stem):
        return EntryMatch(
            why="Gradescope's export gives only the submission's number; its file submission_metadata.yml says"
            " whose it is"
        )
    if found := _BLACKBOARD.fullmatch(stem):
        missing = EntryMatch(why="what comes before `_attempt_` is not a login in the roster")
        return _of_account(found["who"], "_", index, usual.prefixes) or missing
    if found := _BRIGHTSPACE.fullmatch(stem):
        return _by_name(found["who"], index)
    plain = _of_plain(stem, index)
    if plain.students:
        return plain
    return _of_account(_BRANCH.sub("", stem), "-", index, usual.prefixes) or plain


def _of_canvas(who: str, number: str, index: Index, *, ids_known: bool) -> EntryMatch:
    """Read `doejane_LATE_12345_98765_net.ipynb`: the last name and the first, and the user's ID."""
    by_id, by_number = index.exact.get(("id", number)), index.exact.get(("sis_id", number))
    by_name = find_named(who, index)
    if by_id and by_number and by_id != by_number:
        return EntryMatch((by_id, by_number))
    if by_id:
        how = f"by the ID {number} in its name"
        if not who or not by_id.name or by_id in by_name or resembles(who, by_id):
            return EntryMatch((by_id,), how)
        if by_name:  # the ID is one student's and the name is another's
            return EntryMatch((by_id, *by_name))
        note = f'its ID {number} is {describe_student(by_id)}\'s, but the name before it is "{one_line(who, 60)}": check whose it is'
        return EntryMatch((by_id,), how, note=note)
    if by_number:
        if by_number in by_name and len(by_name) == 1:
            return EntryMatch(by_name, f"by the student number {number} and the name before it")
        return EntryMatch(
            why=f'the number {number} is {describe_student(by_number)}\'s, but the name before it, "{one_line(who, 60)}", is not'
        )
    if len(by_name) == 1 and by_name[0].id and ids_known:
        return EntryMatch(why=f"its name fits {describe_student(by_name[0])}, but its ID is {number}")
    note = "Canvas's ID is not in the roster, so only the full name says whose it is: please check"
    return EntryMatch(
        by_name, "by the full name in its name", f"neither its ID {number} nor its name is in the roster", note
    )


def _of_moodle(who: str, number: str, index: Index, usual: Conventions) -> EntryMatch:
    """Read `Jane Doe_4711_assignsubmission_file_`; the number is the student's in the assignment's grading worksheet."""
    finding, hidden = _by_name(who, index), _MOODLE_HIDDEN.fullmatch(who) or who in usual.hidden
    if student := usual.participants.get(number):
        # The number is one student's and the name is another's.
        others = () if hidden or student in finding.students else finding.students
        return EntryMatch((student, *others), f"by the number {number}, which Moodle's grading worksheet gives")
    if hidden:
        return EntryMatch(
            why="Moodle hid the names in this download: reveal identities and download again, or give the grading"
            " worksheet of the same assignment as the roster"
        )
    if finding.students:
        return finding
    # Of a group's, its name comes first. It must be the student's own: a part of "Mary-Jane Doe" is another's name.
    grouped = {
        student
        for at, char in enumerate(who)
        if char == "-"
        for student in find_named(who[at + 1 :], index)
        if normalize(student.section).casefold() == normalize(who[:at]).casefold()
    }
    return EntryMatch(tuple(grouped), "by the group and the full name in its name", finding.why)


def _of_plain(stem: str, index: Index) -> EntryMatch:
    """Read what is one student's ID, login, e-mail, account or full name, and nothing else."""
    for text in (stem, _BROWSER.sub("", stem)):
        folded = normalize(text).strip().casefold()
        exact = {kind: index.exact[kind, folded] for kind in KINDS if (kind, folded) in index.exact}
        local, named = index.local.get(folded, ()), find_named(text, index)
        if exact:
            others = sorted(describe_student(one) for one in {*local, *named} - set(exact.values()))
            note = f"it could also be the name of {others[0]}: check whose it is" if others else ""
            return EntryMatch(
                tuple(set(exact.values())), f"by the {KINDS[next(iter(exact))]}, which is its name", note=note
            )
        if local or named:
            how = "by the e-mail's beginning, which is its name" if local else "by the full name, which is its name"
            return EntryMatch(tuple({*local, *named}), how)
    return EntryMatch(why="its name is no ID, login, e-mail, GitHub account or full name of the roster")


def _of_account(text: str, separator: str, index: Index, prefixes: Mapping[str, str]) -> EntryMatch | None:
    """Read `two-layer-net-jane-doe`, as GitHub Classroom names repositories: the assignment and the account."""
    tails = _tails(text, separator, index)
    here = {student for prefix, student in tails if prefix == prefixes.get(separator, "")}
    if here:
        return EntryMatch(tuple(here), "by the account at the end of its name")
    if len({student for _, student in tails}) > 1:
        return EntryMatch(tuple({student for _, student in tails}))
    # Whoever calls an account "x-doe" must not be taken for "doe".
    why = "it holds an account of the roster, but does not begin like the other names"
    return EntryMatch(why=why) if tails else None


def _common_prefix(texts: Sequence[str], separator: str, index: Index) -> dict[str, str]:
    """Return what most names begin with before an account of the roster; {} where that is not one beginning."""
    accounts, all_names = Counter[str](), Counter[str]()
    for text in texts:
        accounts.update({prefix for prefix, _ in _tails(text, separator, index)})
        folded = normalize(text).casefold()[:255]
        all_names.update(folded[:at] for at, char in enumerate(folded) if char == separator)
    ranked = sorted(((accounts[prefix], all_names[prefix], prefix) for prefix in accounts), reverse=True)[:2]
    if not ranked or (len(ranked) == 2 and ranked[0][:2] == ranked[1][:2]):
        return {}
    return {separator: ranked[0][2]}


def _tails(text: str, separator: str, index: Index) -> list[tuple[str, Student]]:
    """Return each ending of a text, after a separator, that is an account of the roster, and what stands before it."""
    folded = normalize(text).casefold()[:255]
    return [
        (folded[:at], index.exact[kind, folded[at + 1 :]])
        for at, char in enumerate(folded)
        if char == separator and at
        for kind in _ACCOUNTS[separator]
        if (kind, folded[at + 1 :]) in index.exact
    ]


def _by_name(who: str, index: Index) -> EntryMatch:
    return EntryMatch(
        find_named(who, index),
        "by the full name in its name",
        f'nobody in the roster is called "{one_line(who.strip(), 60)}"',
    )


def suggest_student(original: str, index: Index) -> str:
    """Return the question whether a similar name was meant, or "". It is never more than a question."""
    stem = without_ending(original)
    found = _CANVAS.fullmatch(stem) or _MOODLE.fullmatch(stem) or _BRIGHTSPACE.fullmatch(stem)
    text = "".join(split_words(found["who"] if found else stem))[:120]
    shared = Counter(pair for gram in trigrams(text) for pair in index.grams.get(gram, ()))
    ranked = sorted(shared, key=lambda pair: (-shared[pair], pair[0], describe_student(pair[1])))[:8]
    scored = [
        (
            1.0 if len(name) > 5 and name in text else SequenceMatcher(None, text, name).ratio(),
            describe_student(student),
        )
        for name, student in ranked
    ]
    score, person = min(((-score, person) for score, person in scored), default=(0.0, ""))
    return f". Did you mean {person}?" if score <= -0.75 else ""
