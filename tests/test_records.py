"""Our records are what the standard library's frozen dataclasses would be, but for the time that making them takes."""

import copy
import dataclasses
import pickle

import pytest

from grader import records


def make(dataclass):
    """Return a class with every kind of field that ours have, and one that derives from it."""

    @dataclass(frozen=True)
    class Base:
        first: int
        listed: list = dataclasses.field(default_factory=list)
        text: str = "a"

    @dataclass(frozen=True, kw_only=True)
    class Derived(Base):
        last: float = 0.5

        def __post_init__(self):
            object.__setattr__(self, "twice", 2 * self.last)

    return Base, Derived


def outcome(action):
    """Return what an action gives, or the error that it raises."""
    try:
        return repr(action())
    except (TypeError, AttributeError) as error:
        return type(error), str(error).replace("assign to", "change").replace("delete", "change")


ACTIONS = {
    "positional": lambda Base, Derived: Base(1, [2], "b"),
    "defaults": lambda Base, Derived: Base(first=1),
    "derived": lambda Base, Derived: (Derived(1, last=2.0), Derived(1, last=2.0).twice),
    "a list of its own": lambda Base, Derived: Base(1).listed is Base(1).listed,
    "missing": lambda Base, Derived: Base(),
    "unknown": lambda Base, Derived: Base(1, other=2),
    "too many": lambda Base, Derived: Base(1, [], "a", 4),
    "keyword only": lambda Base, Derived: Derived(1, [], "a", 2.0),
    "equal": lambda Base, Derived: (Base(1) == Base(1), Base(1) == Base(2), Base(1) == Derived(1), Base(1) == 1),
    "hash": lambda Base, Derived: hash(Base(1, (), "b")) == hash(Base(1, (), "b")),
    "no hash": lambda Base, Derived: hash(Base(1)),
    "set": lambda Base, Derived: setattr(Base(1), "first", 2),
    "delete": lambda Base, Derived: delattr(Base(1), "first"),
    "replace": lambda Base, Derived: dataclasses.replace(Derived(1), last=3.0),
    "as a dict": lambda Base, Derived: dataclasses.asdict(Derived(1)),
    "copy": lambda Base, Derived: copy.deepcopy(Base(1, [2])),
    "matched": lambda Base, Derived: Derived.__match_args__,
}


@pytest.mark.parametrize("name", ACTIONS)
def test_a_record_does_what_a_frozen_dataclass_does(name):
    """The same values, texts and errors."""
    ours, theirs = (
        outcome(lambda made=made: ACTIONS[name](*make(made))) for made in (records.dataclass, dataclasses.dataclass)
    )
    assert ours == theirs


def test_records_travel():
    """Workers are sent records, and send some back."""
    from grader.model import Place

    place = Place("cell 1", 2, "W1 = 0")
    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301 -- our own
