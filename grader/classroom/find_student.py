"""Find the submission that a person means: by its name, or by its student's name, login, number or address."""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

from grader.classroom.gradebook import Gradebook
from grader.classroom.match_roster import Matching
from grader.classroom.name_index import KINDS, describe_student, normalize, spellings, split_words
from grader.classroom.results import match_class
from grader.model import Student
from grader.text.nearest import nearest
from grader.text.phrases import join_words
from grader.text.sanitise import one_line

PROPOSED = 5


class DecisionError(ValueError):
    """A decision is about something that does not exist; the text says what exists."""


def pseudonyms(book: Gradebook, others: Iterable[str] = ()) -> dict[str, str]:
    """Return the pseudonym of each submission, by name, and those of others: the class's key and the name make it."""
    key = book.secret_key()
    made = {name: hashlib.blake2b(name.encode(), key=key).digest() for name in (*others, *book.sources())}
    return {name: base64.b32encode(digest)[:8].decode().lower() for name, digest in made.items()}


def find_submission(book: Gradebook, text: str, *, exact: bool = False, blind: bool = False) -> str:
    """Return the name of the submission that is meant. A beginning is enough if it is one submission's only.

    exact : no beginning is enough. blind : only a pseudonym is. Raises DecisionError where it is none's or several's.
    """
    names, meant = book.last(), {pseudonym: name for name, pseudonym in pseudonyms(book).items()}
    if blind and text.strip().lower() not in meant:
        raise DecisionError(
            f"{one_line(text)}: --blind takes a pseudonym, as `grader export --format class` writes it."
        )
    if code := meant.get(text.strip().lower(), text if text in names else ""):
        return code
    matching = match_class(book)
    called = _called(book, matching, names)
    words = name_keys(text)
    found = {name for word in words for name in called.get(word, ())}
    if not found and not exact:
        found = {name for key, those in called.items() if any(map(key.startswith, words)) for name in those}
    if len(found) == 1:
        return found.pop()
    shown, where = one_line(text), one_line(str(book.path.parent))
    if found:
        people = [_describe(name, matching) for name in sorted(found)[:PROPOSED]]
        more = f" and {len(found) - PROPOSED} more" if len(found) > PROPOSED else ""
        raise DecisionError(f"{shown}: this may be {join_words(people, 'or')}{more}. Give more of the name.")
    absent = matching.missing if matching else ()
    missing = [one for one in absent if words & _keys(one)] or [
        one for one in absent if any(key.startswith(word) for key in _keys(one) for word in words)
    ]
    if len(missing) == 1:
        raise DecisionError(
            f"{shown}: {describe_student(missing[0])} is on the roster, and has no submission in {where}."
        )
    near = nearest(text, [*names, *(one.name for one in (matching.students.values() if matching else ()))], most=3)
    hint = (
        f"did you mean {join_words([one_line(one) for one in near], 'or')}?"
        if near
        else "gradebook.csv lists the names."
    )
    raise DecisionError(f"{shown}: there is no such submission in {where}: {hint}")


def find_names(book: Gradebook) -> dict[str, set[str]]:
    """Return the submissions that count, by all that each may be called; `name_keys` gives what to look up."""
    codes = {pseudonym: {name} for name, pseudonym in pseudonyms(book).items()}
    return _called(book, match_class(book), book.last()) | codes


def name_keys(text: str) -> set[str]:
    """Return the forms in which a name, an account or a number may be known."""
    return {normalize(text).casefold().strip(), "".join(split_words(text))} - {""}


def _called(book: Gradebook, matching: Matching | None, names: Mapping[str, object]) -> dict[str, set[str]]:
    """Return the submissions by all that each may be called, in small letters."""
    called = defaultdict[str, set[str]](set)
    roster = book.roster()
    # Moodle's own numbers: "Participant 101" in its worksheet, 101 in the names of its folders.
    numbers = {claim.student: claim.participant for claim in roster.claims if claim.participant} if roster else {}
    for name in names:
        if matching is None or name not in matching.superseded:
            called[normalize(name).casefold()].add(name)
        for student in matching.owners(name) if matching else ():
            number = numbers.get(student)
            for key in _keys(student) | ({number, f"participant{number}"} if number else set()):
                called[key].add(name)
    return called


def _keys(student: Student) -> set[str]:
    """Return all that tells a student: numbers, accounts, and the name in each order, run together."""
    return ({normalize(getattr(student, kind)).casefold() for kind in KINDS} | spellings(student)) - {""}


def _describe(name: str, matching: Matching | None) -> str:
    owners = matching.owners(name) if matching else ()
    return f"{one_line(name)}{f' ({join_words([one_line(one.name) for one in owners])})' if owners else ''}"
