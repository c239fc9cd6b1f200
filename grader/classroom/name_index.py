"""An index of the roster by everything that a submission may be named after, and the spellings of names."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

from grader.model.class_sheet import Student
from grader.records import dataclass
from grader.text.sanitise import one_line

KINDS = {  # each is one student's only
    "id": "ID",
    "sis_id": "student number",
    "login": "login",
    "email": "e-mail",
    "github": "GitHub account",
}
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})


@dataclass(frozen=True)
class Index:
    """The roster by each thing that a submission may be named after."""

    exact: Mapping[tuple[str, str], Student]  # by kind and casefolded value
    local: Mapping[str, tuple[Student, ...]]  # by what stands before the @
    named: Mapping[str, tuple[Student, ...]]  # by the full name, run together, in each order
    grams: Mapping[str, tuple[tuple[str, Student], ...]]  # by three letters of the name, with the name


def build_index(students: Iterable[Student]) -> Index:
    """Return the index of these students."""
    exact = {}
    local, named = defaultdict[str, set[Student]](set), defaultdict[str, set[Student]](set)
    grams = defaultdict[str, set[tuple[str, Student]]](set)
    for student in students:
        for kind in KINDS:
            if value := normalize(getattr(student, kind)).casefold():
                exact[kind, value] = student
        for address in (student.email, student.login):
            before, at, _ = normalize(address).casefold().partition("@")
            if at and before:
                local[before].add(student)
        for spelling in spellings(student):
            named[spelling].add(student)
            for gram in trigrams(spelling):
                grams[gram].add((spelling, student))
    return Index(exact, _fixed(local), _fixed(named), {gram: tuple(pairs) for gram, pairs in grams.items()})


def _fixed(found: Mapping[str, set[Student]]) -> dict[str, tuple[Student, ...]]:
    return {key: tuple(students) for key, students in found.items()}


def find_named(text: str, index: Index) -> tuple[Student, ...]:
    """Return all students with this full name."""
    return index.named.get("".join(split_words(text)), ())


def spellings(student: Student) -> set[str]:
    """Return the full name as one word: as it is, and with each part of it first, as "van der Berg, Jan" needs."""
    if split_words(student.name) in (split_words(student.first_name), split_words(student.last_name)):
        return set()  # half a name is nobody's
    found = set()
    for name in (student.name, _transcribed(student.name)):
        words = split_words(name)
        found |= {"".join(words[at:] + words[:at]) for at in range(min(len(words), 12))}
    return found - {""}


def _transcribed(name: str) -> str:
    """Return a text with German umlauts written out: Mueller for Müller."""
    name = normalize(name).casefold()
    return name.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("å", "aa")


def split_words(text: str) -> list[str]:
    """Return a name's words without case, accents and punctuation."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_LETTERS)
    # Accents on Latin letters alone: in other scripts marks are vowels. Apostrophes part no words: O'Brien, obrien.
    kept = (char for char in folded if not "\u0300" <= char <= "\u036f" and char not in "'\u2019\u00b4`")
    seen = (char for char in kept if unicodedata.category(char) != "Cf")
    return "".join(char if unicodedata.category(char)[0] in "LNM" else " " for char in seen).split()


def normalize(text: str) -> str:
    """Return one form of names that macOS and other systems write differently."""
    return unicodedata.normalize("NFC", text)


def describe_student(student: Student) -> str:
    """Return a student's name with what tells them apart from others."""
    known = next(
        (f"{word} {one_line(value, 60)}" for kind, word in KINDS.items() if (value := getattr(student, kind))), ""
    )
    name = one_line(student.name, 60)
    return f"{name} ({known})" if name and known else name or f"the student with the {known}"


def resembles(who: str, student: Student) -> bool:
    """Return whether a name may be another form of a student's: they share a word, or most letters."""
    text = "".join(split_words(who))
    if any(word in text for word in split_words(student.name) if len(word) > 2):
        return True
    return any(SequenceMatcher(None, text, spelling).ratio() >= 0.6 for spelling in spellings(student))


def trigrams(text: str) -> set[str]:
    """Return all groups of three neighbouring letters."""
    return {text[at : at + 3] for at in range(min(max(1, len(text) - 2), 120))}
