"""The smallest sets of named mistakes that explain what a submission shows.

The network is taken in blocks, in the order in which data flow through it: the scores; then loss and gradients; then
predict(); then train(). What is found in the scores is the base of the loss, so a mistake there is not looked for again
behind every gradient. Within a block single mistakes are tried, then pairs, then threes.

A pair whose mistakes show in different parts is put together from the singles; one whose mistakes meet in a part is
rehearsed. Nothing is accepted that does not show exactly what was found, in every part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.checks.context import Evidence
from grader.checks.read_losses import allowed_conventions, convention
from grader.diagnosis.candidates import Mistakes
from grader.diagnosis.match_block import Block, Inquiry, inquire
from grader.diagnosis.signature import TRAIN_PARTS, core_parts
from grader.diagnosis.signature_tables import Scene
from grader.model import LineUp, Mistake

ALONE = frozenset({"predict", "train"})  # blocks that are judged whatever is wrong elsewhere
MOST_KEPT = 6  # explanations of one block that are carried on; "one of" has no use for more

# Which checks speak of a part: where they are content, a train() that goes another way than ours is right, too.
CONTENT = {
    "moved": ("update_rule", "decay"),
    "reg": ("update_rule",),
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
    """Return the explanations that leave the fewest blocks open with the fewest mistakes; several may be as good.

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
    kept = frozenset(one for one in explanation.mistakes if line_up.suspect_of(one).stage != "scores")
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
    # What comes after scores that nobody can explain cannot be rehearsed; train() and predict() are judged by themselves.
    if block.name not in ALONE and "scores" in known[0].unexplained:
        return [replace(one, unexplained=(*one.unexplained, block.name)) for one in known]
    inquiries = {
        one: [
            inquire(
                evidence,
                Scene(evidence.assignment, evidence.probes, one.factor, base),
                line_up,
                block,
                content,
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


def _first(inquiries: list[Inquiry], size: int) -> list[Mistakes]:
    """Return the sets of the first base that has any: the bases that follow are other ways of saying the same."""
    # Pairs on top of another right way as well would be asked for three times over, and are rarely the answer.
    asked = [inquiry for inquiry in inquiries if size == 1 or not inquiry.varied]
    return next((sets for inquiry in asked if (sets := inquiry.sets(size))), [])


def _bases(line_up: LineUp, block: Block, mistakes: Mistakes) -> list[Mistakes]:
    """Return what a block may be judged on top of.

    train() is asked with stand-ins, so that no mistake elsewhere shows in it, and goes one right way or another. predict()
    may have a forward pass of its own, which is right where the one of loss() is not.
    """
    if block.name == "predict":
        return [frozenset[Mistake](), mistakes] if mistakes else [mistakes]
    if not block.harmless:
        return [mistakes]
    other = [i for i, one in enumerate(line_up.suspects) if one.harmless and one.steps == {"decay"}]
    return [frozenset[Mistake](), *(frozenset[Mistake]({i}) for i in other)]
