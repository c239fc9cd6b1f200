"""Where only points or words changed, or a tolerance in its range, a class is scored again, and nothing is judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from classroom.conftest import timeless
from classroom.once import SMALL, UNFINISHED, graded_once, points
from grader import grading
from grader.classroom import cache_keys, grading_loop
from grader.classroom.batch import grade_tasks
from grader.classroom.cache_keys import findings_key
from grader.classroom.executors import Workers
from grader.model import Assignment, Family, LatePolicy, Place, StepRow

JUDGED = ("right_einsum", "wrong_half_the_gradient", "bare")


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded."""
    return graded_once(tmp_path_factory, tmp_path, monkeypatch)


@pytest.fixture
def judged(monkeypatch):
    """Return the list of submissions that are judged from now on."""
    names = []
    find = grading.find

    def noted(submission, *given):
        names.append(submission.name)
        return find(submission, *given)

    monkeypatch.setattr(grading, "find", noted)
    return names


def files(folder, names):
    """Return all reports, but for the time that they took."""
    return {
        (name, kind): timeless((folder.out / "submissions" / name / f"report.{kind}").read_text(encoding="utf-8"))
        for name in names
        for kind in ("json", "html")
    }


POINTS = points("gradient_W1", 7, 9)
GRADIENT = ("gradient = 1e-6\nnumeric", "gradient = 2e-6\nnumeric")
HIDDEN = ('id = "decay"\npoints = 4\n', 'id = "decay"\npoints = 4\nhidden = true\n')
OTHERS = (
    POINTS,
    points("scores", 8, 0.5),
    HIDDEN,
    ('title = "A two-layer neural network"', 'title = "Another"'),
    ("percent_a_day = 10", "percent_a_day = 20"),
)


@pytest.mark.untraced  # classes judged whole, by lines that other tests trace
@pytest.mark.parametrize(
    ("names", "change"),
    [
        (SMALL, POINTS),
        (SMALL, HIDDEN),
        (SMALL, GRADIENT),
        *(pytest.param((*SMALL, UNFINISHED), change, marks=pytest.mark.slow) for change in OTHERS),
    ],
    ids=lambda given: given[1].splitlines()[-1] if given[1] != SMALL[1] else str(len(given)),
)
def test_points_words_and_tolerances_judge_nothing_and_give_what_judging_gives(
    tmp_path_factory, tmp_path, monkeypatch, judged, names, change
):
    """The reports are those of judging all again, byte for byte but for their timing."""
    here = graded_once(tmp_path_factory, tmp_path, monkeypatch, names)
    judged.clear()
    here.change(change)
    here.regrade()
    assert judged == []
    every = [name.partition(".")[0] for name in names] + ["bare"]
    quick = files(here, every)
    here.regrade("--force")
    assert sorted(judged) == sorted({*every} - {"broken_syntax"})
    assert files(here, every) == quick


def test_what_was_found_is_handed_on_from_regrade_to_regrade(here, judged):
    """A second edit finds the findings where the first left them, and so does `grade`."""
    here.change(points("gradient_W1", 7, 9))
    here.regrade()
    here.change(points("gradient_W1", 9, 7))
    assert "4 judged again" in here.grade()
    assert judged == []
    assert here.report("wrong_half_the_gradient")["score"] == 86


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("change", "who"),
    [
        pytest.param((GRADIENT[0], "gradient = 0.6\nnumeric"), JUDGED[1:2], marks=pytest.mark.slow),
        (("\nthreshold = 0.5", "\nthreshold = 0.4"), JUDGED),
    ],
    ids=["tolerance", "threshold"],
)
def test_what_may_be_found_otherwise_is_judged(here, judged, change, who):
    """A threshold judges all again, and a tolerance those in whose program it may decide otherwise; the reports are those of all."""
    here.change(change)
    here.regrade()
    assert sorted(judged) == sorted(who)
    quick = files(here, JUDGED)
    here.regrade("--force")
    assert files(here, JUDGED) == quick


@pytest.mark.slow
@pytest.mark.untraced
def test_a_small_class_is_scored_where_the_command_runs(here, monkeypatch):
    """Workers take longer to start than to score it, also where something of it could not be loaded; judging is theirs."""
    places = []

    def noted(tasks, session, workers):
        places.append(workers)
        return grade_tasks(tasks, session, Workers())

    monkeypatch.setattr(grading_loop, "grade_tasks", noted)
    here.change(POINTS)
    here.regrade("--jobs", "2")
    here.change(("\nthreshold = 0.5", "\nthreshold = 0.4"))
    here.regrade("--jobs", "2")
    assert places == [Workers(), Workers(jobs=2)]


DAMAGES = {
    "findings": "UPDATE grading SET findings = x'00' WHERE name = 'right_einsum'",
    "no findings": "UPDATE grading SET findings = NULL WHERE name = 'right_einsum'",
    "another record in its place": "UPDATE grading SET findings = record WHERE name = 'right_einsum'",
    "ranges": "UPDATE grading SET ranges = '{' WHERE name = 'right_einsum'",
    "report": "UPDATE grading SET record = x'00' WHERE name = 'right_einsum'",
}


@pytest.mark.untraced
@pytest.mark.parametrize("damage", DAMAGES)
def test_findings_that_cannot_be_read_are_found_again(here, judged, damage):
    """What was found is no more than what the replies give again: that one is judged, and the others are scored."""
    here.damage(DAMAGES[damage])
    here.change(points("scores", 8, 10))
    assert "4 judged again. 2 scores changed" in here.regrade()
    assert judged == ["right_einsum"]
    assert [here.report(name)["score"] for name in JUDGED] == [102, 88, 0]


# ---------------------------------------------------------------- what findings depend on


def test_points_titles_and_lateness_leave_findings_as_they_are(assignment, questions):
    """An edit of these is no reason to judge again."""
    other = replace(
        assignment,
        title="Another",
        digest="another",
        late=LatePolicy(1, 20.0, "earned", 0.0),
        checks=tuple(replace(row, points=row.points + 1, hidden=not row.hidden) for row in assignment.checks),
    )
    assert findings_key(other, questions) == findings_key(assignment, questions)


@pytest.mark.parametrize("field", [*sorted(set(Assignment.__dataclass_fields__) - cache_keys._IN_WORDS), "checks"])
def test_everything_else_of_the_rubric_is_what_they_depend_on(assignment, questions, field):
    """Whatever is not known to be harmless is a reason to judge again, and so is a check that comes or goes."""
    value = assignment.checks[1:] if field == "checks" else "changed"
    assert findings_key(replace(assignment, **{field: value}), questions) != findings_key(assignment, questions)


def test_another_list_of_mistakes_is_what_they_depend_on(assignment, questions):
    """Findings name mistakes by their position in the list; its titles and hints are read when they are told."""
    forms = questions.catalogue.forms

    def with_first(**changes):
        catalogue = replace(questions.catalogue, forms=(replace(forms[0], **changes), *forms[1:]))
        return findings_key(assignment, replace(questions, catalogue=catalogue))

    assert with_first(title="Another.", hint="Look.", formula="x", source="y") == findings_key(assignment, questions)
    for change in (
        {"id": "x"},
        {"charged": ("x",)},
        {"about": "x"},
        {"steps": frozenset()},
        {"harmless": True},
        {"shows_in": ("x",)},
    ):
        assert with_first(**change) != findings_key(assignment, questions)
    fewer = replace(questions, catalogue=replace(questions.catalogue, forms=forms[1:]))
    assert findings_key(assignment, fewer) != findings_key(assignment, questions)
    families = [(Family(forms[0], 0.0, high, (1.0,)),) for high in (2.0, 3.0)]
    line_ups = [
        replace(questions.catalogue, families=(*questions.catalogue.families, *more)) for more in ((), *families)
    ]
    assert len({findings_key(assignment, replace(questions, catalogue=catalogue)) for catalogue in line_ups}) == 3


ENTRY = 'BOTH = "Both are wrong."\nSTEPS = (_mistake("x", "A title.", "A hint.", {"total": wrong}),)\n\n\ndef wrong(a, b):\n    return np.einsum("ij, jk", a, b)\n'


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("A title.", "Another title.", False),
        ("A hint.", "Look at both.", False),
        ("Both are wrong.", "One is wrong.", False),
        ('"x"', '"y"', True),
        ("total", "decay", True),
        ("ij, jk", "ij, kj", True),
        ("(a, b)", "(b, a)", True),
    ],
)
def test_sentences_of_the_list_of_mistakes_do_not_count_and_its_code_does(tmp_path, old, new, counts):
    """A hint may be mended in a class that is graded; a wrong step is another wrong network."""
    file = tmp_path / "mistakes.py"
    file.write_text(ENTRY, encoding="utf-8")
    before = cache_keys._without_sentences(file.read_bytes())
    file.write_text(ENTRY.replace(old, new), encoding="utf-8")
    assert (cache_keys._without_sentences(file.read_bytes()) != before) == counts


def test_all_titles_and_hints_of_the_real_list_are_left_out():
    """Whatever way an entry is written in, its title and hint stand in none of the code that counts."""
    from reference.catalogue import MISTAKES

    code = "".join(
        cache_keys._without_sentences(file.read_bytes()).decode() for file in cache_keys._MISTAKES.glob("*.py")
    )
    for mistake in (one for one in MISTAKES if not one.harmless):
        for text in (mistake.title, mistake.hint):
            assert repr(text)[1:-1] not in code, text


@pytest.mark.untraced
def test_what_a_person_should_look_at_is_told(here, monkeypatch):
    """After judging, after scoring again, and whenever the class is graded again; a long list is cut."""
    find, told = grading.find, "To look at: bare: The loss is odd."
    monkeypatch.setattr(grading, "find", lambda *given: replace(find(*given), review=("The loss is odd.",)))
    assert told in here.regrade("--force")
    here.change(POINTS)
    assert told in here.regrade()
    assert here.report("bare")["review"] == ["The loss is odd."]
    monkeypatch.setattr("grader.cli.common.REVIEWED", 1)
    assert f"{told} To look at: 2 more. The class page lists them." in here.grade()
    here.change(HIDDEN)  # students may read a CI's log
    assert "To look at: bare: The class page says why." in here.regrade()


@pytest.mark.untraced
def test_the_table_of_steps_is_told(here, monkeypatch):
    """After judging, and after scoring again from the findings that the gradebook keeps, in the order in which it was found."""
    find = grading.find
    rows = (
        StepRow(Place("neural_net.py", 9, "scores = h @ W2"), "scores", (7, 3), "differs", "differs from the scores"),
        StepRow(Place("neural_net.py", 4, "h = relu(z)"), "h", (), "unknown", "not recognised"),
    )
    told = [
        {"file": "neural_net.py", "line": row.place.line, "text": row.place.text, "name": row.name}
        | {"shape": list(row.shape), "status": row.status, "verdict": row.verdict}
        for row in rows
    ]
    monkeypatch.setattr(grading, "find", lambda *given: replace(find(*given), steps={"loss": rows}))
    here.regrade("--force")
    assert here.report("bare")["steps"] == told
    monkeypatch.setattr(grading, "find", lambda *given: pytest.fail("it is judged again"))
    here.change(POINTS)
    here.regrade()
    assert here.report("bare")["steps"] == told


@pytest.mark.untraced
def test_verdicts_that_are_equal_are_kept_once(here, monkeypatch):
    """Of a class of ten thousands what is the same for many takes no memory for each of them."""
    kept = []
    insert = grading_loop.ClassGrading._insert
    monkeypatch.setattr(
        grading_loop.ClassGrading, "_insert", lambda loop, ready: (insert(loop, ready), kept.append(loop))
    )
    here.change(POINTS)
    here.regrade()
    verdicts = [verdict for report in kept[-1].done.values() for verdict in report.checks]
    assert len({id(verdict) for verdict in verdicts}) == len(set(verdicts)) < len(verdicts)
