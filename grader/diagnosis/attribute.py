"""What each named mistake costs: once, in the checks where it is made, and nowhere else.

A check that fails only because of a mistake that is charged elsewhere gets its points back. Whether it does is not taken
on trust: a program that is right but for the charged mistakes is simulated, and its points are what the student gets.
"""

from collections.abc import Container, Mapping
from dataclasses import replace

from grader.checks import CHECKS
from grader.checks.context import GradingContext
from grader.checks.parameter_updates import first_steps
from grader.checks.preconditions import contradiction
from grader.checks.prediction import right_given_scores
from grader.checks.watched_training import ROWS, SAME
from grader.compare import narrow_by
from grader.diagnosis.candidates import Mistakes, in_order, simulate_context, simulate_outcome, watch_ranges
from grader.diagnosis.explanations import Explanation, explain
from grader.diagnosis.signature import same, signature_of, tolerance
from grader.model import Charge, Credit, Finding, MistakeCatalogue, MistakeForm, MistakeKey, NotFrozenError, QuestionId

# Shares of points that differ by less than this are the same.
ROUNDING = 1e-6


Attribution = tuple[tuple[Charge, ...], dict[str, Credit]]
NOTHING: Attribution = ((), {})


def charge_at_least_once(findings: Mapping[str, Finding]) -> dict[str, Finding]:
    """Return the findings, in which what is carried is charged itself where nothing is charged elsewhere.

    A rubric may lack the row of a mistake's own check.
    """
    if any(one.share < 1 for one in findings.values()):
        return dict(findings)
    return {check: replace(one, share=0.0, carried=False) if one.carried else one for check, one in findings.items()}


def attribute(context: GradingContext, findings: Mapping[str, Finding]) -> Attribution:
    """Return the named mistakes behind the failing checks with their costs, and what each check earns after all.

    findings : of each check of the rubric, before points. A submission that loses nothing has nothing to explain.
    The mistakes stand in the order of the network.
    """
    catalogue = context.questions.catalogue
    shares = {check: 0.0 if finding.skipped else finding.share for check, finding in findings.items()}
    if catalogue is None or not any(findings[check].share < 1 for check in _failing(findings)):
        return NOTHING

    def search() -> Attribution:
        found = [one for one in explain(context, shares) if one.mistakes and not _contradicted(context, one, shares)]
        return _attribute_to(context, catalogue, found, findings, shares) if found else NOTHING

    attribution, simulated = watch_ranges(search)
    narrow_by(context.ranges, simulated)
    return attribution


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
) -> Attribution:
    failing = _failing(findings)
    if len(explanations) > 1:
        rows = [_count_other_rows(context, one) for one in explanations]
        explanations = [one for one, others in zip(explanations, rows, strict=True) if others == min(rows)]
    # Of several that are as good, the one that explains most checks is named, the others beside it.
    explanations.sort(key=lambda one: -sum(_explains(context, one, check, shares) for check in failing))
    first = explanations[0]
    causes = {check: _causes(context, first, check) for check in failing if _explains(context, first, check, shares)}
    proven = {check for check in causes if _proven(context, first, check, findings[check])}
    # Of what was not seen at work every mistake behind it is charged.
    charged = {
        check: frozenset(
            one for one in behind if check not in proven or _is_charged(catalogue.form_of(one), check, findings)
        )
        for check, behind in causes.items()
    }
    credits_ = {
        check: Credit(earned, tuple(in_order(catalogue, behind - charged[check])))
        for check, behind in causes.items()
        for earned in (_earned(context, charged[check], first.factor, check),)
        if check in proven and earned > shares[check] + ROUNDING
    }
    after = {check: credits_[check].share if check in credits_ else shares[check] for check in causes}
    seen = _find_seen(causes, findings)
    charges = tuple(
        _charge(context, explanations, mistake, causes, charged, after)
        for mistake in in_order(catalogue, first.mistakes)
        if mistake in seen
    )
    return charges, credits_ if charges else {}


def _find_seen(causes: Mapping[str, Mistakes], findings: Mapping[str, Finding]) -> Mistakes:
    """Return the mistakes behind checks that were judged, and those that one of these keeps from being judged.

    What is not written yet makes no mistake.
    """
    judged = frozenset(one for check, behind in causes.items() if not findings[check].skipped for one in behind)
    return judged.union(*(behind for behind in causes.values() if behind & judged))


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
    ran = _ran(context, check) or not _simulation_ran(context, explanation, check)
    return ran and bool(first_steps(context)) and not contradiction(context)


def _earned(context: GradingContext, mistakes: Mistakes, factor: float, check: str) -> float:
    return simulate_outcome(context.assignment, context.questions, mistakes, factor, check)[0] if mistakes else 1.0


def _explains(context: GradingContext, explanation: Explanation, check: str, shares: Mapping[str, float]) -> bool:
    """Return whether a program with these mistakes loses at this check what the submission lost there.

    Losing as much proves little by itself: every number of the check's part must have been found again as well.
    """
    if _blocks_of(check) & set(explanation.unexplained):
        return False
    mistakes, factor = explanation.mistakes, explanation.factor
    earned, carried = simulate_outcome(context.assignment, context.questions, mistakes, factor, check)
    if CHECKS[check].by_chance:  # a simulation that fails as well is all that can be asked
        return earned < 1 or carried
    return abs(earned - shares[check]) < ROUNDING


def _simulate(context: GradingContext, explanation: Explanation) -> GradingContext:
    return simulate_context(context.assignment, context.questions, explanation.mistakes, explanation.factor)


def _simulation_ran(context: GradingContext, explanation: Explanation, check: str) -> bool:
    """Return whether the training that a check is about comes to its end with these mistakes; with each, where they meet."""
    try:
        return _ran(_simulate(context, explanation), check)
    except NotFrozenError:
        singles = (replace(explanation, mistakes=frozenset({one})) for one in explanation.mistakes)
        return all(_ran(_simulate(context, one), check) for one in singles)


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
    return any(_simulation_ran(context, explanation, check) for check in lost)


def _count_other_rows(context: GradingContext, explanation: Explanation) -> int:
    """Return how many single rows the submission answers otherwise than a program with these mistakes.

    One row holds one label: who counts classes from labels fails there, and who writes their number into the code does not.
    """
    part = "single rows"
    try:
        own, simulated = (signature_of(one, part).pieces for one in (context, _simulate(context, explanation)))
    except NotFrozenError:
        return 0
    allowed = tolerance(context, part)
    return sum(not same(mine, theirs, allowed) for mine, theirs in zip(own, simulated, strict=True))


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


def _charge(
    context: GradingContext,
    explanations: list[Explanation],
    mistake: MistakeKey,
    causes: Mapping[str, Mistakes],
    charged: Mapping[str, Mistakes],
    after: Mapping[str, float],
) -> Charge:
    """Return what one of the mistakes explains and costs.

    charged : the mistakes that each check charges. after : each check's share once credit is given.
    """
    first, factor = explanations[0].mistakes, explanations[0].factor
    explains = tuple(check for check, behind in causes.items() if mistake in behind)
    costs = {
        # With several mistakes in one check, mending one returns what the others leave.
        check: max(0.0, _earned(context, charged[check] - {mistake}, factor, check) - after[check])
        for check in explains
        if after[check] < 1
    }
    # Of ways that are told in the same words the scoring tells one: what words they have is not known here.
    others = dict.fromkeys(
        other for one in explanations[1:] for other in one.mistakes - first if first - one.mistakes == {mistake}
    )
    return Charge(mistake, tuple(others), explains, costs)
