"""The smallest sets of named mistakes that explain what a submission shows.

The network is taken in blocks, in the order in which data flow through it: the scores; then loss and gradients; then
predict(); then train(). What is found in the scores is the base of the loss, so a mistake there is not looked for again
behind every gradient. Within a block single mistakes are tried, then pairs, then threes.

A pair whose mistakes show in different parts is put together from the singles; one whose mistakes meet in a part is
simulated. Nothing is accepted that does not show exactly what was found, in every part.
"""

from grader.checks.context import GradingContext
from grader.checks.read_losses import accepted_factors, convention
from grader.diagnosis.candidates import Mistakes, catalogue_of
from grader.diagnosis.match_block import Block, BlockMatch, match_block
from grader.diagnosis.signature import MISSING, TRAIN_PARTS, core_parts, signature_of
from grader.diagnosis.signature_tables import SearchState
from grader.model import MistakeCatalogue, MistakeKey
from grader.records import dataclass, replace

ALONE = frozenset({"predict", "train"})  # blocks that are judged whatever is wrong elsewhere
MOST_KEPT = 6  # explanations of one block that are carried on; "one of" has no use for more

# Which checks speak of a part: where they have passed, a train() that goes another way than ours is right, too.
CHECKS_OF_PART = {
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


def explain(context: GradingContext, shares: dict[str, float]) -> list[Explanation]:
    """Return the explanations that leave the fewest blocks open with the fewest mistakes; several may be as good.

    shares : of each check's points, as the submission earned them.
    """
    fitted = convention(context)
    factors = accepted_factors(context.assignment) if fitted is None else (fitted,)
    known = [Explanation(frozenset(), (), factor) for factor in factors]
    for block in _blocks(context.names):
        passed = tuple(_is_passed(part, shares) for part in block.parts)
        if not all(passed) and not _raises_in(context, block):
            known = _extend(context, block, passed, known)[:MOST_KEPT]
        if block.name == "loss":
            known = [_withdraw_scores(context, one) for one in known]
    best = min(map(_cost, known))
    return list({one.mistakes: one for one in known if _cost(one) == best}.values())


def _cost(explanation: Explanation) -> tuple[int, int]:
    return len(explanation.unexplained), len(explanation.mistakes)


def _blocks(names: tuple[str, ...]) -> tuple[Block, ...]:
    return (
        Block("purity", ("purity",), ("purity",), 0),
        Block("scores", ("scores",), ("scores",), 1000),
        Block("loss", ("loss", "gradients"), core_parts(names), 120),
        Block("predict", ("predict",), ("labels",), 300),
        Block("train", ("train",), TRAIN_PARTS, 300, harmless=True),
    )


def _withdraw_scores(context: GradingContext, explanation: Explanation) -> Explanation:
    """Take back what was said of the scores where the loss does not follow from it: it was something that looks alike."""
    catalogue = catalogue_of(context.questions)
    # A frozen catalogue does not know what follows from a mistake in the scores and another one together.
    if catalogue.frozen or "loss" not in explanation.unexplained:
        return explanation
    kept = frozenset(one for one in explanation.mistakes if catalogue.form_of(one).stage != "scores")
    if kept == explanation.mistakes:
        return explanation
    return replace(explanation, mistakes=kept, unexplained=("scores", *explanation.unexplained))


def _raises_in(context: GradingContext, block: Block) -> bool:
    """Return whether loss() gives no answer where it is asked twice: a mistake of the other blocks stops it, or none does.

    Whether the named ones do is asked where checks are compared: a program with them must fail there as well.
    """
    return block.name == "purity" and signature_of(context, "purity").shape == MISSING.shape


def _is_passed(part: str, shares: dict[str, float]) -> bool:
    checks = CHECKS_OF_PART.get(part.partition("/")[0], ())
    return bool(checks) and all(shares.get(check, 1.0) == 1.0 for check in checks)


def _extend(
    context: GradingContext, block: Block, passed: tuple[bool, ...], known: list[Explanation]
) -> list[Explanation]:
    """Carry explanations through a block: those that need the fewest further mistakes."""
    # What comes after scores that nobody can explain cannot be simulated; train() and predict() are judged by themselves.
    if block.name not in ALONE and "scores" in known[0].unexplained:
        return [replace(one, unexplained=(*one.unexplained, block.name)) for one in known]
    catalogue, matches = catalogue_of(context.questions), dict[Explanation, list[BlockMatch]]()
    for one in known:
        bases = _bases(catalogue, block, one.mistakes)
        states = (SearchState(context.assignment, context.questions, one.factor, base) for base in bases)
        matches[one] = [match_block(context, state, block, passed) for state in states]
    further = [one for one in known if any(match.nothing_wrong for match in matches[one])]
    # An unfinished method shows nothing: no mistake need be asked.
    speaking = any(match.has_signal for one in known for match in matches[one])
    for size in (1, 2, 3):
        if speaking and not further:
            sets = ((one, chosen) for one in known for chosen in _first_sets(matches[one], size))
            further = [replace(one, mistakes=one.mistakes | chosen) for one, chosen in sets]
    return further or [replace(one, unexplained=(*one.unexplained, block.name)) for one in known]


def _first_sets(matches: list[BlockMatch], size: int) -> list[Mistakes]:
    """Return the sets of the first base that has any: the bases that follow are other ways of saying the same."""
    # Pairs on top of another right way as well would be asked for three times over, and are rarely the answer.
    asked = [match for match in matches if size == 1 or not match.uses_variant]
    return next((sets for match in asked if (sets := match.sets(size))), [])


def _bases(catalogue: MistakeCatalogue, block: Block, mistakes: Mistakes) -> list[Mistakes]:
    """Return what a block may be judged on top of.

    train() is asked with stand-ins, so that no mistake elsewhere shows in it, and goes one right way or another. predict()
    may have a forward pass of its own, which is right where the one of loss() is not.
    """
    if block.name == "predict":
        return [frozenset[MistakeKey](), mistakes] if mistakes else [mistakes]
    if not block.harmless:
        return [mistakes]
    other = [i for i, one in enumerate(catalogue.forms) if one.harmless and one.steps == {"decay"}]
    return [frozenset[MistakeKey](), *(frozenset[MistakeKey]({i}) for i in other)]
