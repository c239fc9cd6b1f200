"""What each named mistake costs: once, in the checks where it is made, and nowhere else.

A check that fails only because of a mistake that is charged elsewhere gets its points back. Whether it does is not taken
on trust: a program that is right but for the charged mistakes is simulated, and its points are what the student gets.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from grader.checks import CHECKS
from grader.checks.context import GradingContext
from grader.checks.parameter_updates import first_steps
from grader.checks.preconditions import contradiction
from grader.checks.prediction import right_given_scores
from grader.checks.watched_training import ROWS, SAME
from grader.diagnosis.candidates import Mistakes, in_order, simulate_context, simulate_share
from grader.diagnosis.explanations import Explanation, explain
from grader.diagnosis.signature import signature_of
from grader.model import Finding, MistakeCatalogue, MistakeForm, MistakeKey, QuestionId

# Shares of points that differ by less than this are the same.
ROUNDING = 1e-6


@dataclass(frozen=True)
class AttributedMistake:
    """One mistake of an explanation, with the checks that it explains and what it costs there."""

    mistake: MistakeKey
    explains: tuple[str, ...]
    costs: Mapping[str, float]  # check -> share of its points that this mistake loses
    alternatives: tuple[MistakeKey, ...] = ()  # others that would explain the same as well


@dataclass(frozen=True)
class DiagnosisResult:
    """What a diagnosis comes to.

    named : the mistakes, in the order of the network. credited : check -> the share that it earns after all, with the
    mistakes that are charged for it elsewhere. unexplained : failing checks that no named mistake explains.
    """

    named: tuple[AttributedMistake, ...] = ()
    credited: Mapping[str, tuple[float, tuple[MistakeKey, ...]]] = field(default_factory=dict)
    unexplained: tuple[str, ...] = ()


def charge_at_least_once(findings: Mapping[str, Finding]) -> dict[str, Finding]:
    """Return the findings, in which what is carried is charged itself where nothing is charged elsewhere.

    A rubric may lack the row of a mistake's own check.
    """
    if any(one.share < 1 for one in findings.values()):
        return dict(findings)
    return {check: replace(one, share=0.0, carried=False) if one.carried else one for check, one in findings.items()}


def attribute(context: GradingContext, findings: Mapping[str, Finding]) -> DiagnosisResult:
    """Name the mistakes behind the failing checks, and settle what each costs.

    findings : of each check of the rubric, before points. A submission that loses nothing has nothing to explain.
    """
    catalogue = context.questions.catalogue
    shares = {check: 0.0 if finding.skipped else finding.share for check, finding in findings.items()}
    failing = _failing(findings)
    if catalogue is None or not any(findings[check].share < 1 for check in failing):
        return DiagnosisResult(unexplained=failing)
    explanations = [one for one in explain(context, shares) if one.mistakes and not _contradicted(context, one, shares)]
    if not explanations:
        return DiagnosisResult(unexplained=failing)
    return _attribute_to(context, catalogue, explanations, findings, shares)


def _failing(findings: Mapping[str, Finding]) -> tuple[str, ...]:
    return tuple(
        check
        for check, one in findings.items()
        if (one.share < 1 or one.carried or one.skipped) and CHECKS[check].of_network
    )


def _attribute_to(
    context: GradingContext,
    catalogue: MistakeCatalogue,
    explanations: list[Explanation],
    findings: Mapping[str, Finding],
    shares: Mapping[str, float],
) -> DiagnosisResult:
    failing = _failing(findings)
    # Of several that are as good, the one that explains most checks is told, the others beside it.
    explanations.sort(key=lambda one: -sum(_explains(context, one, check, shares) for check in failing))
    first = explanations[0]
    causes = {check: _causes(context, first, check) for check in failing if _explains(context, first, check, shares)}
    credited: dict[str, tuple[float, tuple[MistakeKey, ...]]] = {}
    for check, behind in causes.items():
        charged = frozenset(one for one in behind if _is_charged(catalogue.form_of(one), check, findings))
        earned = _earned(context, charged, first.factor, check)
        if earned > shares[check] + ROUNDING and _proven(context, first, check, findings[check]):
            elsewhere = tuple(in_order(catalogue, behind - charged))
            credited[check] = (earned, elsewhere)
    after = {check: credited[check][0] if check in credited else shares[check] for check in causes}
    named = tuple(
        _attribute_mistake(context, explanations, mistake, causes, after)
        for mistake in in_order(catalogue, first.mistakes)
    )
    # What is not written yet makes no mistake.
    told = tuple(one for one in named if any(not findings[check].skipped for check in one.explains))
    return DiagnosisResult(told, credited if told else {}, tuple(check for check in failing if check not in causes))


def _is_charged(form: MistakeForm, check: str, rubric: Container[str]) -> bool:
    """Return whether a mistake costs points at a check; where the rubric has none of its own checks, at all that see it."""
    return check in form.charged or not any(one in rubric for one in form.charged)


def _proven(context: GradingContext, explanation: Explanation, check: str, finding: Finding) -> bool:
    """Return whether what a check is about was seen at work; what did not run cannot be right given anything."""
    if check == "purity":
        return signature_of(context, "purity").shape == (True, True, True)
    if CHECKS[check].group != "train":
        return not finding.skipped and (finding.error is None or finding.share >= 0.5)
    # A training that does not take place says nothing of its rate, its batches and what it keeps.
    # Where the simulated program is stopped as well, that is what its mistake does.
    ran = _ran(context, check) or not _ran(_simulate(context, explanation), check)
    return ran and bool(first_steps(context)) and not contradiction(context)


def _earned(context: GradingContext, mistakes: Mistakes, factor: float, check: str) -> float:
    return simulate_share(context.assignment, context.questions, mistakes, factor, check) if mistakes else 1.0


def _explains(context: GradingContext, explanation: Explanation, check: str, shares: Mapping[str, float]) -> bool:
    """Return whether a program with these mistakes loses at this check what the submission lost there.

    Losing as much proves little by itself: every number of the check's part must have been found again as well.
    """
    if _blocks_of(check) & set(explanation.unexplained):
        return False
    earned = _earned(context, explanation.mistakes, explanation.factor, check)
    if CHECKS[check].by_chance:  # a simulation that fails as well is all that can be asked
        return earned < 1 or CHECKS[check].function(_simulate(context, explanation)).carried
    return abs(earned - shares[check]) < ROUNDING


def _simulate(context: GradingContext, explanation: Explanation) -> GradingContext:
    return simulate_context(context.assignment, context.questions, explanation.mistakes, explanation.factor)


def _contradicted(context: GradingContext, explanation: Explanation, shares: Mapping[str, float]) -> bool:
    """Return whether a program with these mistakes would lose what the submission earned: then it is not one of those."""
    mistakes, factor = explanation.mistakes, explanation.factor
    lost = [
        check
        for check, mine in shares.items()
        if CHECKS[check].of_network
        and not CHECKS[check].by_chance
        # What stands up with a stand-in for loss() is right by itself, whatever the simulated program's own loss() does.
        and not (check == "predict" and right_given_scores(context))
        and not _blocks_of(check) & set(explanation.unexplained)
        and mine > _earned(context, mistakes, factor, check) + ROUNDING
    ]
    # Ours may stop at a missing gradient where theirs goes round it.
    return any(_ran(_simulate(context, explanation), check) for check in lost)


def _ran(context: GradingContext, check: str) -> bool:
    """Return whether the training that a check is about came to its end; what is no training counts as run."""
    if CHECKS[check].group != "train":
        return True
    asked = {"minibatch": ROWS, "learns_toy": QuestionId("toy"), "learns_digits": QuestionId("digits")}.get(check, SAME)
    return context.reply(asked).outcome == "returned"


def _blocks_of(check: str) -> set[str]:
    """Name the blocks of the network that a check looks at."""
    by_check = {"scores": {"scores"}, "purity": {"purity"}}
    by_group = {"loss": {"scores", "loss"}, "gradients": {"scores", "loss"}, "train": {"train"}, "predict": {"predict"}}
    return by_check.get(check) or by_group.get(CHECKS[check].group, set())


def _causes(context: GradingContext, explanation: Explanation, check: str) -> Mistakes:
    """Return the mistakes that a check fails by: those that fail it alone, or without which more would be earned."""
    mistakes, factor = explanation.mistakes, explanation.factor
    if len(mistakes) == 1:
        return mistakes
    together = _earned(context, mistakes, factor, check)
    return frozenset(
        index
        for index in mistakes
        if _earned(context, frozenset({index}), factor, check) < 1
        or _earned(context, mistakes - {index}, factor, check) > together + ROUNDING
    )


def _attribute_mistake(
    context: GradingContext,
    explanations: list[Explanation],
    mistake: MistakeKey,
    causes: Mapping[str, Mistakes],
    after: Mapping[str, float],
) -> AttributedMistake:
    """Return what one of the mistakes explains and costs; after : each check's share once credit is given."""
    first, factor = explanations[0].mistakes, explanations[0].factor
    explains = tuple(check for check, behind in causes.items() if mistake in behind)
    costs = {
        # With several mistakes in one check, mending one returns what the others leave.
        check: max(0.0, _earned(context, causes[check] - {mistake}, factor, check) - after[check])
        for check in explains
        if after[check] < 1
    }
    # Of ways that are told in the same words the scoring tells one: what words they have is not known here.
    others = dict.fromkeys(
        other for one in explanations[1:] for other in one.mistakes - first if first - one.mistakes == {mistake}
    )
    return AttributedMistake(mistake, explains, costs, tuple(others))
