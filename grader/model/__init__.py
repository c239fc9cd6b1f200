"""The frozen records that flow from a submission to what people read.

Floor 1 of the house: everything may import them, and they import nothing of ours but each other.
"""

from grader.model.arrays import Array, Floats, Params
from grader.model.assignment import (
    CLASSIC,
    LEARNT,
    TAKEN,
    Assignment,
    Bounds,
    CheckRow,
    DigitsTask,
    LatePolicy,
    Limits,
    Methods,
    Ranges,
    Rules,
    Tolerances,
    Variant,
)
from grader.model.calls import Call, OpaqueValue, Outcome, QuestionId, Reply, Run, Step, StudentError
from grader.model.class_sheet import Sheet, Standing, Student
from grader.model.decisions import Decision, DecisionKind, Ruling
from grader.model.expectations import (
    Expectation,
    Family,
    Fitted,
    MistakeCatalogue,
    MistakeForm,
    MistakeKey,
    NotFrozenError,
    Oracle,
    Questions,
    Stage,
)
from grader.model.findings import Cause, Charge, Credit, Finding, Findings
from grader.model.program import Module, Place, Problem, Segment, Submission
from grader.model.report import (
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
    StudentReport,
    Verdict,
    VerdictStatus,
)
from grader.model.seeds import derive_number, seed_id
from grader.model.similar_programs import Likeness, Pair, Passage, Program, Span, Text
