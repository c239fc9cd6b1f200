"""The smallest sets of named mistakes that explain what a submission shows.

The network is taken in blocks, in the order in which data flow through it: the scores; then loss and gradients; then
predict(); then train(). What is found in one block is the base of the next, so a mistake in the scores is not looked for
again behind every gradient. Within a block single mistakes are tried, then pairs, then threes.

A pair whose mistakes show in different parts is put together from the singles; one whose mistakes meet in a part is
rehearsed. Nothing is accepted that does not show exactly what was found, in every part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from grader.checks.evidence import Evidence, allowed_conventions, convention
from grader.diagnosis.cast import Mistakes
from grader.diagnosis.tables import Scene, tables
from grader.diagnosis.traces import MISSING, TRAIN_PARTS, Trace, core_parts, same, tells, tolerance, trace
from grader.records import Array, LineUp, Stage, Suspect

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
class Block:
    """A stretch of the network: the stages whose mistakes it searches, and the parts in which they show."""

    name: str
    stages: tuple[Stage, ...]
    parts: tuple[str, ...]
    pairs: (
        int  # that meet in a part, of which one submission may ask for rehearsals; scores take no time, training does
    )
    harmless: bool = False  # whether other right ways are taken for a base: they change what train() does


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
    # What comes after scores that nobody can explain cannot be rehearsed; train() is told by the own gradients.
    if block.name != "train" and "scores" in known[0].unexplained:
        return [replace(one, unexplained=(*one.unexplained, block.name)) for one in known]
    inquiries = {
        one: [
            _inquiry(
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
        if _compatible(line_up, base | more)
    ]


def _compatible(line_up: LineUp, mistakes: Mistakes) -> bool:
    steps = [step for index in mistakes for step in line_up.suspects[index].steps]
    return len(steps) == len(set(steps))


@dataclass(frozen=True)
class Inquiry:
    """One submission held against the suspects of one block, on top of one base."""

    scene: Scene
    line_up: LineUp
    block: Block
    content: tuple[bool, ...]  # of each part: whether the checks that speak of it are content
    own: tuple[Trace, ...]
    allowed: tuple[float, ...]

    @property
    def nothing_wrong(self) -> bool:
        """Tell whether the base alone shows what was found."""
        return all(
            same(mine, self.scene.trace(part), near)
            for mine, part, near in zip(self.own, self.block.parts, self.allowed, strict=True)
        )

    @property
    def varied(self) -> bool:
        """Tell whether the base goes another right way than ours."""
        return any(self.line_up.suspects[index].harmless for index in self.scene.base)

    @property
    def speaks(self) -> bool:
        """Tell whether a part that differs from the base holds anything to tell mistakes by."""
        compared = zip(self.own, self.block.parts, self.allowed, strict=True)
        return any(tells(mine, self.scene.trace(part), near) for mine, part, near in compared)

    @cached_property
    def suspects(self) -> tuple[int, ...]:
        """Give the positions of those who come into question."""
        taken = frozenset(step for index in self.scene.base for step in self.line_up.suspects[index].steps)
        return tuple(
            index
            for index, suspect in enumerate(self.line_up.suspects)
            if suspect.stage in self.block.stages and not suspect.harmless and not suspect.steps & taken
        )

    @cached_property
    def grid(self) -> Grid:
        """Hold the submission against each suspect in each part."""
        concerns = {
            part: [_concerns(self.line_up.suspects[index], part, content=fine) for index in self.suspects]
            for part, fine in zip(self.block.parts, self.content, strict=True)
        }
        laid = tables(self.scene, self.block.parts, self.suspects, concerns)
        compared = list(zip(laid, self.own, self.allowed, strict=True))
        return Grid(
            affects=np.array([one.affects for one in laid]).T,
            matches=np.array([one.matches(mine, near) for one, mine, near in compared]).T,
            right=np.array([same(mine, one.base, near) for one, mine, near in compared]),
            tells=np.array([tells(mine, one.base, near) for one, mine, near in compared]),
        )

    def sets(self, size: int) -> list[Mistakes]:
        """Give the sets of this many mistakes that show what was found, rehearsing those whose parts meet.

        On top of a mistake a single one is looked for, part by part: to lay out a table for each mistake that somebody
        makes took seconds, the first time.
        """
        if any(not self.line_up.suspects[index].harmless for index in self.scene.base):
            return self._singles_by_part() if size == 1 else []
        candidates = self.grid.sets(size, self.block.pairs)
        return [frozenset(self.suspects[row] for row in rows) for rows in candidates if self._shows(rows)]

    def _singles_by_part(self) -> list[Mistakes]:
        parts = zip(self.own, self.block.parts, self.allowed, self.content, strict=True)
        judged = [(*part, same(part[0], self.scene.trace(part[1]), part[2])) for part in parts]
        if not self.speaks:
            return []
        left = [frozenset({index}) for index in self.suspects]
        # Where something is wrong most suspects are out at once, and the other parts are asked of few.
        for own, part, near, fine, right in sorted(judged, key=lambda one: one[-1]):
            left = [
                chosen
                for chosen in left
                for suspect in (self.line_up.suspects[min(chosen)],)
                if (
                    same(own, self.scene.trace(part, chosen), near) if _concerns(suspect, part, content=fine) else right
                )
            ]
        return left

    def _shows(self, rows: Sequence[int]) -> bool:
        chosen = frozenset(self.suspects[row] for row in rows)
        met = self.grid.affects[list(rows)].sum(axis=0) > 1
        return _compatible(self.line_up, chosen) and all(
            same(self.own[at], self.scene.trace(self.block.parts[at], chosen), self.allowed[at])
            for at in np.flatnonzero(met)
        )


def _inquiry(
    evidence: Evidence, scene: Scene, line_up: LineUp, block: Block, content: tuple[bool, ...], *, guessing: bool
) -> Inquiry:
    """Lay out what a submission shows in a block.

    guessing : something before this block is unexplained. A batch whose step is no mean of its rows' gradients then says
        nothing of labels: the gradients may be what is wrong.
    """
    # Where the checks are content, what the submission shows counts as what the base does: it is right in its own way.
    own = [
        scene.trace(part) if fine else trace(evidence, part) for part, fine in zip(block.parts, content, strict=True)
    ]
    # Where a known mistake makes batches look odd, they look odd in another way each time: chance draws their rows.
    odd = scene.base and scene.trace("batches").shape not in {("right", 0), MISSING.shape}
    if odd or guessing:
        instead = MISSING if guessing else scene.trace("batches")
        own = [instead if one.shape == ("unexplained", 0) else one for one in own]
    return Inquiry(scene, line_up, block, content, tuple(own), tuple(tolerance(evidence, part) for part in block.parts))


# What of train() can show in a part; where the checks are content, only what acts on the part itself.
SHOWS_IN = {
    "moved": {"update", "decay", "loss_arguments", "begin", "iterations"},
    "batches": {"draw_batch", "update", "begin", "iterations"},
}
ACTS_ON = {
    "losses kept": {"report_training", "iterations"},
    "accuracies kept": {"report_training", "is_epoch", "iterations"},
    "batches": {"draw_batch"},
}


def _concerns(suspect: Suspect, part: str, *, content: bool) -> bool:
    """Tell whether a suspect can show in a part at all; if not, it need not be rehearsed there."""
    kind = part.partition("/")[0]
    if content and kind in ACTS_ON:
        return bool(suspect.steps & ACTS_ON[kind])
    if kind in SHOWS_IN:
        return bool(suspect.steps & SHOWS_IN[kind])
    if suspect.stage == "gradients":
        return kind == "gradient"
    if kind == "stability":
        return bool(suspect.steps & {"centre", "data_term", "report_loss"})
    if kind == "gradient" and suspect.stage == "loss":
        return any(step.partition("@")[0] not in {"data_term", "penalty_term", "total"} for step in suspect.steps)
    return True


@dataclass(frozen=True)
class Grid:
    """Which suspect shows in which part, and whether it shows what was found.

    affects, matches : (suspects, parts) bool. right : (parts,) bool, where nothing is wrong.
    tells : (parts,) bool, where what was found is enough to tell mistakes apart.
    """

    affects: Array
    matches: Array
    right: Array
    tells: Array

    @property
    def seen(self) -> Array:
        """Tell for each suspect, (suspects,) bool, whether it shows in a part that tells anything."""
        return np.asarray((self.affects & self.matches & self.tells).any(axis=1))

    def sets(self, size: int, most: int) -> Sequence[tuple[int, ...]]:
        """Give sets of this size; of pairs that are still to be rehearsed, at most so many."""
        return (self.singles, lambda: self.pairs(most), self.threes)[size - 1]()

    def singles(self) -> Sequence[tuple[int, ...]]:
        """Give the suspects that explain every part alone."""
        fine = np.where(self.affects, self.matches, self.right).all(axis=1)
        return [(int(row),) for row in np.flatnonzero(fine & self.seen)]

    def pairs(self, most: int) -> Sequence[tuple[int, ...]]:
        """Give the pairs that explain every part, or may: where both show, it is still to be rehearsed."""
        count = len(self.affects)
        fine = np.ones((count, count), dtype=bool)
        for part in range(len(self.right)):
            a, m = self.affects[:, part], self.matches[:, part]
            one = a[:, None] & ~a[None, :] & m[:, None]
            fine &= one | one.T | (a[:, None] & a[None, :]) | (~a[:, None] & ~a[None, :] & self.right[part])
        # One of the two must be seen, or both together where a part tells: there the pair is rehearsed.
        telling = self.affects & self.tells
        fine &= self.seen[:, None] | self.seen[None, :] | (telling @ telling.T)
        found = [(int(i), int(j)) for i, j in np.argwhere(np.triu(fine, 1))]
        # Those that are put together from what was seen come before those that are still to be rehearsed.
        return sorted(found, key=self._met)[:most]

    def threes(self) -> Sequence[tuple[int, ...]]:
        """Give three that show in different parts; what three do together in one part is beyond telling apart."""
        useful = np.flatnonzero((self.affects & self.matches & ~self.right).any(axis=1))[:24]
        found = []
        for rows in combinations((int(row) for row in useful), 3):
            affected = self.affects[list(rows)]
            fine = np.where(affected, self.matches[list(rows)], True).all(axis=0)
            if affected.sum(axis=0).max() <= 1 and (fine & (affected.any(axis=0) | self.right)).all():
                found.append(rows)
        return found

    def _met(self, rows: tuple[int, ...]) -> int:
        return int((self.affects[list(rows)].sum(axis=0) > 1).sum())
