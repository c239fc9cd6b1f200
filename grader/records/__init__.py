"""The frozen records that flow from a submission to what people read.

Floor 1 of the house: everything may import them, and they import nothing of ours but each other.
"""

from grader.records.arrays import Array, Floats, Params
from grader.records.calls import Call, Foreign, Outcome, Reply, Run, Step, StudentError
from grader.records.decisions import Decision, DecisionKind, Ruling
from grader.records.findings import Cause, Charge, Credit, Finding, Findings
from grader.records.likeness import Likeness, Pair, Passage, Program, Span, Text
from grader.records.questions import Expectation, Family, Fitted, LineUp, Mistake, Oracle, Probes, Stage, Suspect
from grader.records.report import (
    Curves,
    Diagnosis,
    Environment,
    Figure,
    Group,
    HeatMap,
    Judgement,
    Report,
    ReportStatus,
    StepRow,
    StepStatus,
    Verdict,
    VerdictStatus,
)
from grader.records.rubric import Assignment, Bounds, CheckRow, DigitsTask, LatePolicy, Limits, Tolerances, Variant
from grader.records.sheet import Sheet, Standing, Student
from grader.records.submission import Module, Place, Problem, Segment, Submission

__all__ = [
    "Array",
    "Assignment",
    "Bounds",
    "Call",
    "Cause",
    "Charge",
    "CheckRow",
    "Credit",
    "Curves",
    "Decision",
    "DecisionKind",
    "Diagnosis",
    "DigitsTask",
    "Environment",
    "Expectation",
    "Family",
    "Figure",
    "Finding",
    "Findings",
    "Fitted",
    "Floats",
    "Foreign",
    "Group",
    "HeatMap",
    "Judgement",
    "LatePolicy",
    "Likeness",
    "Limits",
    "LineUp",
    "Mistake",
    "Module",
    "Oracle",
    "Outcome",
    "Pair",
    "Params",
    "Passage",
    "Place",
    "Probes",
    "Problem",
    "Program",
    "Reply",
    "Report",
    "ReportStatus",
    "Ruling",
    "Run",
    "Segment",
    "Sheet",
    "Span",
    "Stage",
    "Standing",
    "Step",
    "StepRow",
    "StepStatus",
    "Student",
    "StudentError",
    "Submission",
    "Suspect",
    "Text",
    "Tolerances",
    "Variant",
    "Verdict",
    "VerdictStatus",
]
