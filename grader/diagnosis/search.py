"""The smallest sets of named mistakes that explain what a submission shows.

The network is taken in blocks, in the order in which data flow through it: the scores; then loss and gradients; then
predict(); then train(). What is found in one block is the base of the next, so a mistake in the scores is not looked for
again behind every gradient. Within a block single mistakes are tried, then pairs, then threes.

A pair whose mistakes show in different parts is put together from the singles; one whose mistakes meet in a part is
rehearsed. Nothing is accepted that does not show exactly what was found, in every part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.checks.candour import LOSS, gradient_there
from grader.checks.evidence import Evidence
from grader.checks.losses import allowed_conventions, convention
from grader.diagnosis.cast import Mistakes
from grader.diagnosis.inquiry import Block, Inquiry, compatible, inquire
from grader.diagnosis.tables import Scene
from grader.diagnosis.traces import TRAIN_PARTS, core_parts
from grader.records import LineUp

MOST_KEPT = 6  # explanations of one block that are carried on; "one of" has no use for more

# Which checks speak of a part: where they are content, a train() that goes another way than ours is right, too.
CONTENT = {
    "moved": ("update_rule", "decay"),
    "losses kept": ("histories",),
    "accuracies kept": ("histories",),
    "batches": ("minibatch",),
    "labels": ("predict",),
    "purity": ("purity",),
}


@dataclass(frozen=True)
class Explanation:
    """One set of mistakes, with what it leaves unexplained.

    factor : the regulariser's factor that goes with it.
    """

    mistakes: Mistakes
    unexplained: tuple[str, ...]  # names of blocks
    factor: float


def explain(evidence: Evidence, shares: dict[str, float]) -> list[Explanation]:
    """Give the explanations that leave the fewest blocks open with the fewest mistakes; several may be as good.

    shares : of each check's points, as the submission earned them.
    """
    fitted = convention(evidence)
    factors = allowed_conventions(evidence) if fitted is None else (fitted,)
    known = [Explanation(frozenset(), (), factor) for factor in factors]
    for block in _blocks(evidence.names):
        content = tuple(_content(part, shares) for part in block.parts)
        if not all(content):
            known = _through(evidence, block, content, known)[:MOST_KEPT]
        if block.name == "loss":
            known = [_doubted(evidence, one) for one in known]
    best = min(map(_cost, known))
    return list({one.mistakes: one for one in known if _cost(one) == best}.values())


def _cost(explanation: Explanation) -> tuple[int, int]:
    return len(explanation.unexplained), len(explanation.mistakes)


def _blocks(names: tuple[str, ...]) -> tuple[Block, ...]:
    return (
        Block("purity", ("purity",), ("purity",), 0),
        Block("scores", ("scores",), ("scores",), 600),
        Block("loss", ("loss", "gradients"), core_parts(names), 120),
        Block("predict", ("predict",), ("labels",), 300),
        Block("train", ("train",), TRAIN_PARTS, 300, harmless=True),
    )


def _doubted(evidence: Evidence, explanation: Explanation) -> Explanation:
    """Take back what was said of the scores where the loss does not follow from it: it was something that looks alike."""
    line_up = evidence.probes.line_up
    if line_up is None or "loss" not in explanation.unexplained:
        return explanation
    kept = frozenset(i for i in explanation.mistakes if line_up.suspects[i].stage != "scores")
    if kept == explanation.mistakes:
        return explanation
    return replace(explanation, mistakes=kept, unexplained=("scores", *explanation.unexplained))


def _content(part: str, shares: dict[str, float]) -> bool:
    checks = CONTENT.get(part.partition("/")[0], ())
    return bool(checks) and all(shares.get(check, 1.0) == 1.0 for check in checks)


def _through(
    evidence: Evidence, block: Block, content: tuple[bool, ...], known: list[Explanation]
) -> list[Explanation]:
    """Carry explanations through a block: those that need the fewest further mistakes."""
    line_up = evidence.probes.line_up
    if line_up is None:
        return known
    # What comes after scores that nobody can explain cannot be rehearsed; train() is told by the own gradients, and without
    # any it says nothing: an untouched notebook took 6 s of rehearsals, to no avail.
    dumb = not _has_gradients(evidence) if block.name == "train" else "scores" in known[0].unexplained
    if dumb:
        return [replace(one, unexplained=(*one.unexplained, block.name)) for one in known]
    inquiries = {
        one: [
            inquire(
                evidence,
                Scene(evidence.assignment, evidence.probes, one.factor, base),
                line_up,
                block,
                content,
                guessing=bool(one.unexplained),
            )
            for base in _bases(line_up, block, one.mistakes)
        ]
        for one in known
    }
    further = [one for one in known if any(inquiry.nothing_wrong for inquiry in inquiries[one])]
    # An unfinished method shows nothing: no suspect need be asked.
    speaking = any(inquiry.speaks for one in known for inquiry in inquiries[one])
    for size in (1, 2, 3):
        if speaking and not further:
            further = [
                replace(one, mistakes=one.mistakes | chosen) for one in known for chosen in _first(inquiries[one], size)
            ]
    return further or [replace(one, unexplained=(*one.unexplained, block.name)) for one in known]


def _has_gradients(evidence: Evidence) -> bool:
    return any(gradient_there(evidence, 0, LOSS, name) is not None for name in evidence.names)


def _first(inquiries: list[Inquiry], size: int) -> list[Mistakes]:
    """Give the sets of the first base that has any: the bases that follow are other ways of saying the same."""
    # Pairs on top of another right way as well would be asked for three times over, and are rarely the answer.
    asked = [inquiry for inquiry in inquiries if size == 1 or not inquiry.varied]
    return next((sets for inquiry in asked if (sets := inquiry.sets(size))), [])


def _bases(line_up: LineUp, block: Block, mistakes: Mistakes) -> list[Mistakes]:
    """Give what a block may be judged on top of: the right network where that is fair, then what is known.

    predict() may be right for the right network, and train() is told in units of the own gradient: what is laid out once
    for the right network serves most submissions.
    """
    own_business = block.name in {"predict", "train"}
    bases = [frozenset[int](), mistakes] if own_business and mistakes else [mistakes]
    if not block.harmless:
        return bases
    other = [i for i, suspect in enumerate(line_up.suspects) if suspect.harmless and suspect.stage in block.stages]
    return [
        base | more
        for base in bases
        for more in (frozenset[int](), *(frozenset({i}) for i in other if line_up.suspects[i].steps == {"decay"}))
        if compatible(line_up, base | more)
    ]
