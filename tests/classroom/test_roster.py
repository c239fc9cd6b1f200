"""Rosters of every platform are read into the same students, and what cannot be read is told with how to mend it."""

import codecs
import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples import examples
from grader.classroom import roster_text
from grader.classroom.roster import Claim, Roster, RosterError, read_roster
from grader.model.class_sheet import Student
from grader.text.sanitise import one_line

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Two-layer net (4711),Assignments Current Points
,,,,,Manual Posting,(read only)
    Points Possible,,,,,10,(read only)
"Doe, Jane",12345,s001,jdoe,"Section 1 and Section 2",9,9
"van der Berg, Jan",12346,s002,jberg,Section 1,,
"Student, Test",99,,b3f5a9d1,Section 1,,
"""
EXPECTED = (
    "Expected a line of headers such as `name,id,email`, or `Student,ID,SIS User ID,SIS Login ID,Section` as Canvas"
    " exports it. Put one above the students."
)


@pytest.fixture
def read(tmp_path):
    """Return a function that writes a roster and reads it."""

    def written(content, name="class.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_roster(path)

    return written


def refusal(read, content):
    """Return the text with which a roster is refused."""
    with pytest.raises(RosterError) as caught:
        read(content)
    return str(caught.value)


def test_canvas(read):
    """Canvas's gradebook gives its students; what it writes besides them is skipped, and that is told."""
    roster = read(CANVAS)
    assert roster == Roster(
        students=(
            Student("Doe, Jane", "Jane", "Doe", "12345", "s001", "jdoe", "", "Section 1 and Section 2"),
            Student("van der Berg, Jan", "Jan", "van der Berg", "12346", "s002", "jberg", "", "Section 1"),
        ),
        notes=(
            "class.csv, lines 2, 3: skipped: a line of Canvas's points and settings, not a student.",
            "class.csv, line 6: skipped: Canvas's Test Student is not a person.",
        ),
        source="class.csv",
    )


def test_a_short_row_above_canvas_students_is_no_fault(read):
    """Canvas's row of points may end before the header does."""
    assert (
        len(read(CANVAS.replace("    Points Possible,,,,,10,(read only)", "    Points Possible,,,,,10")).students) == 2
    )


PLATFORMS = {
    "moodle": (
        (
            '"First name","Last name","ID number",Institution,Department,"Email address",Username\n'
            "Zoë,Müller,0042,Uni,CS,zoe@uni.edu,zmueller\n"
        ),
        Student("Zoë Müller", "Zoë", "Müller", sis_id="0042", email="zoe@uni.edu", login="zmueller"),
    ),
    "moodle's older name": (
        "First name,Surname,Email address,Groups\nZoë,Müller,zoe@uni.edu,Group A\n",
        Student("Zoë Müller", "Zoë", "Müller", email="zoe@uni.edu", section="Group A"),
    ),
    "moodle in German": (
        "Vorname;Nachname;ID-Nummer;E-Mail-Adresse\nZoë;Müller;0042;zoe@uni.edu\n",
        Student("Zoë Müller", "Zoë", "Müller", sis_id="0042", email="zoe@uni.edu"),
    ),
    "gradescope": (
        "First Name,Last Name,SID,Email,Sections\nJane,Doe,301,j@x.edu,Lab 2\n",
        Student("Jane Doe", "Jane", "Doe", sis_id="301", email="j@x.edu", section="Lab 2"),
    ),
    "github classroom, by name": (
        '"identifier","github_username","github_id","name"\n"Jane Doe","jane-doe","5512",""\n',
        Student("Jane Doe", github="jane-doe"),
    ),
    "github classroom, by e-mail": (
        '"identifier","github_username","github_id","name"\n"j@x.edu","jane-doe","5512","Jane"\n',
        Student("Jane", email="j@x.edu", github="jane-doe"),
    ),
    "github classroom, by number": (
        '"identifier","github_username","github_id","name"\n"s301","jane-doe","5512","Jane"\n',
        Student("Jane", sis_id="s301", github="jane-doe"),
    ),
    "github classroom, by login": (
        '"identifier","github_username","github_id","name"\n"jdoe","jane-doe","5512","Jane"\n',
        Student("Jane", login="jdoe", github="jane-doe"),
    ),
    "blackboard": (
        '"Last Name","First Name","Username","Student ID","Last Access"\n"Doe","Jane","jdoe","301","2024"\n',
        Student("Jane Doe", "Jane", "Doe", sis_id="301", login="jdoe"),
    ),
    "brightspace": (
        "OrgDefinedId,Username,Last Name,First Name,Email\n#000301,#jdoe,Doe,Jane,j@x.edu\n",
        Student("Jane Doe", "Jane", "Doe", sis_id="000301", login="jdoe", email="j@x.edu"),
    ),
    "nbgrader": (
        "id,first_name,last_name,email,lms_user_id\njdoe,Jane,Doe,j@x.edu,12345\n",
        Student("Jane Doe", "Jane", "Doe", id="12345", login="jdoe", email="j@x.edu"),
    ),
    "moodle's grading worksheet, in German": (
        (
            "ID,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,Bestwertung\n"
            "Teilnehmer/in101,Jane Doe,j@x.edu,Keine Abgabe,,100\n"
        ),
        Student("Jane Doe", email="j@x.edu"),
    ),
    "moodle's grading worksheet without names": (
        "Identifier,Status,Grade,Maximum Grade\nParticipant 101,Submitted for grading,,100.00\n",
        Student("Participant 101"),
    ),
    "classroom 50": (
        "username,first_name,last_name,email,section,github_id,role\njane-doe,Jane,Doe,j@x.edu,A,5512,student\n",
        Student("Jane Doe", "Jane", "Doe", email="j@x.edu", section="A", github="jane-doe"),
    ),
    "a canvas table of few columns": (
        "Student,ID,SIS Login ID\nJane Doe,101,jdoe\n",
        Student("Jane Doe", id="101", login="jdoe"),
    ),
    "an id beside a student number": ("name,id,student number\nJane,1,301\n", Student("Jane", sis_id="301")),
    "any order and case": (
        "E-Mail\tGITHUB\tstudent id\tLast\tfirst\nj@x.edu\tjane\t301\tDoe\tJane\n",
        Student("Jane Doe", "Jane", "Doe", sis_id="301", email="j@x.edu", github="jane"),
    ),
    "excel's separator line": ("sep=;\nname;id\nDoe, Jane;1\n", Student("Doe, Jane", "Jane", "Doe", sis_id="1")),
    "names alone": ("name\nJane Doe\n", Student("Jane Doe")),
    "names alone, with commas and no quotation marks": ("Name\nDoe, Jane\n", Student("Doe, Jane", "Jane", "Doe")),
    "logins alone": ("login\njdoe\n", Student("", login="jdoe")),
    "zeros kept by tricks": ('name,id\nJane,"=""0012"""\n', Student("Jane", sis_id="0012")),
    "no ID in words": ("name,id,email\nJane Doe,N/A,-\n", Student("Jane Doe")),
    "unseen characters of a copied ID": ("name,id\nJane,\u200b12\u200e\n", Student("Jane", sis_id="12")),
    "spaces and lines in a cell": ('name,id\n" Jane\u00a0\n Doe ",1\n', Student("Jane Doe", sis_id="1")),
    "two columns of one meaning": ("name,email,Email\nJane,j@x.edu,9.5\n", Student("Jane", email="j@x.edu")),
    "a name of many commas": ('name\n"Doe, Jane, PhD"\n', Student("Doe, Jane, PhD")),
    "a formula, kept as it is": ('name,id\n"=HYPERLINK(""x"")",1\n', Student('=HYPERLINK("x")', sis_id="1")),
}


@pytest.mark.parametrize("case", PLATFORMS)
def test_each_platform_says_the_same_in_its_own_words(read, case):
    """The headers of each platform, and those that people type, are all known."""
    content, student = PLATFORMS[case]
    roster = read(content)
    assert roster.students == (student,)
    assert roster.notes == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(read, encoding, end):
    """Unicode's encodings, with a mark or without, and each system's line ends are read without a word."""
    roster = read(f"name,id{end}Zoë Łuk,1{end}{end}王小明,2{end}".encode(encoding))
    assert roster == Roster((Student("Zoë Łuk", sis_id="1"), Student("王小明", sis_id="2")), source="class.csv")


def test_a_byte_mark_of_big_endian(read):
    """UTF-16 of the other order tells itself by its mark."""
    assert read(codecs.BOM_UTF16_BE + "name\nZoë A".encode("utf-16-be")).students == (Student("Zoë A"),)


def test_windows_1252_is_read_and_told(read):
    """Old Excel writes no UTF-8: its names are read, and one is shown to be looked at."""
    roster = read("name,id\nJane,1\nZoë Müller,2\n".encode("cp1252"))
    assert roster.students[1].name == "Zoë Müller"
    assert roster.notes == (
        (
            "class.csv, line 3: not in UTF-8, so the file was read as Windows-1252:"
            ' "Zoë Müller,2". If letters are wrong there, save it as `CSV UTF-8`.'
        ),
    )


def test_names_without_a_header(read):
    """A list of names, addresses and numbers needs no header, but that the first line was taken is told."""
    roster = read("Jane Doe\nbob@x.edu\n4711\n")
    assert roster.students == (Student("Jane Doe"), Student("", email="bob@x.edu"), Student("", sis_id="4711"))
    assert roster.notes == (
        'class.csv: there is no header line, so each line was read as one student, even the first: "Jane Doe".',
    )


def test_staff_and_rows_of_nobody_are_told(read):
    """Gradescope lists its staff as well, and people leave sums below: none is a student, and each line is named."""
    roster = read("name,sid,role\nJane,1,Student\nProf,2,Instructor\nTutor,3,TA\n,,Student\n")
    assert roster.students == (Student("Jane", sis_id="1"),)
    assert roster.notes == (
        "class.csv, lines 3, 4: skipped: the role is not a student's.",
        "class.csv, line 5: skipped: it has no name, ID, login, e-mail or GitHub account.",
    )


WORKSHEET = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (grade),Feedback comments
Participant 101,Jane Doe,j@x.edu,Submitted for grading,,100.00,Yes,-,
Participant 102,Max Muster,m@x.edu,No submission,,100.00,Yes,-,
"""


def test_moodles_grading_worksheet(read):
    """Its identifier is the number in the names of hand-ins, and no name; everybody keeps the name beside it."""
    jane, muster = Student("Jane Doe", email="j@x.edu"), Student("Max Muster", email="m@x.edu")
    roster = read(WORKSHEET)
    assert roster.students == (jane, muster)
    assert [(claim.student, claim.participant) for claim in roster.claims] == [(jane, "101"), (muster, "102")]


def test_only_canvas_says_canvas_ids(read):
    """A school's own number, exported as Canvas's ID, would give the grade to whoever has that ID there."""
    for header in ("name,id", "id,name,email", "Name;User ID"):
        mark = ";" if ";" in header else ","
        row = {"name": "Jane", "id": "101", "userid": "101", "email": "j@x.edu"}
        cells = [row[cell.lower().replace(" ", "")] for cell in header.split(mark)]
        (student,) = read(f"{header}\n{mark.join(cells)}\n").students
        assert (student.id, student.sis_id) == ("", "101")
    assert read("name,canvas id\nJane,101\n").students == (Student("Jane", id="101"),)


def test_teams(read):
    """A column of teams is kept; a tutorial's group is a section, and no team."""
    roster = read("name,team,group\nJane,Owls,Mon\nBob,Owls,Mon\nAda,,Mon\n")
    assert [(claim.student.name, claim.team) for claim in roster.claims] == [("Jane", "Owls"), ("Bob", "Owls")]
    assert {student.section for student in roster.students} == {"Mon"}


def test_a_claim_keeps_its_line(read):
    """The column `submission` is kept with the line, for whoever must mend it."""
    roster = read('name,submission\nJane,x.ipynb\n"Bob\nB",\nAda,y\n')
    assert roster.claims == (Claim(Student("Jane"), "x.ipynb", 2), Claim(Student("Ada"), "y", 5))


REFUSED = {
    "empty": (b"", f"class.csv: the file is empty. {EXPECTED}"),
    "blank": (codecs.BOM_UTF8 + b" \r\n\n", f"class.csv: the file is empty. {EXPECTED}"),
    "no header known": ("Doe,Jane\nRoe,Bob\n", f'class.csv, line 1: no header is known: "Doe", "Jane". {EXPECTED}'),
    "headers that tell nobody apart": (
        "first name,section\nJane,A\n",
        (
            'class.csv, line 1: the known headers are not enough to tell students apart: "first name", "section".'
            " Expected a column `name`, `id`, `login`, `email` or `github`, or both `first name` and `last name`."
        ),
    ),
    "nobody": (
        "name,id\n",
        "class.csv: it lists no student. Expected one line for each student, below the headers.",
    ),
    "an ID twice": (
        "name,id\nJane,a1\nBob,2\n\nAda,A1\n",
        (
            'class.csv, lines 2 and 5: both have the student number "A1". Expected one line for each student: delete one of them,'
            " or correct the wrong one."
        ),
    ),
    "an e-mail twice": (
        "name,email\nJane,j@x\nBob,J@X\n",
        (
            'class.csv, lines 2 and 3: both have the e-mail "J@X". Expected one line for each student: delete one of'
            " them, or correct the wrong one."
        ),
    ),
    "a line twice": (
        "name\nJane Doe\nJane Doe\n",
        (
            'class.csv, line 3: all that stands there stands in line 2 too, "Jane Doe". Delete one of them if it is the'
            " same student; if they are two, add a column `id` or `email` that tells them apart."
        ),
    ),
    "a row too long": (
        "name,id\nDoe, Jane,1\n",
        (
            'class.csv, line 2: 3 cells, and 2 headers in line 1: "Doe", "Jane", "1". Expected a cell for each header;'
            ' one that holds the separator itself, as "Doe, Jane" may, needs quotation marks around it.'
        ),
    ),
    "a row too short": (
        "name,id,email\nJane,1\n",
        (
            'class.csv, line 2: 2 cells, and 3 headers in line 1: "Jane", "1". Expected a cell for each header; one'
            ' that holds the separator itself, as "Doe, Jane" may, needs quotation marks around it.'
        ),
    ),
    "an open quotation mark": (
        'name,id\nJane,1\n"Bob,2\nAda,3\n',
        (
            "class.csv, line 3: the row that begins there is no CSV (unexpected end of data). Often a quotation mark is"
            " not closed: each cell has two around it or none, and one inside is written twice."
        ),
    ),
    "a rounded ID": (
        "name,id\nJane,1.23457E+11\n",
        (
            'class.csv, line 2: the ID "1.23457E+11" has been rounded by a spreadsheet. Export the roster again, and do'
            " not save it from there, or format the column as text first."
        ),
    ),
    "a workbook": (
        b"PK\x03\x04 and more",
        (
            "class.csv: this is a workbook of Excel's or LibreOffice's, not text. Open it there and save it as"
            " `CSV UTF-8 (comma delimited)`."
        ),
    ),
    "an old workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        (
            "class.csv: this is a workbook of Excel's or LibreOffice's, not text. Open it there and save it as"
            " `CSV UTF-8 (comma delimited)`."
        ),
    ),
    "no text": (
        b"name\nJane\x00Doe\n",
        (
            "class.csv, line 2: the character U+0000 stands there, which no text holds. Expected a CSV file: export it"
            " again, or save it as `CSV UTF-8`."
        ),
    ),
    "no encoding": (
        b"name\nJane\xc3\x81\x81\n",
        (
            "class.csv, line 2: the bytes there are text in neither UTF-8, UTF-16 nor Windows-1252. Export or save the"
            " roster as `CSV UTF-8`."
        ),
    ),
    "half of a UTF-16 character": (
        b"\xff\xfen\x00\x00\xd8",
        (
            "class.csv, line 1: the bytes there are text in neither UTF-8, UTF-16 nor Windows-1252. Export or save the"
            " roster as `CSV UTF-8`."
        ),
    ),
    "a command to a terminal": (
        "\u202egpj,x\nJane,1\n",
        rf'class.csv, line 1: no header is known: "\u202egpj", "x". {EXPECTED}',
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_told_word_for_word(read, case):
    """File, line, what was found, what was expected, how to mend it: each refusal says them."""
    content, message = REFUSED[case]
    assert refusal(read, content) == message


@pytest.mark.parametrize("field", ["ID", "SIS User ID", "login", "email", "github"])
def test_no_identifier_is_two_students(read, field):
    """Each kind of identifier is one student's, in whatever case and whichever form of its accents."""
    assert "lines 2 and 3: both have the" in refusal(
        read, f"name,{field}\nA,É1\nB,e\u03011\n".replace("e\u0301", "E\u0301")
    )


def test_a_size_beyond_any_class_is_refused(read, monkeypatch):
    """Neither rows nor bytes without end are read."""
    monkeypatch.setattr(roster_text, "ROWS", 10)
    assert refusal(read, "name\n" + "".join(f"s {n}\n" for n in range(20))) == (
        "class.csv: more than 10 rows. Expected one class: is it another file?"
    )
    assert len(read("name\n" + "".join(f"s {n}\n" for n in range(10))).students) == 10
    monkeypatch.setattr(roster_text, "BYTES", 1_000_000)
    assert refusal(read, "x" * 1_000_001) == (
        "class.csv: more than 1 MB. Expected a list of students: is it another file?"
    )


def test_what_is_no_file_is_told(tmp_path):
    """A folder, a missing file, a pipe that would never end: each is refused at once."""
    (tmp_path / "class").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, what in (("class", "a folder"), ("none.csv", "not there, or no file"), ("pipe", "not there, or no file")):
        with pytest.raises(RosterError, match=re.escape(f"{name}: this is {what}. Expected a CSV file.")):
            read_roster(tmp_path / name)
    with pytest.raises(RosterError, match=re.escape("cannot be read (file name too long). Check its name and who may")):
        read_roster(tmp_path / ("x" * 5_000))


cells = st.sampled_from(
    [
        "name",
        "ID",
        "Student",
        "email",
        "first",
        "last",
        "submission",
        "role",
        "sep=;",
        "Doe",
        "1",
        '"',
        "ß",
        "\u202e",
        "=1",
        "",
    ]
)
texts = st.lists(st.lists(cells, max_size=4), max_size=6).flatmap(
    lambda rows: st.sampled_from([",", ";", "\t"]).map(lambda mark: "\n".join(mark.join(row) for row in rows))
)
contents = st.one_of(
    st.binary(max_size=200),
    texts.map(str.encode),
    texts.map(lambda text: text.encode("utf-16")),
    st.text(max_size=50).map(lambda text: ("name,id\n" + text).encode(errors="replace")),
)


def outcome(path):
    """Return the roster, or the text with which it is refused."""
    try:
        return read_roster(path)
    except RosterError as error:
        return str(error)


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@settings(examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents)
def test_any_bytes_are_students_or_a_refusal(tmp_path, content):
    """Whatever a file holds, it is read or refused with a reason; students are never equal nor share an ID."""
    path = tmp_path / "class.csv"
    path.write_bytes(content)
    roster = outcome(path)
    if isinstance(roster, str):
        assert roster.startswith("class.csv")
        assert one_line(roster, 10_000) == roster
        return
    assert roster.students
    assert len(set(roster.students)) == len(roster.students)
    ids = [student.sis_id.casefold() for student in roster.students if student.sis_id]
    assert len(set(ids)) == len(ids)
    assert all(one_line(note, 10_000) == note for note in roster.notes)
