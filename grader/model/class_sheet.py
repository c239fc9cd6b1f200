"""A whole class on one sheet: who handed in what, and how each stands after all decisions."""

from grader.model.report import Report
from grader.records import dataclass


@dataclass(frozen=True)
class Student:
    """One line of a roster; what the roster does not say is ""."""

    name: str  # as the roster writes it: "Doe, Jane" or "Jane Doe"
    first_name: str = ""
    last_name: str = ""
    id: str = ""  # the learning platform's own number: Canvas's "ID"
    sis_id: str = ""  # the registrar's: Canvas's "SIS User ID", Moodle's "ID number"
    login: str = ""  # user name: Canvas's "SIS Login ID"
    email: str = ""
    section: str = ""
    github: str = ""  # account there
    variant: str = ""  # of the assignment: the subfolder that holds it


@dataclass(frozen=True)
class Standing:
    """One submission's place in its class."""

    report: Report  # after all decisions
    student: Student | None = None  # whose it is; None without a roster, or where the roster does not tell
    shared: bool = False  # its report is also another standing's, above: a team handed in one submission


@dataclass(frozen=True)
class Sheet:
    """A class, as the class page and the exports read it."""

    title: str  # of the assignment
    max_score: float
    standings: tuple[Standing, ...]  # by the submissions' names; one for each student of a team
    missing: tuple[Student, ...] = ()  # on the roster, and no submission is theirs
    notes: tuple[str, ...] = ()  # what else the instructor should know of this class, a sentence each

    @property
    def reports(self) -> tuple[Report, ...]:
        """The submissions' reports, each once."""
        return tuple(one.report for one in self.standings if not one.shared)
