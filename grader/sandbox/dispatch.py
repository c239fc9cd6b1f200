"""One call in the student's process: make the network, give it its parameters, take the steps.

A call's message is {"number", "sizes", "seed", "params", "steps"}; values and arrays are described as `values` says.
"""

import functools
import random
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np
import numpy.random.bit_generator
import numpy.typing as npt

from . import protocol, values
from .bind_arguments import INTERFACE, ArgumentBinder
from .capture import ReportedError
from .method_stand_ins import Watch, in_layout
from .real_numbers import cast_number
from .recording import Recording, StoppedError
from .stand_in_replies import StandIn

Array = npt.NDArray[Any]

_seed_from_random = random.seed
_Array, _FLOAT = np.ndarray, np.dtype(np.float64)


def make_repeatable(seed: int) -> None:
    """Seed every global generator, and let those made without a seed draw theirs from it too."""
    entropy = random.Random(seed)  # noqa: S311 -- repeatable is what is wanted
    # default_rng(), PCG64(), RandomState() and SeedSequence() all take their entropy from this one name.
    numpy.random.bit_generator.randbits = entropy.getrandbits  # type: ignore[attr-defined]

    def seed_python(a: Any = None, version: int = 2) -> None:
        _seed_from_random(entropy.getrandbits(64) if a is None else a, version)

    random.seed = seed_python
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 -- students use the global generator


class Answer:
    """The answer to one call as it grows; `during` names what is being done, for whoever reads an error."""

    def __init__(
        self,
        make: type,
        call: protocol.Frame,
        variable: Callable[[str], Any],
        remembered: dict[str, Any],
        labels: frozenset[str],
        methods: Mapping[str, str],
    ) -> None:
        self._remembered = remembered  # of earlier calls to this process: what loss() last returned
        self._methods = methods  # what the assignment calls loss, train and predict
        self._labels = labels  # under which the student's text was compiled
        unpacking = values.Unpacking(call.arrays, lambda kind, _text: ReportedError("TypeError", kind))
        message = call.message
        self._make = make
        self._sizes: tuple[int, ...] = tuple(message["sizes"])
        self._seed: int = message["seed"]
        self._params: dict[str, Array] = unpacking.restore(message["params"])
        self._steps: list[tuple[str, dict[str, Any]]] = [
            (method, unpacking.restore(arguments)) for method, arguments in message["steps"]
        ]
        # Asked the same twice, it is given the same arrays: what loss() did to X shows in its own second answer, whatever
        # it has this process say of X.
        if len(self._steps) > 1 and _same_question(*self._steps[:2]):
            self._steps[1] = self._steps[0]
        self._variable = variable
        self._net: Any = None
        self._first: dict[str, Any] = {}
        # From the base class: a metaclass may raise where its classes are asked for their names.
        self._name = str(type.__dict__["__name__"].__get__(make))
        self.during = f"{self._name}(...)"
        self.packing = values.Packing()
        self.results: list[Any] = []
        self.own_shapes: dict[str, list[int]] = {}
        self._binder = ArgumentBinder(methods)
        self.positional = self._binder.positional

    def take_steps(self) -> None:
        """Take every step; an exception leaves the results of the steps before it."""
        make_repeatable(self._seed)
        for number, (method, arguments) in enumerate(self._steps):
            if number == 0:
                self._first = arguments
            result = self._take(method, arguments)
            try:
                self.results.append(self.packing.describe(result))
            except values.TooLargeError as error:
                raise ReportedError("ValueError", f"{self.during} returned {error}") from None

    def describe(self, number: int, error: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the answer to call `number` as a reply's message has it; error : see `capture.OutputCapture.error`."""
        return {
            "number": number,
            "error": error,
            "results": self.results,
            "own_shapes": self.own_shapes,
            "positional": self.positional,
        }

    def _take(self, method: str, arguments: dict[str, Any]) -> Any:
        if method == "variable":
            self.during = arguments["name"]
            return self._variable(arguments["name"])
        if method == "begin_with":
            self._begin_with(**arguments)
            return dict(self._net.params)
        if method == "train_with":
            return self._train_with(**arguments)
        if self._net is None:
            self._net = self._new_network(self._sizes)
            for name, value in self._params.items():
                self._set(name, value)
        if method == "params":
            self.during = "params"
            return dict(self._net.params)
        if method == "arguments":
            return {name: value for name, value in self._first.items() if isinstance(value, np.ndarray)}
        of_several_runs: dict[str, Callable[..., Any]] = {
            "sweep": self._sweep,
            "watch": self._watch,
            "record": self._record,
        }
        if method in of_several_runs:
            return of_several_runs[method](**arguments)
        return self._ask(method, arguments)

    # ---------------------------------------------------------------- the network and its parameters

    def _new_network(self, sizes: tuple[int, ...]) -> Any:
        self.during = f"{self._name}(...)"
        inputs, *hidden, classes = sizes
        # The constructor of a deeper network is given the sizes of its hidden layers as one list.
        net = self._make(inputs, *(hidden if len(hidden) < 2 else [hidden]), classes)
        self.during = "params"
        params = getattr(net, "params", None)
        if isinstance(params, dict | MutableMapping):
            self.own_shapes = {str(name): list(np.shape(value)) for name, value in params.items()}
        elif self._params:
            has = ", ".join(sorted(vars(net))) if hasattr(net, "__dict__") else ""
            raise ReportedError(
                "AttributeError",
                f"the network needs a dict `params` with {', '.join(self._params)}, but "
                + (f"`params` is a {type(params).__name__}" if params is not None else f"has only: {has or 'nothing'}"),
            )
        return net

    def _set(self, name: str, value: Array) -> None:
        """Set one parameter, in the student's own shape where it is the same thing in another layout."""
        self.during = "params"
        own = self._net.params.get(name)
        laid = value if type(own) is _Array and own.shape == value.shape else in_layout(value, np.shape(own))
        # In place where that can be: an optimiser that was made in __init__ holds these very arrays.
        if type(own) is _Array and own.shape == laid.shape and own.dtype == _FLOAT and own.flags.writeable:
            own[...] = laid
        else:
            self._net.params[name] = np.array(laid, dtype=np.float64)

    # ---------------------------------------------------------------- the steps

    def _ask(self, method: str, arguments: Mapping[str, Any]) -> Any:
        answer = self._prepared(method, arguments)()
        if method == "loss" and arguments.get("y") is not None:
            self._remembered["loss"] = answer
        return answer

    def _prepared(self, method: str, arguments: Mapping[str, Any]) -> Callable[[], Any]:
        """Return the call of a method with its arguments, as the method's own parameters want them."""
        function = self._find(method)
        positional, keywords = self._binder.bind(method, function, arguments)
        return functools.partial(function, *positional, **keywords)

    def _find(self, method: str) -> Callable[..., Any]:
        self.during = method
        own = self._methods.get(method, method)
        function = getattr(self._net, own, None)
        if callable(function):
            return function  # type: ignore[no-any-return]  # whatever it returns
        has = ", ".join(name for name in dir(type(self._net)) if not name.startswith("_"))
        raise ReportedError("AttributeError", f"{self._name} has no method {own}; it has: {has or 'none'}")

    def _record(self, method: str, replaced: list[str], **arguments: Any) -> dict[str, Any]:
        """Return what one method answers and what each of its lines makes: see `recording.Recording.notes`.

        An exception ends the recording and not the call: what was made before it is what there is to see.
        """
        recording, answer, error = Recording(self._labels), None, ""
        make_repeatable(self._seed)
        self._net = self._new_network(self._sizes)  # one that holds nothing of the recording before
        for name, value in self._params.items():
            self._set(name, value)
        watch = self._watch_of(arguments)
        with watch.replacing(self._net, replaced):
            try:
                call = self._prepared(method, arguments)  # whose reading of a signature is not to be traced
                with recording.recording():
                    answer = call()
            except (Exception, StoppedError, SystemExit) as raised:  # noqa: BLE001 -- told by the questions that are judged
                error = values.name_of_type(raised)
        return {**watch.notes(self._net, answer), **recording.notes(), "error": error}

    def _watch(self, method: str, replaced: list[str], times: float = 1.0, **arguments: Any) -> dict[str, Any]:
        """Return the notes on a method that runs with stand-ins in the place of others: see `stand_in_replies.StandIn.notes`."""
        self._find(method)  # before a stand-in counts among the methods that there are
        watch = self._watch_of(arguments, times)
        with watch.replacing(self._net, replaced):
            answer = self._ask(method, arguments)
            return watch.notes(self._net, answer)

    def _watch_of(self, arguments: Mapping[str, Any], times: float = 1.0) -> Watch:
        shapes = {name: value.shape for name, value in self._params.items()}
        known = [(arguments[X], arguments[y]) for X, y in (("X", "y"), ("X_val", "y_val")) if y in arguments]
        stand_in = StandIn(self._seed, shapes, self._sizes[-1], known, times)
        return Watch(stand_in, shapes, self._remembered.get("loss"), self._methods)

    def _sweep(self, X: Array, y: Array, reg: float, h: float) -> dict[str, Array]:
        """Return the loss with each parameter entry moved by +h and by -h, as {name: (2, *shape) float64}."""
        losses = {name: np.empty((2, *value.shape)) for name, value in self._params.items()}
        for name, value in self._params.items():
            moved = np.array(value, dtype=np.float64)
            for entry in np.ndindex(*value.shape):
                for side, move in enumerate((h, -h)):
                    # Everything is set anew for each loss: some change parameters or inputs in place.
                    moved[entry] = value[entry] + move
                    for other, right in self._params.items():
                        self._set(other, moved if other == name else right)
                    returned = self._ask("loss", {"X": X.copy(), "y": y.copy(), "reg": reg})
                    losses[name][(side, *entry)] = _loss_of(returned)
                moved[entry] = value[entry]
        for name, value in self._params.items():
            self._set(name, value)
        return losses

    def _begin_with(self, name: str, bounds: Mapping[str, Sequence[Any]]) -> dict[str, int | float]:
        """Make a fresh network with the hidden size in the submission's variable, and return all that the variable holds."""
        self.during = name
        chosen = _read_hyperparameters(name, self._variable(name), bounds)
        sizes = self._sizes
        if "hidden_size" in chosen:
            sizes = (sizes[0], *[int(chosen["hidden_size"])] * (len(sizes) - 2), sizes[-1])
        self._net = self._new_network(sizes)
        return chosen

    def _train_with(self, name: str, bounds: Mapping[str, Sequence[Any]], **data: Array) -> list[Any]:
        """Train a fresh network with the hyperparameters in the submission's variable."""
        chosen = self._begin_with(name, bounds)
        order = {key: chosen[key] for key in INTERFACE["train"] if key in chosen}
        trained = self._ask("train", {**data, **order})
        history = trained.get("loss_history") if isinstance(trained, dict) else None
        return [chosen, history]


# ---------------------------------------------------------------- small questions


def _same_question(one: tuple[str, dict[str, Any]], two: tuple[str, dict[str, Any]]) -> bool:
    return (
        one[0] == two[0]
        and one[1].keys() == two[1].keys()
        and all(np.array_equal(value, two[1][name]) for name, value in one[1].items())
    )


def _read_hyperparameters(name: str, found: Any, bounds: Mapping[str, Sequence[Any]]) -> dict[str, int | float]:
    """Return plain numbers within `bounds`, {name: [low, high, whole]}. What to write for others is the check's to say."""
    chosen: dict[str, int | float] = {}
    for key, (low, high, whole) in bounds.items():
        value: Any = found.get(key) if isinstance(found, dict) else None
        number = None if isinstance(value, bool | np.bool_) else cast_number(value)
        if number is None or not low <= number <= high or (whole and number != int(number)):
            kind = "whole number" if whole else "number"
            raise ReportedError("ValueError", f'{name}: "{key}" is no {kind} from {low:g} to {high:g}')
        chosen[key] = int(number) if whole else number
    return chosen


def _loss_of(returned: Any) -> float:
    loss = returned[0] if isinstance(returned, tuple | list) and returned else returned
    try:
        number = np.asarray(loss, dtype=np.float64)
    except (TypeError, ValueError):
        number = np.empty(0)
    if loss is None or number.size != 1:
        raise ReportedError("TypeError", f"loss returned {values.in_short(loss)}, expected a number")
    return float(number.reshape(()))
