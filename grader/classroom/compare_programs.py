"""Compare the programs of a class, as the gradebook keeps them, without the skeleton that all began with."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.classroom.gradebook import Gradebook
from grader.classroom.output import SIMILAR, explain_full_disk, write_overview
from grader.classroom.results import ClassResults
from grader.classroom.storage import write_whole
from grader.model import Assignment, Likeness, Program, Submission, Text
from grader.packing import DamagedError, unpack
from grader.records import replace
from grader.reports.similar_page import to_similar
from grader.similarity import compare_programs
from grader.submission import load, read, reduce_limited
from grader.submission.name_submissions import list_submissions, printable
from grader.text.sanitise import one_line

NO_PROGRAM = "no program to compare, because the submission could not be run."
OTHER_COUNTS = "another hand-in of the same student counts."
UNREADABLE = "the saved program cannot be read. Run `grader grade` with --force to save it again."


def compare_class(
    book: Gradebook, assignment: Assignment, to: Path | None = None, against: Sequence[Path] = ()
) -> Likeness:
    """Compare the programs of a graded class, write the page, and link the class page to it. No student code runs.

    assignment : its notebook is the skeleton. to : the folder for the page; None puts it beside the class page, which
    only then links to it. against : folders with programs of others, such as last year's hand-ins and public solutions.
    Raises GradebookError where nothing is graded, ValueError without a skeleton, and where a folder of others holds no
    program that can be read.
    """
    out = to or book.path.parent
    results = ClassResults(book)
    sheet, matching = results.sheet(), results.matching
    programs, left = _programs(book, matching.superseded if matching else {})
    outside, unread = _read_outside(against, assignment)
    likeness = compare_programs(tuple(programs.values()), _skeleton(assignment), outside)
    likeness = replace(
        likeness,
        left=dict(sorted({**likeness.left, **left, **unread}.items())),
        outside=likeness.outside | unread.keys(),
    )
    with explain_full_disk(out):
        write_whole(out / SIMILAR, to_similar(likeness, sheet))
        if to is None:
            write_overview(out, sheet)
    return likeness


def _programs(book: Gradebook, superseded: Mapping[str, str]) -> tuple[dict[str, Program], dict[str, str]]:
    """Return each submission's program, and for the others why there is none."""
    programs: dict[str, Program] = {}
    left: dict[str, str] = {}
    for name, row in book.last().items():
        if name in superseded or row.replies is None:
            left[name] = OTHER_COUNTS if name in superseded else NO_PROGRAM
            continue
        try:
            submission, _, _ = unpack(book.replies(row.replies))
        except DamagedError:
            left[name] = UNREADABLE
            continue
        if submission.segments:
            programs[name] = _program(submission, name)
        else:
            left[name] = NO_PROGRAM
    return programs, left


def _read_outside(folders: Sequence[Path], assignment: Assignment) -> tuple[list[Program], dict[str, str]]:
    """Return the programs in some folders, and for what is no program why; a name begins with its folder's.

    They are read as hand-ins are, and never run.
    """
    programs: list[Program] = []
    left: dict[str, str] = {}
    for folder in folders:
        shown = one_line(str(folder))
        if not (entries := list_submissions(folder) if folder.is_dir() else []):
            raise ValueError(
                f"--against {shown}: this is not a folder with notebooks, .py files, zips or folders of these."
            )
        before = len(programs)
        for entry in entries:
            # No name of a submission holds a slash.
            name = f"{folder.resolve().name}/{printable(entry.name)}"
            asked = {"class_name": assignment.class_name, "notebook": assignment.notebook}
            submission = reduce_limited(read(entry), name, str(entry), **asked)
            if submission.problem:
                left[name] = submission.problem.message
            else:
                programs.append(_program(submission, name))
        if len(programs) == before:
            raise ValueError(
                f"--against {shown}: none of its {len(entries):,} entries holds the class {assignment.class_name}."
                f" The first: {left[name]}"
            )
    return programs, left


def _program(submission: Submission, name: str) -> Program:
    """Return the part of a submission that is compared: the class, all that it needs, and the modules beside it."""
    segments = [*submission.segments, *(module.segment for module in submission.modules)]
    return Program(
        name,
        tuple(Text(segment.label, segment.source) for segment in segments),
        tuple(segment.kept for segment in segments),
    )


def _skeleton(assignment: Assignment) -> Program:
    """Return the students' notebook, read as a submission is, so that the same statements are compared."""
    path = assignment.folder / assignment.notebook
    skeleton = load(path, class_name=assignment.class_name, notebook=assignment.notebook)
    if skeleton.problem:
        raise ValueError(
            f"{one_line(str(path))}: there is no notebook that can be read. The comparison needs the notebook that students"
            " started from, since its code counts for nothing. Give its folder with --assignment."
        )
    return _program(skeleton, "")
