"""What is graded again and what is left alone: names that stay, and the fate of each submission."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classroom.conftest import BARE
from classroom.test_gradebook import KEY, RUBRIC, decision, line
from grader.classroom.gradebook import Gradebook
from grader.classroom.plan import Entry, Plan, assign_names
from grader.submission import read

# ------------------------------------------------------------ names


def names(paths, sources):
    """Return the names of paths, all texts."""
    return {str(entry.path): entry.name for entry in assign_names([Path(path) for path in paths], sources)}


def test_the_same_path_keeps_its_name():
    """Whatever else is named now, and in whatever order, a known path is the submission that it was."""
    sources = {"x": "a/x.py", "x-2": "b/x.py", "y": "a/y.py"}
    expected = {"b/x.py": "x-2", "a/y.py": "y", "a/x.py": "x", "a/z.py": "z"}
    assert names(expected, sources) == expected
    assert list(names(reversed(expected), sources).values()) == ["z", "x", "y", "x-2"]


def test_a_class_that_was_downloaded_again_keeps_its_names():
    """The same file names in another folder are the same submissions, and one more is new."""
    sources = {"x": "monday/x.py", "y-2": "monday/y.py"}
    assert names(["friday/x.py", "friday/y.py", "friday/w.py"], sources) == {
        "friday/x.py": "x",
        "friday/y.py": "y-2",
        "friday/w.py": "w",
    }


@pytest.mark.parametrize(
    ("paths", "sources", "expected"),
    [
        # Two here: which of them is the one from before nobody can tell.
        (["c/x.py", "d/x.py"], {"x": "a/x.py"}, ["x-2", "x-3"]),
        # Two there: the same.
        (["c/x.py"], {"x": "a/x.py", "x-2": "b/x.py"}, ["x-3"]),
        # One of the two is known by its path, so that one is left on each side.
        (["a/x.py", "c/x.py"], {"x": "a/x.py", "x-2": "b/x.py"}, ["x", "x-2"]),
        # The only one from before is here itself.
        (["a/x.py", "c/x.py"], {"x": "a/x.py"}, ["x", "x-2"]),
        # Another ending is another file.
        (["c/x.ipynb"], {"x": "a/x.py"}, ["x-2"]),
    ],
)
def test_files_of_one_name_are_taken_for_one_only_where_that_is_sure(paths, sources, expected):
    """A guess would put one student's work under another's name."""
    assert list(names(paths, sources).values()) == expected


def test_a_new_one_never_takes_a_known_name():
    """Names are told apart without upper and lower case, as file systems do, also from those that are not named now."""
    sources = {"Alice": "a/Alice.py", "bob-2": "a/b.py"}
    assert names(["c/alice.py", "c/BOB.py", "c/bob.py", "c/bob-2.py"], sources) == {
        "c/alice.py": "alice-2",
        "c/BOB.py": "BOB",
        "c/bob.py": "bob-3",
        "c/bob-2.py": "bob-2-2",
    }


def test_files_that_differ_in_case_only_stay_apart():
    """Two students' files on a file system that tells them apart: each keeps its own name ever after."""
    first = names(["a/x.py", "a/X.py"], {})
    assert first == {"a/x.py": "x", "a/X.py": "X-2"}
    assert names(["a/X.py", "a/x.py"], {name: path for path, name in first.items()}) == first
    assert names(["b/X.py", "b/x.py"], {name: path for path, name in first.items()}) == {"b/x.py": "x", "b/X.py": "X-2"}


paths = st.builds(
    "{}/{}{}".format,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["x", "X", "x-2", "x-3", "X-2", "y", "\u00df", "SS", "..", " ", "caf\udce9", "CON"]),
    st.sampled_from([".py", ".ipynb", ""]),
)
classes = st.lists(st.lists(paths, unique_by=Path, max_size=6), min_size=1, max_size=4)


@given(classes)
@example([["a/x.py", "b/x.py"], ["c/x.py"], ["a/x.py", "c/x.py", "b/x.py"]])
def test_no_two_share_a_name_however_often_a_class_is_graded(gradings):
    """Grading after grading into one folder: one name for each path, known ones stay, and no two ever meet."""
    sources = {}
    for given_paths in gradings:
        entries = assign_names([Path(path) for path in given_paths], sources)
        assert [str(entry.path) for entry in entries] == [str(Path(path)) for path in given_paths]
        found = {str(entry.path): entry.name for entry in entries}
        assert len({name.casefold() for name in found.values()}) == len(found)
        for name, source in sources.items():
            assert found.get(source, name) == name
        sources |= {name: path for path, name in found.items()}
        assert len({name.casefold() for name in sources}) == len(sources)


# ------------------------------------------------------------ actions


@pytest.fixture
def path(tmp_path):
    """Return a program that was handed in."""
    (tmp_path / "class").mkdir()
    program = tmp_path / "class" / "alice.py"
    program.write_text(BARE, encoding="utf-8")
    return program


@pytest.fixture
def book(tmp_path):
    """Return an empty gradebook."""
    (tmp_path / "graded").mkdir()
    with Gradebook(tmp_path / "graded", create=True) as opened:
        yield opened


def kept(book, path, score=1.0, status="graded", **other):
    """Keep a grading of what is at a path now."""
    key = replace(KEY, submission_digest=read(path).digest)
    one = line("alice", score, **({"source": str(path), "key": key} | other))
    book.insert([replace(one, report=replace(one.report, status=status))], RUBRIC)


def planned(book, path, base=KEY, **other):
    """Plan one submission; give what became of it, its tasks, and how often there was nothing to be done."""
    idle = []
    base = replace(base, submission_digest="")
    plan = Plan(book, base, decisions=book.decisions(), on_unchanged=lambda: idle.append(1), **other)
    tasks = list(plan.tasks([Entry(path, "alice")]))
    return plan, tasks, len(idle)


def replayed(plan):
    """Return the replies that are judged again, by name."""
    return {name: row.replies for name, row in plan.replayed.items()}


def test_what_was_never_graded_is_new(book, path):
    """It is run, from what is read of it now."""
    plan, (task,), idle = planned(book, path)
    assert (plan.actions, plan.moved, replayed(plan), idle) == ({"alice": "new"}, {}, {}, 0)
    assert (task.name, task.source, task.hand_in, task.decisions) == ("alice", str(path), read(path), ())


def test_what_is_as_it_was_is_left_alone(book, path):
    """Nothing is run and nothing judged; whoever shows the progress is told."""
    kept(book, path)
    plan, tasks, idle = planned(book, path)
    assert (plan.actions, plan.moved, tasks, idle) == ({"alice": "unchanged"}, {}, [], 1)


def test_what_was_handed_in_anew_is_run(book, path):
    """Another byte in it is another submission; people's decisions go with its task."""
    kept(book, path)
    book.decide_all([("alice", decision())])
    (made,) = book.decisions()["alice"]
    path.write_text(f"{BARE}\n", encoding="utf-8")
    plan, (task,), idle = planned(book, path)
    assert (plan.actions, idle) == ({"alice": "changed"}, 0)
    assert task.hand_in == read(path)
    assert task.decisions == (made,)
    book.withdraw(1, "ta")
    assert planned(book, path)[1][0].decisions == ()


def test_only_the_last_grading_counts(book, path):
    """Handed in, changed, and changed back: what was graded last is what it is compared with."""
    kept(book, path)
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{BARE}\n", encoding="utf-8")
    kept(book, path)
    path.write_text(text, encoding="utf-8")
    assert planned(book, path)[0].actions == {"alice": "changed"}


def test_another_rubric_with_the_same_questions_is_judged_again(book, path):
    """No student code runs: the saved replies are given along, and remembered as the new grading's own."""
    kept(book, path, replies=b"saved")
    plan, (task,), idle = planned(book, path, replace(KEY, assignment_digest="new"))
    assert (plan.actions, replayed(plan), idle) == ({"alice": "judged again"}, {"alice": 1}, 0)
    assert (task.hand_in, task.saved, task.source) == (None, b"saved", str(path))


OTHERS = {"seed_id": "other", "questions": "other", "versions": "{}", "isolated": False}


@pytest.mark.parametrize("field", OTHERS)
@pytest.mark.parametrize("digest", [KEY.assignment_digest, "new"])
def test_another_run_is_graded_again(book, path, field, digest):
    """Other questions, versions or isolation: the saved replies are not the answer, whatever the rubric."""
    kept(book, path)
    plan, (task,), _ = planned(book, path, replace(KEY, assignment_digest=digest, **{field: OTHERS[field]}))
    assert (plan.actions, replayed(plan)) == ({"alice": "graded again"}, {})
    assert task.hand_in == read(path)


@pytest.mark.parametrize("digest", [KEY.assignment_digest, "new"])
def test_force_runs_it_in_any_case(book, path, digest):
    """Whoever says --force wants it run, not judged."""
    kept(book, path)
    plan, (task,), idle = planned(book, path, replace(KEY, assignment_digest=digest), force=True)
    assert (plan.actions, idle) == ({"alice": "graded again"}, 0)
    assert task.hand_in


def test_what_the_grader_failed_on_is_run_again(book, path):
    """A fault of ours may be gone the next time."""
    kept(book, path, status="grader_error", replies=None)
    assert planned(book, path)[0].actions == {"alice": "graded again"}


def test_without_replies_there_is_nothing_to_judge(book, path):
    """A grading that has none is run, where the rubric changed."""
    kept(book, path, replies=None)
    assert planned(book, path, replace(KEY, assignment_digest="new"))[0].actions == {"alice": "graded again"}
    assert planned(book, path)[0].actions == {"alice": "unchanged"}


def test_what_cannot_be_read_is_tried_each_time(book, path):
    """A file that is no notebook has no digest: whether it can be read now shows only by trying."""
    path.unlink()
    kept(book, path, replies=None)
    assert planned(book, path)[0].actions == {"alice": "graded again"}
    path.write_text(BARE, encoding="utf-8")
    assert planned(book, path)[0].actions == {"alice": "changed"}
    kept(book, path)
    path.unlink()
    assert planned(book, path)[0].actions == {"alice": "changed"}


@pytest.mark.parametrize("change", [False, True])
def test_where_it_came_from_before_is_told(book, path, tmp_path, change):
    """A class that was downloaded again: the same work from another folder is unchanged, and was elsewhere."""
    kept(book, path)
    elsewhere = tmp_path / "again" / "alice.py"
    elsewhere.parent.mkdir()
    elsewhere.write_text(BARE + "\n" * change, encoding="utf-8")
    plan, tasks, _ = planned(book, elsewhere)
    assert plan.moved == {"alice": str(path)}
    assert plan.actions == {"alice": "changed" if change else "unchanged"}
    assert [task.source for task in tasks] == [str(elsewhere)] * change


def test_files_are_read_as_workers_become_free(book, tmp_path):
    """A class of a thousand is not in memory at once: an entry is looked at when it is asked for."""
    entries = [Entry(tmp_path / f"{number}.py", f"{number}") for number in range(3)]
    plan = Plan(book, KEY)
    tasks = plan.tasks(entries)
    assert plan.actions == {}
    for number in range(3):
        entries[number].path.write_text(BARE, encoding="utf-8")
        assert next(tasks).hand_in.files
        assert list(plan.actions) == [str(one) for one in range(number + 1)]
    assert next(tasks, None) is None
