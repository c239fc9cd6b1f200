"""What is known of a failing check beyond that it fails: for the mistakes that have no name.

At most three facts, the most telling first; each holds in every wrong case, or it is not said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from grader.checks.evidence import Evidence
from grader.checks.formulas import listed
from grader.checks.likeness import ENOUGH, Axis, Beside, of_another_shape, told
from grader.checks.losses import loss_tolerance
from grader.compare import as_array, is_single
from grader.records import Array, Call, Finding, Floats

MOST = 3
LARGE = 100_000  # entries: no array that is the right one in another way has more, and one of 16 MiB would become 128
EXAMPLES, CLASSES = Axis("row", "example", "examples"), Axis("column", "class", "classes")


def with_clues(finding: Finding, facts: Callable[[], Iterable[str]]) -> Finding:
    """Add what is known to a finding that costs points; `facts` is asked only there."""
    if finding.share == 1 or finding.skipped:
        return finding
    kept = [fact for fact in dict.fromkeys(facts()) if fact][:MOST]
    return finding if not kept else replace(finding, message=f"{finding.message}\nKnown: {' '.join(kept)}")


def counts_of(call: Call) -> dict[str, int]:
    """Give N, D, H and C of a call."""
    inputs, hidden, classes = call.sizes
    return {"N": len(call.steps[0].arguments["X"]), "D": inputs, "H": hidden, "C": classes}


def only_some(calls: Sequence[Call], wrong: Sequence[Call]) -> str:
    """Say on which sizes a thing is right, or wrong, where all calls of the same sizes agree."""
    cases, bad = ({call.sizes: call for call in some} for some in (calls, wrong))
    mixed = any(call.sizes in bad and call not in wrong for call in calls)
    fine = [call for sizes, call in cases.items() if sizes not in bad]
    if mixed or not fine or not bad or len(cases) < 3:
        return ""
    few, word = (fine, "right") if len(fine) <= len(bad) else (list(bad.values()), "wrong")
    shown = "; ".join(", ".join(f"{name} = {n}" for name, n in counts_of(call).items()) for call in few)
    return f"Of {len(cases)} sets of sizes it is {word} on {shown} only."


# ---------------------------------------------------------------- scores


def of_scores(evidence: Evidence, wrong: Sequence[Call]) -> list[str]:
    """Say what the scores of the calls that are wrong have in common."""
    tolerances = evidence.assignment.tolerances
    found = [(call, as_array(evidence.reply(call.id).results[0])) for call in wrong if evidence.reply(call.id).results]
    answers = [
        (call, np.asarray(own, dtype=np.float64)) for call, own in found if own is not None and own.size <= LARGE
    ]
    rights = {call.id: evidence.expected(call.id)["scores"] for call in wrong}
    some = only_some(evidence.calls("scores"), wrong)
    rounds = single(evidence) or any(is_single(own) for _, own in answers)
    near = tolerances.single if rounds else tolerances.scores
    if not answers or len(answers) < len(wrong):
        return [some]
    if all(own.shape != rights[call.id].shape for call, own in answers):
        told_of = {
            of_another_shape(own, rights[call.id], near) or _layer(evidence, call, own, near) for call, own in answers
        }
        return [*told_of, some] if len(told_of) == 1 else [some]
    pairs = [
        Beside(own, rights[call.id], counts_of(call), near, by_sign("where the right score", rights[call.id]))
        for call, own in answers
        if own.shape == rights[call.id].shape
    ]
    return [*told(pairs, (EXAMPLES, CLASSES)), some] if len(pairs) == len(wrong) else [some]


def _layer(evidence: Evidence, call: Call, own: Floats, near: float) -> str:
    """Tell whether an answer is what the first layer gives."""
    X, weights, bias = call.steps[0].arguments["X"], *(call.params[name] for name in evidence.names[:2])
    before = X @ weights + bias
    for words, guess in (("with", np.maximum(before, 0)), ("without", before)):
        if own.shape == guess.shape and Beside(own, guess, {}, near).fits(guess):
            return f"It is the output of the first layer, {words} the ReLU."
    return ""


def by_sign(words: str, right: Floats) -> dict[str, Array]:
    """Mark the negative and the positive entries, under words that begin so."""
    return {f"{words} is negative": right < 0, f"{words} is positive": right > 0}


def single(evidence: Evidence) -> bool:
    """Tell whether the losses are rounded, so that fewer digits can be held against one another."""
    return loss_tolerance(evidence) == evidence.assignment.tolerances.single


# ---------------------------------------------------------------- labels and steps


def of_labels(evidence: Evidence) -> list[str]:
    """Say what wrong labels have in common with the right ones, over all rows that predict() was asked for."""
    owns, rights, scores = [], [], []
    for call in (*evidence.calls("predict"), *evidence.calls("labels")):
        results, right = evidence.reply(call.id).results, evidence.expected(call.id)["labels"]
        own = as_array(results[0]) if results else None
        if own is None or own.size != right.size or evidence.probes.oracle is None:
            return []
        owns.append(own.reshape(-1).astype(np.float64))
        rights.append(right)
        scores.append(evidence.probes.oracle.scores(call.params, call.steps[0].arguments["X"]))
    if sum(map(len, rights)) < ENOUGH:
        return []
    made: dict[str, Callable[[Array, Floats], Array]] = {
        "the class with the lowest score": lambda _, score: score.argmin(axis=1),
        "the class with the second highest score": lambda _, score: score.argsort(axis=1)[:, -2],
        "the right label plus 1": lambda right, _: right + 1,
        "the right label minus 1": lambda right, _: right - 1,
        "the right label plus 1, the last class becoming 0": lambda right, score: (right + 1) % score.shape[1],
        "counted from the last class: C - 1 minus the right label": lambda right, score: score.shape[1] - 1 - right,
        "the class whose score is largest in size, whatever its sign": lambda _, score: np.abs(score).argmax(axis=1),
        "those of the rows in reverse order": lambda right, _: right[::-1],
        "the right labels, sorted": lambda right, _: np.sort(right),
        "the number of the row": lambda right, _: np.arange(len(right)),
    }
    for words, guess in made.items():
        if all(np.array_equal(own, guess(*both)) for own, *both in zip(owns, rights, scores, strict=True)):
            return [
                f"Each label is {words}."
                if words.startswith("the ") and "labels" not in words
                else f"The labels are {words}."
            ]
    every, true = np.concatenate(owns), np.concatenate(rights)
    if len(set(every.tolist())) == 1:
        return [f"Every label is {every[0]:g}, whatever the row."]
    wrong = every != true
    if not wrong.any():
        return []
    labels = sorted(set(true[wrong].tolist()))
    facts = []
    if np.array_equal(np.isin(true, labels), wrong) and 0 < wrong.sum() < len(true):
        facts.append(f"Wrong are exactly the rows whose right label is {' or '.join(map(str, labels))}.")
    never = sorted(set(true.tolist()) - set(every.tolist()))
    if never:
        facts.append(f"Never answered: class {listed(never)}.")
    facts.append(f"{int((~wrong).sum())} of {len(true)} labels are right over all that was asked.")
    return facts


def of_steps(right: Sequence[str], first_wrong: Mapping[str, int | None]) -> list[str]:
    """Say which parameters train() moves rightly, and in which iteration it first goes wrong.

    right : names. first_wrong : name -> iteration, counted from 1, of those that are wrong; None where it is unknown.
    """
    facts = [f"{listed(right)} {'is' if len(right) == 1 else 'are'} moved rightly in all iterations."] if right else []
    when = set(first_wrong.values())
    first = when.pop() if len(when) == 1 else None
    if first:
        facts.append(f"The {('first', 'second', 'third', 'fourth')[first - 1]} iteration is the first that goes wrong.")
    return facts
