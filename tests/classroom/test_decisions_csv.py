"""`decisions.csv`: every text comes back as it was, none does harm meanwhile, and nothing in it is ever written over."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classroom.books import RUBRIC, decision, line
from grader.classroom import gradebook
from grader.classroom.decisions_csv import COLUMNS, LedgerError, from_csv, missing, read, to_csv, write
from grader.classroom.gradebook import Gradebook, Ruled
from grader.classroom.storage import LEDGER
from grader.text.sanitise import csv_cell

HEADER = ",".join(COLUMNS)
GOOD = "1,alice,points,loss,1.5,4.0,seen,ta,2026-11-22T15:00:00Z,digest,"


def ruled(number=1, name="alice", withdrawn="", **other):
    """Return a decision as the history has it."""
    return Ruled(name, replace(decision(**other), number=number), withdrawn)


# ------------------------------------------------------------ written and read

TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(["=", "+", "-", "@", ":", "#", ",", ";", '"', "'", "\\", "\n", "\r", " ", "\u202e", "a", "7", "_", "[", "n", "u001b", "\uff1d"]),
    max_size=12,
).map("".join)  # fmt: skip


@given(TEXTS, TEXTS, st.floats(0, 1e9), st.none() | st.floats(0, 1e9))
def test_every_text_and_number_comes_back(comment, said, value, of):
    """Whatever a person wrote, quotes, formulas, half characters: it is the same after it was written and read."""
    one = ruled(comment=comment, by=said, value=value, of=of, withdrawn=said)
    assert from_csv(to_csv([one])) == (one,)


@given(TEXTS)
@example("a ::error::x ##[group] ##vso[x]")
@example('=1, =2; "=3\n\uff1d4')
def test_no_cell_is_a_formula_or_a_command(text):
    """The gate that all tables pass has nothing to mend in any cell, and nothing unseen is in the file."""
    written = to_csv([ruled(comment=text, by=text, withdrawn=text)])
    assert written.replace("\n", "").isprintable()
    for cells in csv.reader(io.StringIO(written)):
        assert [csv_cell(one) for one in cells] == cells


def test_what_stands_in_the_file():
    """One line a decision, in the order of the columns; plain texts stay plain."""
    assert to_csv([ruled(value=1.5, of=4.0, comment="Right up to the sign; see b1."), ruled(2, comment="=1+1\nx")]) == (
        f"{HEADER}\n"
        "1,alice,points,loss,1.5,4.0,Right up to the sign; see b1.,ta,2026-11-22T15:00:00Z,digest,\n"
        "2,alice,points,loss,1.0,,\\=1+1\\nx,ta,2026-11-22T15:00:00Z,digest,\n"
    )


# ------------------------------------------------------------ what cannot be read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"line 1: found nothing: expected the columns {HEADER}."),
        ("name,score\n", f"line 1: found name,score: expected the columns {HEADER}."),
        (HEADER.replace(",", ";"), "line 1: found number;submission;"),
        (f"{HEADER}\n{GOOD}\n1,2\n", "line 3: found 2 cells: expected 11, one for each column."),
        (f"{HEADER}\n{GOOD},\n", "line 2: found 12 cells: expected 11"),
        (f'{HEADER}\n{GOOD}\n"1\n', "line 3: the row that begins there is no CSV (unexpected end of data)."),
        (f"{HEADER}\n\n{GOOD.replace('1.5', 'many')}", 'line 3: value is "many": expected a number, 0 or more.'),
    ],
)  # fmt: skip
def test_a_bad_file_is_told_with_its_line(tmp_path, text, said):
    """Line, what was found, what was expected; and the file's name before it."""
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    with pytest.raises(LedgerError) as caught:
        read(tmp_path / "x.csv")
    assert str(caught.value).startswith(f"{tmp_path / 'x.csv'}, line ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.5", "-1", 'line 2: value is "-1": expected a number, 0 or more.'),
        ("1.5", "nan", 'value is "nan"'),
        ("1.5", "inf", 'value is "inf"'),
        ("4.0", "4,0", "found 12 cells"),
        ("4.0", "all", 'of is "all": expected a number, 0 or more.'),
        ("points", "mercy", 'kind is "mercy": expected one of points, excused, late_days.'),
        ("points", "excused", 'check is "loss": expected nothing, since it is excused.'),
        ("loss", "", 'check is "": expected a check\'s id.'),
        ("alice", "", 'submission is "": expected the name of a submission.'),
        ("1,a", "0,a", 'number is "0": expected a whole number, 1 or more.'),
        ("1,a", "\u0661,a", 'number is "\u0661": expected a whole number'),
        ("1,a", f"{1 << 53},a", "expected a whole number"),
        ("T15", " 15", 'at is "2026-11-22 15:00:00Z": expected a time such as 2026-'),
        ("1.5", "\x1b[2J", 'value is "\\u001b[2J": expected'),
    ],
)
def test_a_slip_in_a_cell_is_told(old, new, said):
    """The column by its name, what stands there, and what would be right."""
    assert old in GOOD
    with pytest.raises(LedgerError) as caught:
        from_csv(f"{HEADER}\n{GOOD.replace(old, new)}\n")
    assert str(caught.value).startswith(f"{LEDGER}, line 2: ")
    assert said in str(caught.value)


def test_what_is_no_file_or_no_text_is_told(tmp_path):
    """A wrong path, a folder and bytes of another encoding."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(LedgerError, match=r"cannot be read \(.*\)\. Expected is a decisions\.csv as the grader"):
            read(path)
    (tmp_path / "x.csv").write_bytes(f"{HEADER}\n{GOOD}\n".encode() + b"\xff\xfe\n")
    with pytest.raises(LedgerError, match=r"x\.csv, line 3: the bytes there are no UTF-8"):
        read(tmp_path / "x.csv")


def test_what_a_spreadsheet_saved_is_read(tmp_path):
    """A mark at its beginning, Windows's line ends and quotation marks everywhere change nothing."""
    cells = ",".join(f'"{one}"' for one in GOOD.split(","))
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{cells}\r\n".encode())
    assert read(tmp_path / "x.csv") == (ruled(value=1.5, of=4.0),)


# ------------------------------------------------------------ nothing in it is lost


def test_what_another_gradebook_decided_stays_in_the_file(tmp_path):
    """A new gradebook in a damaged one's place knows none of it, and its first decision must not cost the others."""
    path = tmp_path / LEDGER
    old = [ruled(1, comment="old"), ruled(2, comment="both"), ruled(3, comment="taken back", withdrawn="ada: no")]
    write(path, old)
    new = [ruled(1, comment="both"), ruled(2, comment="new"), ruled(3, comment="taken back")]
    write(path, new)
    assert read(path) == (old[0], new[0], new[1], replace(new[2], withdrawn="ada: no"))
    assert [path.name for path in tmp_path.iterdir()] == [LEDGER]


def test_the_same_decision_twice_is_two():
    """Numbers tell nothing between gradebooks, and a decision that was made twice in a second stands there twice."""
    one = ruled(7)
    assert missing([one, ruled(8)], [ruled(1)]) == ([ruled(8)], {})
    assert missing([one, ruled(8)], [ruled(1), ruled(2)]) == ([], {})


def test_a_file_that_cannot_be_read_is_put_aside(tmp_path):
    """It may be somebody's notes, or the decisions with a slip in them; each is kept under a name of its own."""
    path = tmp_path / LEDGER
    for text in ("my own notes\n", f"{HEADER}\nslip\n"):
        path.write_text(text)
        write(path, [ruled()])
        assert read(path) == (ruled(),)
    assert (tmp_path / "decisions.unreadable-1.csv").read_text() == "my own notes\n"
    assert (tmp_path / "decisions.unreadable-2.csv").read_text() == f"{HEADER}\nslip\n"


def test_a_missing_file_is_written_by_whoever_writes_next(tmp_path):
    """Gradebooks of earlier graders have none, and somebody may have removed it; without a decision there is none."""
    with Gradebook(tmp_path, create=True) as book:
        book.keep([line("alice")], RUBRIC)
    Gradebook(tmp_path).close()
    assert not (tmp_path / LEDGER).exists()
    with Gradebook(tmp_path) as book:
        made = book.decide("alice", decision(of=2.0))
    Gradebook(tmp_path).close()
    assert read(tmp_path / LEDGER) == (Ruled("alice", made, ""),)


def test_a_file_that_is_behind_catches_up(tmp_path):
    """A grader that was killed, or whose disk was full, kept a decision and wrote no file: the next one does; then it rests."""
    with Gradebook(tmp_path, create=True) as book:
        book.keep([line("alice")], RUBRIC)
        book.decide("alice", decision())
        book.write_beside()
        book.decide("alice", decision("excused", 1.0, check=""))
        book.withdraw(1, "ta: no")
    Gradebook(tmp_path).close()
    with Gradebook(tmp_path, reading=True) as book:
        assert list(read(tmp_path / LEDGER)) == book.ruled()
    before = (tmp_path / LEDGER).stat().st_ino
    Gradebook(tmp_path).close()
    assert (tmp_path / LEDGER).stat().st_ino == before, "it is not written for nothing"


def test_a_file_that_cannot_be_written_keeps_nobody_from_grading(tmp_path, monkeypatch):
    """It is a second copy: where it fails, the gradebook opens all the same."""
    with Gradebook(tmp_path, create=True) as book:
        book.keep([line("alice")], RUBRIC)
        book.decide("alice", decision())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gradebook.ledger, "write_text", full)
    with Gradebook(tmp_path) as book:
        assert len(book.ruled()) == 1
    assert not (tmp_path / LEDGER).exists()
