"""The check of the student's hyperparameters, by the accuracy of a network trained with them.

The program trains it, or the reference does in its place (see `may_train_in_its_place`). Where the program does and does
badly, a good result of the reference still earns the points, if something else loses some.
"""

from collections.abc import Mapping

from grader.checks.context import (
    GradingContext,
    cached_per_submission,
    failure_of,
    final_scores,
    is_not_started,
    loss_calls,
    own_params,
    read_loss,
)
from grader.checks.gradients import gradient_failure, has_wrong_gradient
from grader.checks.minibatch import minibatch
from grader.checks.parameter_updates import decay, update_rule
from grader.checks.read_losses import expected_factor, resembles_the_loss
from grader.checks.registry import CHECKS, check
from grader.checks.watched_training import LARGE, ROWS, SAME, read_watched_run
from grader.checks.whole_runs import whole_rates
from grader.compare import as_number, describe
from grader.model import Finding, QuestionId

ABOUT = "best_hyperparameters"
CHOSEN, TUNED = QuestionId("chosen"), QuestionId("tuned")
# The reference's accuracy must be as much above what is required; chance moves it by one point in a hundred, as a rule.
SURE = 0.02
NEAR = 1e-4  # of a rate
# Besides every gradient. learns_digits is the program's own long training, of a fixed network.
DEPENDS_ON = (
    "scores", "data_loss", "regularised_loss", "stability", "purity", "update_rule", "decay", "minibatch", "learns_toy",
    "learns_digits",
)  # fmt: skip


@check("train", of_network=False)
def best_hyperparameters(context: GradingContext) -> Finding:
    """A network trained with your best_hyperparameters recognises digits that it never saw."""
    settings = _read_chosen(context)
    if isinstance(settings, Finding):
        return settings
    threshold = context.assignment.digits.tuned_threshold
    accuracy, shown = _train(context, settings)
    if accuracy is not None and accuracy >= threshold:
        return Finding(1.0, shown, about=ABOUT)
    # With a mistake in loss() or train() the choice can still be a good one: the reference trains with it. Where no loss is
    # written, or one of something else, nothing can have been tuned, and numbers copied from a friend are no work.
    first = read_loss(context, context.calls("loss")[0].id)
    stopped = first.finding and first.finding.error and not first.finding.skipped
    written = resembles_the_loss(context) or (stopped and update_rule(context).share == 1)
    oracle = context.questions.oracle
    if oracle is not None and oracle.trained_accuracy is not None and written:
        reference = oracle.trained_accuracy(settings, None, None)
        if reference >= threshold:
            text = f"A right network trained with them reaches {reference:.1%}."
            # Judged again by a higher threshold: nothing is wrong, and nobody asked the program.
            if _is_needless(context):
                return Finding(1.0, f"{text}\n{shown}", about=ABOUT)
            text += " Yours does not, because of a mistake somewhere else."
            return Finding(1.0, f"{text}\n{shown}", about=ABOUT, carried=True)
    if written and (oracle is None or oracle.trained_accuracy is None) and _is_wrong_elsewhere(context):
        text = "Not judged yet: mend loss() and train() first; then it shows what your best_hyperparameters are worth."
        return Finding(0.0, f"{text}\n{shown}", skipped=True, about=ABOUT)
    hint = "" if accuracy is None else "\nLook at the loss curve: too slow (larger learning_rate), or unsteady?"
    return Finding(0.0, shown + hint, about=ABOUT)


def _train(context: GradingContext, settings: Mapping[str, float]) -> tuple[float | None, str]:
    """Return the accuracy of the network that was trained with them, if there is one, and what the student reads of it."""
    required = f"of 400 digits that it never saw; {context.assignment.digits.tuned_threshold:.1%} is required."
    reply = context.reply(TUNED)
    if _is_needless(context) and (accuracy := _accuracy_in_its_place(context)) is not None:
        text = f"Trained with them from your network's first parameters, the reference recognises {accuracy:.1%} {required}"
        return accuracy, f"{text} It was trained in place of your network, since your train() takes the same steps."
    scores = final_scores(context, TUNED, _shapes(context, settings))
    if isinstance(scores, str):
        problem = failure_of(reply)
        return None, problem.message if problem else f"With them, {scores}."
    accuracy = float((scores.argmax(axis=1) == context.expected(TUNED)["y"]).mean())
    return accuracy, f"Trained with them, the network recognises {accuracy:.1%} {required}"


def _is_needless(context: GradingContext) -> bool:
    """Return whether the program was not asked, since the reference could train in its place."""
    reply = context.reply(TUNED)
    return reply.outcome == "not_asked" and not reply.error


def may_train_in_its_place(context: GradingContext) -> bool:
    """Return whether the reference may train with the chosen hyperparameters, and the program need not be asked to.

    Only what was compared here decides: all that training depends on has passed, the program's own training on the digits
    over several epochs as well; each step of train() follows from an answer that it was given, at the same rates with its own
    loss(), and nothing is clipped, or put back at the end. What is printed or warned of is to be seen, so such a program
    trains itself. Both then draw from the same accuracies, and the reference's leaves room for chance.
    """
    checked = all(_has_passed(CHECKS[one].function(context)) for one in DEPENDS_ON)
    calls = [call for call, _, _ in loss_calls(context)]
    if not checked or any(gradient_failure(context, call.id, name) for call in calls for name in context.names):
        return False
    long = context.reply(QuestionId("digits"))
    if long.printed or long.warnings or not _steps_agree(context):
        return False
    accuracy = _accuracy_in_its_place(context)
    return accuracy is not None and accuracy >= context.assignment.digits.tuned_threshold + SURE


def _has_passed(finding: Finding) -> bool:
    return finding.share == 1 and not finding.carried


def _steps_agree(context: GradingContext) -> bool:
    """Return whether all steps that were watched are explained, the rates with the program's own loss() being the same."""
    runs = [read_watched_run(context, run) for run in (SAME, ROWS, LARGE)]
    same, _, large = runs
    if not same or not large or not large.steps:
        return False
    if any(not run or run.restored or not all(step.explained for step in run.steps) for run in runs):
        return False
    return all(
        abs(rate - step.rates[name]) < NEAR
        for name in context.names
        for rate, step in [*zip(whole_rates(context)[name], same.steps, strict=False), (1.0, large.steps[0])]
    )


@cached_per_submission
def _accuracy_in_its_place(context: GradingContext) -> float | None:
    """Return what the reference reaches from the network's own first parameters; None where it cannot train from there."""
    settings, oracle = _read_chosen(context), context.questions.oracle
    if isinstance(settings, Finding) or oracle is None or oracle.trained_accuracy is None:
        return None
    start = own_params(context, context.call(CHOSEN), 1, _shapes(context, settings))
    return None if start is None else oracle.trained_accuracy(settings, start, expected_factor(context))


def _shapes(context: GradingContext, settings: Mapping[str, float]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters of a network of the chosen hidden size, by name."""
    inputs, *hidden, classes = context.call(TUNED).sizes
    sizes = inputs, *(int(settings["hidden_size"]) for _ in hidden), classes
    maps = context.call(QuestionId("digits")).params[context.names[0]].shape[:-2]  # (2,) of a maxout network
    shapes: dict[str, tuple[int, ...]] = {}
    for (W, b), rows, columns in zip(context.assignment.variant.layers, sizes[:-1], sizes[1:], strict=True):
        own = maps if b != context.names[-1] else ()
        shapes |= {W: (*own, rows, columns), b: (*own, columns)}
    return shapes


def _is_wrong_elsewhere(context: GradingContext) -> bool:
    """Return whether something else than the choice may keep the network from learning."""
    return has_wrong_gradient(context) or any(one(context).share < 1 for one in (update_rule, decay, minibatch))


@cached_per_submission
def _read_chosen(context: GradingContext) -> dict[str, float] | Finding:
    """Return the hyperparameters of the program's variable, or why there are none that can be used."""
    reply = context.reply(CHOSEN)
    if not reply.results and reply.error and reply.error.during == ABOUT:
        text = f"Not judged: {reply.error.message}."
        return Finding(0.0, text, places=reply.error.places, skipped=True, about=ABOUT)
    return failure_of(reply, about=ABOUT) or _settings(context, reply.results[0])


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
