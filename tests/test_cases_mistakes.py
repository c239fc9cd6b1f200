"""Mistakes that real programs were found to have, three of each kind: named, and charged once, where they are made."""

from dataclasses import dataclass

import pytest

INDICES = "            indices = np.random.choice(num_train, batch_size)\n"
DECAY = "                learning_rate *= learning_rate_decay\n"
BATCH = "            X_batch = X[indices]\n            y_batch = y[indices]\n"
HIDDEN = "hidden = np.maximum(0, X.dot(W1) + b1)"
DSCORES = "        dscores = probabilities.copy()\n        dscores[np.arange(N), y] -= 1\n        dscores /= N\n"
SHARES = "        probabilities = exp_scores / sums\n"
DATA = "np.mean(np.log(sums[:, 0]) - shifted[np.arange(N), y])"
MASK = "        dhidden[hidden <= 0] = 0\n"
STEP = "self.params[name] -= learning_rate * grads[name]"


def hot(width):
    """Write the backward pass of the softmax with one-hot rows of a width."""
    return f"        hot = np.zeros((N, {width}))\n        hot[np.arange(N), y] = 1\n        dscores = (probabilities - hot) / N\n"


@dataclass(frozen=True)
class Kind:
    """One kind of mistake: programs that have it, what it may cost, and by what name it is called ("" : it need have none)."""

    programs: tuple
    least: float
    name: str = ""
    most: float = 99


def epsilon(number):
    """Add a number to the denominator of the softmax, and take the loss from the probabilities."""
    return (
        (SHARES, f"        probabilities = exp_scores / (sums + {number})\n"),
        (DATA, "-np.mean(np.log(probabilities[np.arange(N), y]))"),
    )


KINDS = {
    "a mask of another variable": Kind(
        (
            ((MASK, "        mask = reg * np.sum(W1 * W1)\n        dhidden[mask <= 0] = 0\n"),),
            ((MASK, "        dhidden[N <= 0] = 0\n"),),
            ((MASK, "        dhidden = dhidden * (data_loss > 0)\n"),),
        ),
        88,
    ),
    "a one-hot as wide as the labels seen": Kind(
        (
            ((DSCORES, hot("len(set(y))")),),
            ((DSCORES, hot("np.unique(y).size")),),
            ((DSCORES, hot("len(np.bincount(y))")),),
        ),
        88,
        "one_hot_of_the_labels_seen",
    ),
    "a batch of another argument's size": Kind(
        (
            ((INDICES, INDICES.replace("batch_size", "num_iters")),),
            ((INDICES, INDICES.replace("num_train, batch_size", "num_train, num_iters // 1")),),
            ((INDICES, "            indices = np.random.randint(0, num_train, size=num_iters)\n"),),
        ),
        94,
        "batch_size_of_another_number",
        94,
    ),
    "a list for an index": Kind(
        (
            ((DATA, "-np.sum(np.log(probabilities[[np.arange(N), y]])) / N"),),
            ((DATA, "-np.mean(np.log(probabilities[[range(N), y]]))"),),
            ((DATA, "-np.log(probabilities[[list(range(N)), list(y)]]).sum() / N"),),
        ),
        92,
        "list_for_an_index",
        92,
    ),
    "max for maximum": Kind(
        (
            ((HIDDEN, "hidden = np.max(X.dot(W1) + b1, 0)"),),
            ((HIDDEN, "hidden = (X.dot(W1) + b1).max(0)"),),
            ((HIDDEN, "hidden = np.amax(X.dot(W1) + b1, axis=0)"),),
        ),
        40,
    ),
    "an epsilon in the denominator": Kind(
        (epsilon("1e-3"), epsilon("0.01"), epsilon("2e-4")), 85, "epsilon_in_the_denominator"
    ),
    "a rate that never decays": Kind(
        (
            ((DECAY, ""),),
            ((DECAY, "                if verbose:\n    " + DECAY),),
            ((DECAY, "                decayed = learning_rate * learning_rate_decay\n"),),
        ),
        96,
        "decay_forgotten",
        96,
    ),
}
PROGRAMS = [(kind, at) for kind, one in KINDS.items() for at in range(len(one.programs))]


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    ("kind", "at"),
    [pytest.param(kind, at, marks=[pytest.mark.slow] if at else []) for kind, at in PROGRAMS],
)
def test_a_mistake_of_its_kind_is_named_and_charged_once(kind, at, edited, judgement_of):
    """Whatever way it is written in: one diagnosis, by its name, and no more points than it is worth."""
    judgement, one = judgement_of(edited(*KINDS[kind].programs[at])), KINDS[kind]
    assert one.least <= sum(verdict.points for verdict in judgement.verdicts) <= one.most
    (diagnosis,) = judgement.diagnoses
    assert diagnosis.id == (one.name or diagnosis.id)
    assert diagnosis.places or diagnosis.id == "decay_forgotten"  # what is not there has no line
    paid = {verdict.id for verdict in judgement.verdicts if verdict.points < verdict.max_points}
    assert paid <= set(diagnosis.checks) | {
        "purity"
    }  # where loss() raises, nothing shows that it keeps what it is given


@pytest.mark.parametrize("number", ["1e-3", *(pytest.param(one, marks=pytest.mark.slow) for one in ("0.01", "2e-4"))])
def test_the_epsilon_is_found(number, edited, judgement_of):
    """The number that is told is the number that was typed."""
    (diagnosis,) = judgement_of(edited(*epsilon(number))).diagnoses
    assert f"{float(number):.4g}" in diagnosis.title
