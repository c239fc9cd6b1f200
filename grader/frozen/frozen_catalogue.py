"""What programs with known mistakes answer to frozen questions: looked up, where the reference would work it out."""

from collections.abc import Mapping
from functools import cache

from grader.model import MistakeCatalogue, MistakeForm, MistakeKey, NotFrozenError, QuestionId, Reply
from grader.packing import Apart


def restore_catalogue(kept: Apart) -> MistakeCatalogue:
    """Return the catalogue that was frozen; kept : as `grader.frozen.freeze.describe_mistakes` made it.

    Of several mistakes it knows what they answer where all but one leave the answer right; where they meet it raises
    NotFrozenError. Mistakes with a free number are there with their typical numbers.
    """
    found = kept.restore(0)
    forms = tuple(MistakeForm(**{**form, "steps": frozenset(form["steps"])}) for form in found["forms"])
    factors: Mapping[float, int] = {factor: place for place, factor in enumerate(found["factors"])}
    calls = {QuestionId.parse(call): place for place, call in enumerate(found["calls"])}
    table = found["table"]
    if table.shape != (len(factors), 1 + len(forms), len(calls)):
        raise ValueError("a table of other sizes")

    def simulate(mistakes: frozenset[MistakeKey], factor: float, call: QuestionId, draw: int = 0) -> Reply:
        del draw  # other chance is not frozen: a training went as it went
        shown = table[factors[factor], :, calls[call]]
        differing = {int(shown[1 + one]) for one in mistakes if isinstance(one, int)} - {int(shown[0])}
        if len(differing) > 1:
            raise NotFrozenError
        return reply_of(differing.pop() if differing else int(shown[0]))

    @cache
    def reply_of(number: int) -> Reply:
        reply: Reply = kept.restore(1 + number)
        return reply

    return MistakeCatalogue(forms, simulate, frozen=True)
