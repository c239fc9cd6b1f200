"""Whether train() can be judged at all, and why not."""

from __future__ import annotations

from typing import Any

from grader.checks.evidence import Evidence, not_started, obstacle, read_loss
from grader.records import Finding


def blocked(evidence: Evidence, call: str) -> Finding | None:
    """Say why train() cannot be judged: it, or what it calls, gives nothing."""
    reply = evidence.reply(call)
    bare = read_loss(evidence, "train/0", 1)
    waits = bare.finding and next((obstacle(evidence.reply(one.id)) for one in evidence.calls("predict")), None)
    if bare.finding and waits and any(read_loss(evidence, one.id).value is not None for one in evidence.calls("loss")):
        # The question holds predict() as well, and that is what hangs or ends the process.
        text = f"Not judged: train() needs predict(). {waits.message}"
        return Finding(0.0, text, skipped=True, about="train")
    if bare.finding and (bare.finding.skipped or not reply.results):
        text = f"Not judged: train() needs loss(). {bare.finding.message}"
        return Finding(0.0, text, skipped=True, about="train")
    problem = obstacle(reply, about="train")
    if problem is None:
        return None
    error = reply.error
    if (
        error
        and error.type in {"AttributeError", "TypeError"}
        and "NoneType" in error.message
        and bare.value is not None
    ):
        # The template's own lines call loss() with the batch that is still to be written.
        text = f"Not started: train() works with a None where a batch is needed ({error.type}: {error.message})."
        return Finding(0.0, f"{text}\nLook at the minibatch: is it drawn yet?", skipped=True, about="train")
    if not_started(at(evidence.reply("train/0").results, 3)) and len(evidence.reply("train/0").results) > 3:
        text = "Not judged: train() needs predict(), which is not started.\n" + problem.message
        return Finding(0.0, text, skipped=True, about="train")
    return problem


def at(results: tuple[Any, ...], index: int) -> Any:
    """Give the result of a step, or None where there is none."""
    return results[index] if len(results) > index else None
