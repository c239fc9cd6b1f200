"""The check of the student's hyperparameters, by the accuracy of a network trained with them."""

from __future__ import annotations

from grader.checks.context import GradingContext, failure_of, is_not_started, read_loss
from grader.checks.final_scores import final_scores
from grader.checks.gradients import has_wrong_gradient
from grader.checks.minibatch import minibatch
from grader.checks.parameter_updates import decay, update_rule
from grader.checks.read_losses import resembles_the_loss
from grader.checks.registry import check
from grader.compare import as_number, describe
from grader.model import Finding, QuestionId

ABOUT = "best_hyperparameters"


@check("train", of_network=False)
def best_hyperparameters(context: GradingContext) -> Finding:
    """A network trained with your best_hyperparameters recognises digits that it never saw."""
    reply = context.reply(QuestionId("chosen"))
    if not reply.results and reply.error and reply.error.during == ABOUT:
        text = f"Not judged: {reply.error.message}."
        return Finding(0.0, text, places=reply.error.places, skipped=True, about=ABOUT)
    problem = failure_of(reply, about=ABOUT)
    if problem:
        return problem
    settings = _settings(context, reply.results[0])
    if isinstance(settings, Finding):
        return settings
    threshold = context.assignment.digits.tuned_threshold
    inputs, *hidden, classes = context.call(QuestionId("tuned")).sizes
    sizes = inputs, *(int(settings["hidden_size"]) for _ in hidden), classes
    maps = context.call(QuestionId("digits")).params[context.names[0]].shape[:-2]  # (2,) of a maxout network
    shapes: dict[str, tuple[int, ...]] = {}
    for (W, b), rows, columns in zip(context.assignment.variant.layers, sizes[:-1], sizes[1:], strict=True):
        own = maps if b != context.names[-1] else ()
        shapes |= {W: (*own, rows, columns), b: (*own, columns)}
    scores = final_scores(context, QuestionId("tuned"), shapes)
    if isinstance(scores, str):
        problem = failure_of(context.reply(QuestionId("tuned")))
        shown = problem.message if problem else f"With them, {scores}."
    else:
        accuracy = float((scores.argmax(axis=1) == context.expected(QuestionId("tuned"))["y"]).mean())
        shown = f"Trained with them, the network recognises {accuracy:.1%} of 400 digits that it never saw; {threshold:.1%} is required."
        if accuracy >= threshold:
            return Finding(1.0, shown, about=ABOUT)
    # With a mistake in loss() or train() the choice can still be a good one: the reference trains with it. Where no loss is
    # written, or one of something else, nothing can have been tuned, and numbers copied from a friend are no work.
    first = read_loss(context, context.calls("loss")[0].id)
    stopped = first.finding and first.finding.error and not first.finding.skipped
    written = resembles_the_loss(context) or (stopped and update_rule(context).share == 1)
    oracle = context.questions.oracle
    if oracle is not None and oracle.trained_accuracy is not None and written:
        reference = oracle.trained_accuracy(settings)
        if reference >= threshold:
            text = f"A right network trained with them reaches {reference:.1%}. Yours does not, because of a mistake that loses points elsewhere."
            return Finding(1.0, f"{text}\n{shown}", about=ABOUT, carried=True)
    if written and (oracle is None or oracle.trained_accuracy is None) and _is_wrong_elsewhere(context):
        text = "Not judged yet: mend loss() and train() first; then it shows what your best_hyperparameters are worth."
        return Finding(0.0, f"{text}\n{shown}", skipped=True, about=ABOUT)
    hint = "" if isinstance(scores, str) else "\nLook at the loss curve: too slow (larger learning_rate), or unsteady?"
    return Finding(0.0, shown + hint, about=ABOUT)


def _is_wrong_elsewhere(context: GradingContext) -> bool:
    """Return whether something else than the choice may keep the network from learning."""
    return has_wrong_gradient(context) or any(one(context).share < 1 for one in (update_rule, decay, minibatch))


def _settings(context: GradingContext, value: object) -> dict[str, float] | Finding:
    """Return the hyperparameters as numbers within their bounds, or what is wrong with them."""
    bounds = context.assignment.hyperparameters
    example = "best_hyperparameters = dict(" + ", ".join(f"{name}=..." for name in bounds) + ")"
    if not isinstance(value, dict):
        started = not is_not_started(value)
        text = f"best_hyperparameters is {describe(value)}. Write numbers: {example}."
        return Finding(0.0, text if started else f"Not started: {text}", skipped=not started, about=ABOUT)
    if all(value.get(name) is None for name in bounds):
        text = f"Not started: best_hyperparameters holds no numbers yet. Write them: {example}."
        return Finding(0.0, text, skipped=True, about=ABOUT)
    faults, found = [], {}
    for name, bound in bounds.items():
        number = as_number(value.get(name))
        kind = "a whole number" if bound.whole else "a number"
        if number is None or not bound.low <= number <= bound.high or (bound.whole and number != int(number)):
            shown = f"is {describe(value[name])}" if name in value else "is missing"
            faults.append(f"{name} {shown}; it must be {kind} from {bound.low:g} to {bound.high:g}.")
        else:
            found[name] = number
    return Finding(0.0, "best_hyperparameters: " + " ".join(faults), about=ABOUT) if faults else found
