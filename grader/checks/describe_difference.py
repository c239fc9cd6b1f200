"""What is known about a failing check whose mistake has no name.

At most three facts, the most useful first. Each holds in every wrong case.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from grader.checks.array_differences import ArrayPair, constant, describe_pairs, multiple
from grader.checks.context import GradingContext, loss_calls, read_loss
from grader.checks.given_gradients import regulariser_right
from grader.checks.read_losses import convention, data_loss_right, loss_tolerance, right_for_own_scores, rounds_losses
from grader.compare import Tolerance, as_array, fit, is_single, ratio
from grader.model import Array, Call, Finding, Floats, QuestionId
from grader.text.phrases import join_words

MOST = 3
LARGE = 100_000  # entries: no array that is the right one in another way has more, and one of 16 MiB would become 128
# Of ratios and differences of losses, relative: one is constant that varies by less.
NEAR, NEAR_SINGLE = Tolerance(1e-5), Tolerance(1e-4)


def with_details(finding: Finding, facts: Callable[[], Iterable[str]]) -> Finding:
    """Return a finding with the known facts if it costs points; only then `facts` is called."""
    costs = finding.share < 1 and not finding.skipped
    kept = [fact for fact in dict.fromkeys(facts()) if fact][:MOST] if costs else []
    return finding if not kept else replace(finding, message=f"{finding.message}\nKnown: {' '.join(kept)}")


def _counts(call: Call) -> dict[str, int]:
    inputs, *hidden, classes = call.sizes
    words = {f"H{k}" if len(hidden) > 1 else "H": size for k, size in enumerate(hidden, start=1)}
    return {"N": len(call.steps[0].arguments["X"]), "D": inputs, **words, "C": classes}


def _only_some(calls: Sequence[Call], wrong: Sequence[Call]) -> str:
    """Return a sentence on the sizes where something is right or wrong, if all calls of the same sizes agree."""
    cases, bad = ({call.sizes: call for call in some} for some in (calls, wrong))
    mixed = any(call.sizes in bad and call not in wrong for call in calls)
    fine = [call for sizes, call in cases.items() if sizes not in bad]
    if mixed or not fine or not bad or len(cases) < 3:
        return ""
    few, word = (fine, "right") if len(fine) <= len(bad) else (list(bad.values()), "wrong")
    shown = "; ".join(", ".join(f"{name} = {n}" for name, n in _counts(call).items()) for call in few)
    return f"Of {len(cases)} sets of sizes, it is {word} only on {shown}."


def describe_scores(context: GradingContext, wrong: Sequence[Call]) -> list[str]:
    """Return what the wrong scores have in common."""
    answers = [as_array(context.result(call.id)) for call in wrong]
    facts = _describe_arrays(context, wrong, answers, "scores", "scores")
    return [*facts, _only_some(context.calls("scores"), wrong)]


def describe_gradient(context: GradingContext, name: str, wrong: Sequence[Call]) -> list[str]:
    """Return what one wrong gradient has in common with the right one."""
    some = _only_some([call for call, _, _ in loss_calls(context)], wrong)
    bare = [call for call in wrong if not float(context.expected(call.id)["reg"])]
    if not bare:
        return ["It is right where reg is 0.", some]
    found = [as_array(read_loss(context, call.id).grads.get(name)) for call in bare]
    # A layout of their own, such as (1, H), is no mistake.
    fitted = [own if own is None else fit(own, call.params[name].shape) for own, call in zip(found, bare, strict=True)]
    answers = [own if one is None else one for own, one in zip(found, fitted, strict=True)]
    facts = [*_describe_arrays(context, bare, answers, f"data_{name}", "gradient"), some]
    if name in context.names[::2] and convention(context) is not None and regulariser_right(context, name):
        facts.append("The part that reg adds is right.")
    return facts


def _describe_arrays(
    context: GradingContext, calls: Sequence[Call], answers: Sequence[Array | None], key: str, what: str
) -> list[str]:
    pairs = []
    near = context.tolerance("single" if rounds_losses(context) else what)
    for call, own in zip(calls, answers, strict=True):
        if own is None or own.size > LARGE:
            return []
        near = context.tolerance("single") if is_single(own) else near
        pairs.append(ArrayPair(own.astype(np.float64), context.expected(call.id)[key], near, _counts(call)))
    return describe_pairs(pairs)


def describe_data_loss(context: GradingContext) -> list[str]:
    """Return what the losses without regulariser have in common, over cases and over single rows."""
    calls = {case: call for call, case, reg in loss_calls(context) if reg == 0}
    fine = [case for case in calls if data_loss_right(context, case) or right_for_own_scores(context, case)]
    wrong = [call for case, call in calls.items() if case not in fine]
    values = np.array([read_loss(context, call.id).value for call in wrong], dtype=np.float64)
    some = _only_some(list(calls.values()), wrong)
    if not wrong or not np.isfinite(values).all():
        return [some]
    facts = [_describe_losses(context, wrong, values), _describe_single_rows(context), some]
    return facts if convention(context) is None else [*facts, "The part that reg adds is right."]


def _describe_losses(context: GradingContext, calls: Sequence[Call], values: Floats) -> str:
    """Return the factor or the amount by which losses of several cases differ from the right ones."""
    near = NEAR_SINGLE if rounds_losses(context) else NEAR
    rights = np.array([context.expected(call.id)["data_loss"] for call in calls])
    found = multiple((values / rights).tolist(), [_counts(call) for call in calls], near) if values.all() else ""
    off = constant((values - rights).tolist(), near)
    if off and not found:
        found = f"{off.lstrip('-')} too {'small' if off.startswith('-') else 'large'}"
    return f"It is {found} in every wrong case." if found and len(values) > 1 else ""


def _describe_single_rows(context: GradingContext) -> str:
    """Return for which single rows the loss is right."""
    right, y = context.expected(QuestionId("single"))["losses"], context.expected(QuestionId("single"))["y"]
    own = np.array([read_loss(context, QuestionId("single"), row).value for row in range(len(y))], dtype=np.float64)
    # The smallest losses hold few digits where some are cut off.
    size = np.abs(right).max() if rounds_losses(context) else np.abs(right)
    wrong = ~loss_tolerance(context).covers(ratio(own - right, size))
    if wrong.all() or not np.isfinite(own).all():
        return ""
    if not wrong.any():
        return f"Called with one row at a time it is right for all {len(y)} rows: look at how the rows are combined."
    labels = sorted(set(y[wrong].tolist()))
    if np.array_equal(np.isin(y, labels), wrong):
        return f"Called with single rows it is right, except for those with the label {' or '.join(map(str, labels))}."
    return f"Called with single rows it is right for {int((~wrong).sum())} of {len(y)}."


def describe_labels(context: GradingContext) -> list[str]:
    """Return what wrong labels have in common, over all rows that predict() was called with."""
    calls = [*context.calls("predict"), *context.calls("labels")]
    answers = [as_array(context.result(call.id)) for call in calls]
    rights = [context.expected(call.id)["labels"] for call in calls]
    flat = [own.reshape(-1) for own in answers if own is not None]
    if [one.size for one in flat] != [one.size for one in rights]:
        return []
    own, right = np.concatenate(flat).astype(np.float64), np.concatenate(rights)
    wrong = own != right
    if len(set(own.tolist())) == 1:
        return [f"Every row gets the label {own[0]:g}."]
    if not wrong.any():
        return []
    labels, never = sorted(set(right[wrong].tolist())), sorted(set(right.tolist()) - set(own.tolist()))
    alone = not wrong.all() and np.array_equal(np.isin(right, labels), wrong)
    return [
        f"The wrong rows are exactly those with the right label {' or '.join(map(str, labels))}." if alone else "",
        f"It never predicts class {join_words([str(label) for label in never])}." if never else "",
        f"{int((~wrong).sum())} of {len(right)} labels are right over all cases.",
    ]


def describe_steps(right: Sequence[str], first_wrong: Mapping[str, int | None]) -> list[str]:
    """Return which parameters train() moves correctly, and the first wrong iteration.

    right : names. first_wrong : name -> iteration, counted from 1, of those that are wrong; None where it is unknown.
    """
    when = set(first_wrong.values())
    nth = ("", "first", "second", "third", "fourth")[(when.pop() if len(when) == 1 else None) or 0]
    return [
        f"{join_words(right)} {'is' if len(right) == 1 else 'are'} updated correctly in all iterations."
        if right
        else "",
        f"The {nth} iteration is the first wrong one." if nth else "",
    ]
