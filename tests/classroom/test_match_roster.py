"""Each platform's names lead to their student, or to a sentence; never to another student."""

import itertools
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.classroom.match_roster import Matching, describe_matching, match_roster
from grader.classroom.roster import Claim, Roster, RosterError
from grader.model.class_sheet import Student

JANE = Student("Doe, Jane", "Jane", "Doe", "12345", "s001", "jdoe", "jane.doe@uni.edu", "Lab A", "jane-doe")
BERG = Student("van der Berg, Jan", "Jan", "van der Berg", "12346", "s002", "jberg", "j.berg@uni.edu", "Lab B", "vdb")
ZOE = Student("Zoë Müller-Weiß", "Zoë", "Müller-Weiß", "12347", "0042", "zmw", "zoe@uni.edu", "Lab A", "Zoe-MW")
WANG = Student("王小明", id="12348", login="xwang")
OBRIEN = Student("O'Brien, Seán Łukasz", "Seán Łukasz", "O'Brien", "12349", "s005", "sobrien")
CLASS = (JANE, BERG, ZOE, WANG, OBRIEN)
MEND = "write its name beside its student in a roster column `submission`."


def entries(*originals):
    """Return the entries of a folder, each under a safe name of its own."""
    return {original.removesuffix(".ipynb"): original for original in originals}


def match_sources(*originals, students=CLASS, claims=()):
    """Match entries with a class."""
    return match_roster(entries(*originals), Roster(tuple(students), source="class.csv", claims=tuple(claims)))


def explain(*originals, students=CLASS):
    """Return why the first of some entries is unmatched."""
    return match_sources(*originals, students=students).unmatched[originals[0].removesuffix(".ipynb")]


ONE = {
    # Canvas
    "doejane_12345_98765_two_layer_net.ipynb": (JANE, "by the ID 12345 in its name"),
    "doejane_LATE_12345_98765_two_layer_net-1.ipynb": (JANE, "by the ID 12345 in its name"),
    "vanderbergjan_12346_98765_net.ipynb": (BERG, "by the ID 12346 in its name"),
    "müllerweißzoë_12347_98765_net.ipynb": (ZOE, "by the ID 12347 in its name"),
    "doejane_12345_222_smith_12346_444.ipynb": (JANE, "by the ID 12345 in its name"),
    # Moodle
    "Jane Doe_4711_assignsubmission_file_": (JANE, "by the full name in its name"),
    "Jane Doe_4711_assignsubmission_file": (JANE, "by the full name in its name"),
    "Jan van der Berg_4711_assignsubmission_file_two_layer_net.ipynb": (BERG, "by the full name in its name"),
    "Zoë Müller-Weiß_12345_assignsubmission_file_": (ZOE, "by the full name in its name"),
    "Lab A-Jane Doe_4711_assignsubmission_file_": (JANE, "by the group and the full name in its name"),
    "王小明_4711_assignsubmission_file_": (WANG, "by the full name in its name"),
    # GitHub Classroom
    "two-layer-net-jane-doe": (JANE, "by the account at the end of its name"),
    "two-layer-net-zoe-mw": (ZOE, "by the account at the end of its name"),
    "two-layer-net-jane-doe-main.zip": (JANE, "by the account at the end of its name"),
    "two-layer-net-jane-doe-master": (JANE, "by the account at the end of its name"),
    "two-layer-net-jberg": (BERG, "by the account at the end of its name"),
    # Blackboard, Brightspace
    "Two-Layer Net_jberg_attempt_2024-03-01-12-00-59_net.ipynb": (BERG, "by the account at the end of its name"),
    "1001-2002 - Jane Doe - Mar 1, 2024 1200 PM - net.ipynb": (JANE, "by the full name in its name"),
    # nbgrader, and folders that people name
    "jdoe": (JANE, "by the login, which is its name"),
    "JDOE.ipynb": (JANE, "by the login, which is its name"),
    "12346": (BERG, "by the ID, which is its name"),
    "0042": (ZOE, "by the student number, which is its name"),
    "Zoe-MW": (ZOE, "by the GitHub account, which is its name"),
    "jane.doe@uni.edu.ipynb": (JANE, "by the e-mail, which is its name"),
    "j.berg": (BERG, "by the e-mail's beginning, which is its name"),
    "doe_jane.ipynb": (JANE, "by the full name, which is its name"),
    "Jane Doe.ipynb": (JANE, "by the full name, which is its name"),
    "JaneDoe": (JANE, "by the full name, which is its name"),
    "Doe, Jane (2).ipynb": (JANE, "by the full name, which is its name"),
    "Jan_van-der_Berg": (BERG, "by the full name, which is its name"),
    "vanderberg_jan": (BERG, "by the full name, which is its name"),
    "zoe_mueller-weiss": (ZOE, "by the full name, which is its name"),
    "ZOE.MULLER.WEISS": (ZOE, "by the full name, which is its name"),
    "Mu\u0308ller-Weiss Zoe\u0308": (ZOE, "by the full name, which is its name"),
    "sean_lukasz_obrien": (OBRIEN, "by the full name, which is its name"),
}


@pytest.mark.parametrize("original", ONE)
def test_each_platforms_names(original):
    """What a platform writes leads to the student and says by what; the others are missing."""
    student, how = ONE[original]
    (name,) = entries(original)
    matching = match_sources(original)
    assert matching == Matching(
        students={name: student},
        how={name: how},
        missing=tuple(one for one in CLASS if one != student),
    )


NOBODY = "its name is no ID, login, e-mail, GitHub account or full name of the roster"
HIDDEN = (
    "Moodle hid the names in this download: reveal identities and download again, or give the grading worksheet of the"
    " same assignment as the roster"
)
UNREAD = {
    "submission_991": (
        "Gradescope's export gives only the submission's number; its file submission_metadata.yml says whose it is."
        f" To mend it, {MEND}"
    ),
    "anon_LATE_e9Fgh_98765_net.ipynb": (
        f"Canvas hid the names in this download: turn off anonymous grading and download again. To mend it, {MEND}"
    ),
    "anon_12345_98765_net.ipynb": (
        f"Canvas hid the names in this download: turn off anonymous grading and download again. To mend it, {MEND}"
    ),
    "Participant 12345_12345_assignsubmission_file_": (f"{HIDDEN}. To mend it, {MEND}"),
    "Participant_101_assignsubmission_file_": f"{HIDDEN}. To mend it, {MEND}",
    "Lab A-Teilnehmerin_101_assignsubmission_file_": f"{HIDDEN}. To mend it, {MEND}",
    "doe": f"{NOBODY}. To mend it, {MEND}",
    "jane": f"{NOBODY}. To mend it, {MEND}",
    "12345 net": f"{NOBODY}. To mend it, {MEND}",
    "my_net_12345_1_x.ipynb": f"{NOBODY}. To mend it, {MEND}",  # Canvas writes one word before its ID
    "doe_jnae": f"{NOBODY}. Did you mean Doe, Jane (ID 12345)? To mend it, {MEND}",
    "Jane Doe two layer net": f"{NOBODY}. Did you mean Doe, Jane (ID 12345)? To mend it, {MEND}",
    "Jane M. Doe_4711_assignsubmission_file_": (
        f'nobody in the roster is called "Jane M. Doe". Did you mean Doe, Jane (ID 12345)? To mend it, {MEND}'
    ),
    "Mary-Jane Doe_4711_assignsubmission_file_": (
        f'nobody in the roster is called "Mary-Jane Doe". Did you mean Doe, Jane (ID 12345)? To mend it, {MEND}'
    ),
    "mallory_777_888_doejane_12345_1_x.ipynb": (
        f"neither its ID 777 nor its name is in the roster. To mend it, {MEND}"
    ),
    "Net_mallory_attempt_2024-03-01-12-00-59_x_jberg_attempt_2024-03-01-12-00-59_.ipynb": (
        f"what comes before `_attempt_` is not a login in the roster. To mend it, {MEND}"
    ),
}


@pytest.mark.parametrize("original", UNREAD)
def test_what_tells_nobody_is_told_word_for_word(original):
    """No last name, no likeness and no part that a student chose is ever enough; the sentence says how to mend it."""
    assert explain(original) == UNREAD[original]
    assert match_sources(original).students == {}


def test_moodles_numbers_lead_to_the_lines_of_its_worksheet():
    """The number alone is enough where names are hidden; where it is one student's and the name another's, nobody's."""
    claims = [Claim(JANE, "participant:101", 2), Claim(BERG, "participant:102", 3), Claim(ZOE, "participant:103", 4)]
    matching = match_sources(
        "Participant_101_assignsubmission_file_", "J. Berg_102_assignsubmission_file_net.ipynb", claims=claims
    )
    assert list(matching.students.values()) == [JANE, BERG]
    assert ZOE in matching.missing
    assert set(matching.how.values()) == {
        "by the number 101, which Moodle's grading worksheet gives",
        "by the number 102, which Moodle's grading worksheet gives",
    }
    wrong = match_sources("Jane Doe_102_assignsubmission_file_", claims=claims)
    assert wrong.undecided == (JANE, BERG)


def test_what_moodle_calls_several_people_is_no_name():
    """In whatever language: a word before two numbers hides two people."""
    one, other = "Résztvevő_101_assignsubmission_file_", "Résztvevő_102_assignsubmission_file_"
    assert explain(one, other) == f"{HIDDEN}. To mend it, {MEND}"
    assert explain(one).startswith("nobody in the roster is called")


def test_an_id_whose_name_contradicts_is_noted():
    """A group's name may stand there, or another's: the ID counts, and a person is told to look."""
    matching = match_sources("mallory_12345_1_x.ipynb")
    assert matching.students == {"mallory_12345_1_x": JANE}
    assert matching.notes == (
        (
            'mallory_12345_1_x: its ID 12345 is Doe, Jane (ID 12345)\'s, but the name before it is "mallory":'
            " check whose it is"
        ),
    )


@pytest.mark.parametrize("who", ["doej", "janedoe", "doesmithjane", "deojaen", ""])
def test_another_form_of_the_name_is_no_contradiction(who):
    """A middle name, a second last name or initials are the same person's."""
    assert match_sources(f"{who}_12345_1_x.ipynb").notes == ()


def test_one_students_id_with_anothers_name_is_nobodys():
    """Of two who fit, neither is taken."""
    assert explain("vanderbergjan_12345_1_x.ipynb") == (
        f"it fits 2 students: Doe, Jane (ID 12345); van der Berg, Jan (ID 12346). To decide, {MEND}"
    )
    matching = match_sources("vanderbergjan_12345_1_x.ipynb")
    assert matching.undecided == (JANE, BERG)
    assert matching.missing == (ZOE, WANG, OBRIEN)


def test_a_number_of_two_kinds_is_nobodys():
    """One student's ID may be another's student number: both names and numbers say so."""
    students = (Student("Ann Lee", id="7"), Student("Bob Ray", sis_id="7"))
    for original in ("leeann_7_1_x.ipynb", "7"):
        assert explain(original, students=students) == (
            f"it fits 2 students: Ann Lee (ID 7); Bob Ray (student number 7). To decide, {MEND}"
        )


def test_a_student_number_counts_for_canvas_with_its_name_only():
    """Canvas writes its own IDs; a registrar's number that is the same may be chance."""
    students = (Student("Bob Ray", sis_id="7"),)
    assert match_sources("raybob_7_1_x.ipynb", students=students).how == {
        "raybob_7_1_x": "by the student number 7 and the name before it"
    }
    assert explain("leeann_7_1_x.ipynb", students=students) == (
        f'the number 7 is Bob Ray (student number 7)\'s, but the name before it, "leeann", is not. To mend it, {MEND}'
    )


def test_a_name_whose_id_is_another_is_nobodys():
    """Two may have one name: where the roster's IDs are Canvas's, a strange one is a strange student."""
    assert explain("doejane_999_1_x.ipynb", "vanderbergjan_12346_2_x.ipynb") == (
        f"its name fits Doe, Jane (ID 12345), but its ID is 999. Did you mean Doe, Jane (ID 12345)? To mend it, {MEND}"
    )


def test_a_roster_without_canvas_ids_goes_by_names_and_says_so_once():
    """A registrar's list knows no ID of Canvas's: full names count, with one note for all."""
    matching = match_sources("doejane_991_1_x.ipynb", "vanderbergjan_992_2_x.ipynb")
    assert matching.students == {"doejane_991_1_x": JANE, "vanderbergjan_992_2_x": BERG}
    assert matching.notes == (
        (
            "doejane_991_1_x, vanderbergjan_992_2_x: Canvas's ID is not in the roster, so only the full name"
            " says whose it is: please check"
        ),
    )


@pytest.mark.parametrize(
    "original", ["hassan_ali", "Ali Hassan_1_assignsubmission_file_", "hassanali_9_1_x.ipynb", "ali-hassan"]
)
def test_one_name_of_two_students_is_nobodys(original):
    """Names are read in any order, so "Ali Hassan" and "Hassan Ali" are told apart by numbers only."""
    students = (Student("Hassan, Ali", sis_id="1"), Student("Ali, Hassan", sis_id="2"))
    matching = match_sources(original, students=students)
    assert matching.students == {}
    assert matching.undecided == students
    (why,) = matching.unmatched.values()
    assert "it fits 2 students: Ali, Hassan (student number 2); Hassan, Ali (student number 1)." in why


def test_a_login_wins_over_a_name_with_a_note():
    """An exact login is stronger than a name that is written the same, but a person should know."""
    students = (Student("Bob Ray", login="leeann"), Student("Lee Ann"))
    matching = match_sources("leeann", students=students)
    assert matching.students == {"leeann": students[0]}
    assert matching.notes == ("leeann: it could also be the name of Lee Ann: check whose it is",)


def test_an_address_and_a_name_that_differ_are_nobodys():
    """What stands before the @ is no stronger than a full name."""
    students = (Student("Janet Doe", email="jane.doe@uni.edu"), Student("Jane Doe", id="2"))
    assert match_sources("jane.doe", students=students).undecided == students


def test_an_account_that_ends_in_anothers_is_not_taken_for_it():
    """Whoever calls an account "x-doe" gets no work into the marks of "doe", listed or not."""
    doe, bob, mallory = Student("A B", github="doe"), Student("C D", github="bob"), Student("E F", github="x-doe")
    matching = match_sources("net-x-doe", "net-bob", students=(doe, bob))
    assert matching.students == {"net-bob": bob}
    assert matching.unmatched["net-x-doe"] == (
        f"it holds an account of the roster, but does not begin like the other names. To mend it, {MEND}"
    )
    matching = match_sources("net-x-doe", "net-bob", "net-doe", students=(doe, bob, mallory))
    assert matching.students == {"net-x-doe": mallory, "net-bob": bob, "net-doe": doe}


def test_one_repository_that_ends_in_two_accounts_is_nobodys():
    """Without others there is nothing to tell the assignment's name from the account's."""
    students = (Student("A B", github="doe"), Student("C D", github="jane-doe"))
    assert match_sources("net-jane-doe", students=students).undecided == students


def test_two_submissions_of_one_student_are_both_left():
    """Which of them counts is for a person to say; the student is not missing."""
    matching = match_sources("doejane_12345_1_x.ipynb", "Jane Doe_9_assignsubmission_file_", "jdoe")
    assert matching.students == {}
    assert matching.unmatched["doejane_12345_1_x"] == (
        "it fits Doe, Jane (ID 12345), and so does Jane Doe_9_assignsubmission_file_, jdoe. Remove all but one, or"
        " write the name of the one that counts beside its student in a roster column `submission`."
    )
    assert matching.undecided == (JANE,)
    assert JANE not in matching.missing


def test_a_claim_of_the_roster_wins_over_everything():
    """The column `submission` decides between several, and against every ID, by either name."""
    claims = [Claim(JANE, "doejane_12345_2_x.ipynb", 2), Claim(BERG, "jdoe", 3)]
    matching = match_sources("doejane_12345_1_x.ipynb", "doejane_12345_2_x.ipynb", "jdoe", claims=claims)
    assert matching.students == {"doejane_12345_2_x": JANE, "jdoe": BERG}
    assert matching.how["jdoe"] == "by line 3 of the roster, which names it"
    assert matching.unmatched == {
        "doejane_12345_1_x": "it fits Doe, Jane (ID 12345), but the roster's column `submission` says that their"
        " submission is doejane_12345_2_x."
    }
    safe = match_sources("x.ipynb", claims=[Claim(JANE, "x", 2)])
    assert safe.students == {"x": JANE}


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        (
            [Claim(JANE, "y.ipynb", 2)],
            (
                'class.csv, line 2: the submission "y.ipynb" is not among those handed in. Give the name of one file'
                " or folder as it was handed in, or nothing."
            ),
        ),
    ],
)
def test_a_claim_that_cannot_be_is_refused(claims, message):
    """A claim is a person's word: it is never passed over."""
    with pytest.raises(RosterError) as caught:
        match_sources("x.ipynb", claims=claims)
    assert str(caught.value) == message


PAIR = [Claim(JANE, "x.ipynb", 2), Claim(BERG, "x", 5)]
TEAM = [Claim(JANE, "team:Blue Owls", 2), Claim(BERG, "team:blue owls", 3), Claim(ZOE, "team:Red", 4)]


def test_two_lines_that_name_one_submission_share_it():
    """A pair hands in one program: it is both students', and the terminal says so."""
    matching = match_sources("x.ipynb", "doejane_12345_1_y.ipynb", claims=PAIR)
    assert matching.owners("x") == (JANE, BERG)
    assert matching.how == {"x": "by lines 2 and 5 of the roster, which name it"}
    assert matching.missing == (ZOE, WANG, OBRIEN)
    assert "says that their submission is x" in matching.unmatched["doejane_12345_1_y"]
    told = describe_matching(matching)
    assert told[0] == "Of 5 students on the roster, 2 have a submission."
    assert told[3:5] == ["Handed in together:", "  x: Doe, Jane (ID 12345), van der Berg, Jan (ID 12346)"]


@pytest.mark.parametrize(
    "original",
    ["jberg.ipynb", "doejane_12345_1_x.ipynb", "blue-owls", "two-layer-net-blue-owls", "blueowls_999_77_x.ipynb"],
)
def test_a_team_hands_in_once(original):
    """Under one member's name or the team's own, as Canvas and GitHub write it."""
    matching = match_sources(original, claims=TEAM)
    assert matching.owners(original.removesuffix(".ipynb")) == (JANE, BERG)
    assert matching.missing == (ZOE, WANG, OBRIEN)
    assert matching.unmatched == {}


def test_of_two_hand_ins_of_a_team_one_counts():
    """Each member may have handed in: it is one team's all the same."""
    entries_of_both = entries("jdoe.ipynb", "jberg.ipynb")
    matching = match_roster(entries_of_both, Roster(CLASS, claims=tuple(TEAM)), choose=max)
    assert matching.owners("jdoe") == (JANE, BERG)
    assert matching.superseded == {"jberg": "jdoe"}


def test_half_a_name_is_nobodys():
    """A roster of last names matches no submission by them."""
    for student in (Student("Doe", last_name="Doe", id="1"), Student("Doe,", last_name="Doe", id="1")):
        assert match_sources("doe", students=[student]).students == {}
    assert match_sources("sukarno", students=[Student("Sukarno")]).students == {"sukarno": Student("Sukarno")}


def test_lines_for_the_terminal():
    """Everything that is open is told, twenty of each kind, with nothing in it that a terminal would obey."""
    others = tuple(Student(f"Student {letter}") for letter in "ABCDEFGHIJKLMNOPQRSTUV")
    told = describe_matching(match_sources("jdoe", "\x1b[2J::error::x", "hassan", students=(JANE, *others)))
    assert told == [
        "Of 23 students on the roster, 1 has a submission.",
        "Submissions without a student:",
        f"  \\u001b[2J: :error: :x: {NOBODY}. To mend it, {MEND}",
        f"  hassan: {NOBODY}. To mend it, {MEND}",
        "Students without a submission:",
        *(f"  Student {letter}" for letter in "ABCDEFGHIJKLMNOPQRST"),
        "  and 2 more",
    ]
    assert describe_matching(match_sources("jdoe", students=[JANE])) == [
        "Of 1 student on the roster, 1 has a submission."
    ]


def test_what_students_and_rosters_write_is_plain_in_every_sentence():
    """Names may hold formulas, commands and controls; no sentence carries one to a terminal."""
    evil = Student("\x1b[31m\u202eeve::set-output::", login="\x07eve")
    matching = match_sources("\x1b\u202e_1_1_x", "\x07eve_9_9_x", "::warning::_1_assignsubmission_", students=[evil])
    assert all(text.isprintable() and "::warning" not in text for text in describe_matching(matching))


parts = st.sampled_from(["doe", "jane", "lee", "ann", "7", "8", "é", "x", "ß"])
people = st.builds(
    Student,
    name=st.lists(parts, max_size=3).map(" ".join),
    id=st.sampled_from(["", "1", "2", "7", "8"]),
    sis_id=st.sampled_from(["", "7", "8", "9"]),
    login=parts | st.just(""),
    github=parts | st.just("x-doe"),
)
classes = st.lists(people, max_size=6, unique=True)
handed = st.lists(
    st.one_of(
        parts,
        st.tuples(parts, parts).map("_".join),
        st.tuples(parts, parts).map("-".join),
        st.tuples(parts, parts, st.sampled_from("12789")).map(lambda three: f"{three[0]}{three[1]}_{three[2]}_1_x"),
        st.tuples(parts, parts).map(lambda two: f"{two[0]} {two[1]}_1_assignsubmission_file_"),
    ),
    max_size=8,
    unique=True,
)


def without_twins(students):
    """Keep of those that share an ID of any kind the first, as a roster's reading does."""
    seen, kept = set(), []
    for student in students:
        own = {(kind, getattr(student, kind)) for kind in ("id", "sis_id", "login", "github") if getattr(student, kind)}
        if not own & seen:
            kept.append(student)
            seen |= own
    return kept


@pytest.mark.untraced
@given(classes.map(without_twins), handed, st.randoms(use_true_random=False))
def test_no_student_twice_and_no_order_counts(students, originals, chance):
    """Each entry and each student ends in one place, and the same one in whatever order they come."""
    matching = match_sources(*originals, students=students)
    assert len(set(matching.students.values())) == len(matching.students)
    assert {*matching.students, *matching.unmatched} == set(originals)
    assert len(matching.students) + len(matching.unmatched) == len(originals)
    told = [*matching.students.values(), *matching.missing, *matching.undecided]
    assert sorted(map(repr, told)) == sorted(map(repr, students))
    chance.shuffle(students)
    chance.shuffle(originals)
    other = match_sources(*originals, students=students)
    assert other.students == matching.students
    assert other.how == matching.how
    assert other.unmatched == matching.unmatched
    assert set(other.missing) == set(matching.missing)
    assert set(other.undecided) == set(matching.undecided)
    assert set(other.notes) == set(matching.notes)


def work_of_matching(count):
    """Count the calls, Python's and C's, that it takes to match so many students, half of them handed in by other names."""
    chance = random.Random(5)  # noqa: S311 -- names for a test
    names = ["".join(chance.choices("aeilmnorst", k=12)).title() for _ in range(count)]
    students = [Student(f"{name[6:]}, {name[:6]}", id=str(10_000 + at)) for at, name in enumerate(names)]
    right = [f"{name[6:]}{name[:6]}_{10_000 + at}_1_x".lower() for at, name in enumerate(names[: count // 2])]
    wrong = [f"{name[:6]}x{name[6:]}" for name in names[count // 2 :]]
    calls = itertools.count()
    sys.setprofile(lambda frame, event, argument: next(calls))
    try:
        matching = match_sources(*right, *wrong, students=students)
    finally:
        sys.setprofile(None)
    assert len(matching.students) == count // 2
    return next(calls)


@pytest.mark.untraced
def test_the_work_grows_with_the_class_not_with_its_square():
    """A course of 2,000 is matched while one reads the prompt; each entry against each student would take minutes."""
    small, large = work_of_matching(100), work_of_matching(400)
    assert large < 6 * small, (small, large)
