"""The named mistakes of this assignment, and the wrong networks that have them.

A wrong network is the right one with one step replaced. Add a mistake by adding its entry to one of the files in
`reference/mistakes/`; `grader audit` then tells whether the rubric catches it and whether it can be told from the others.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, get_args

import reference.mistakes
from grader.model import Family, MistakeForm, Stage, Variant
from grader.records import dataclass, fields, replace
from grader.text.variant_words import with_own_names, words_of
from reference.mistakes.entry import SOURCES, Mistake
from reference.network import Network, network_of_variant
from reference.same_network import agree, returns_loss

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reference.mistakes.entry import Number

# Steps that are taken once in each layer, and how one tells which: by its last argument, a number or a Layer.
PER_LAYER = frozenset({"affine", "activate", "d_activate", "d_weights", "d_bias", "d_total"})
# Steps that the loss alone is made of: of two ways of one mistake, one may stop there and the other go on to the gradient.
OF_THE_LOSS = frozenset({"data_term", "penalty_term", "total"})
OF_TRAINING = frozenset([
    "begin", "iterations_per_epoch", "iterations", "rows_drawn", "draw_batch", "loss_arguments", "step_rate", "update",
    "is_epoch", "decay", "report_training",
])  # fmt: skip


@cache
def mistakes_of(variant: Variant) -> tuple[Mistake, ...]:
    """Return the entries of all files in `reference/mistakes/` that fit a variant, in the order in which data flow.

    A file holds entries for every variant, MISTAKES, or makes them for one: `list_mistakes(variant, network)`.
    Reports name them by stage, then by the first step that is replaced, then as they stand in the files; harmless ones last.
    """
    network, found = network_of_variant(variant), list[Mistake]()
    for module in pkgutil.iter_modules(reference.mistakes.__path__):
        if module.name != "entry":
            room = importlib.import_module(f"{reference.mistakes.__name__}.{module.name}")
            found += getattr(room, "MISTAKES", ())
            found += room.list_mistakes(variant, network) if hasattr(room, "list_mistakes") else ()
    apt = [
        replace(one, id=one.id.format(kind=variant.activation))
        for one in found
        if variant.activation in (one.activations or (variant.activation,))
        and variant.loss in (one.losses or (variant.loss,))
        and variant.depth >= one.fewest_layers
    ]
    return tuple(sorted(apt, key=_place))


def _place(entry: Mistake) -> tuple[bool, int, int]:
    order, stages = [step.name for step in fields(Network)], get_args(Stage)
    replaced = {step.partition("@")[0] for steps in _steps_of_forms(entry)[:1] for step in steps[0]}
    return entry.harmless, stages.index(entry.stage), min(order.index(step) for step in replaced)


def _steps_of_forms(entry: Mistake) -> list[tuple[Mapping[str, Callable[..., Any]], float | None]]:
    """Return the steps of each way of a mistake, and the number that they were made with."""
    if entry.number is None:
        return [(steps, None) for steps in entry.forms]
    return [(entry.number.steps(number), number) for number in entry.number.typical]


# The network of most lectures, and its mistakes.
LECTURES = Variant("relu", "softmax", "either", ("W1", "b1", "W2", "b2"))
MISTAKES: tuple[Mistake, ...] = mistakes_of(LECTURES)


@dataclass(frozen=True)
class Form:
    """One way of making one mistake: `steps` in one layer, or in all where `layer` is None.

    steps : what stands in the place of which step; a key such as "affine@0" is about one layer by itself.
    depth : how many layers the network has.
    number : of a mistake with a free number, the one that these steps have.
    """

    mistake: Mistake
    steps: Mapping[str, Callable[..., Any]]
    layer: int | None
    number: float | None = None
    depth: int = 2

    @property
    def layers(self) -> tuple[int, ...]:
        """Return the layers that the steps are in, counted from 0."""
        return tuple(range(self.depth)) if self.layer is None else (self.layer,)

    @property
    def keys(self) -> frozenset[str]:
        """Return the steps that are replaced, layer by layer: two ways that share one exclude each other."""
        found = set()
        for step in self.steps:
            name, _, layer = step.partition("@")
            chosen = (int(layer),) if layer else self.layers
            # Of two layers one alone is hidden.
            apart = name in PER_LAYER and (self.depth > 2 or "activate" not in name)
            found |= {f"{name}@{k}" for k in chosen} if apart else {name}
        return frozenset(found)

    @property
    def name(self) -> str:
        """Return what people and files call it: the mistake's id, the number of the way or its free number, and the layer."""
        forms = self.mistake.forms
        form = (
            f"_{1 + forms.index(self.steps)}" if len(forms) > 1 else "" if self.number is None else f"_{self.number:g}"
        )
        return self.mistake.id + form + ("" if self.layer is None else f"_layer{1 + self.layer}")


def list_forms(mistakes: Iterable[Mistake] = MISTAKES, depth: int = 2) -> Iterator[Form]:
    """Yield every form of every mistake; of one with a free number, one for each typical number."""
    for mistake in mistakes:
        for steps, number in _steps_of_forms(mistake):
            for layer in _layers(mistake, depth):
                yield Form(mistake, steps, layer, number, depth)


@lru_cache(maxsize=16)
def forms_of(variant: Variant) -> tuple[Form, ...]:
    """Return the forms of all mistakes of a variant; those that change nothing in it are left out, as `is_one_of` says."""
    network, forms = network_of_variant(variant), tuple(list_forms(mistakes_of(variant), variant.depth))
    # Of the lectures' own network none is, as a test proves; to ask takes longer than to draw the questions of a grading.
    plain = (variant.activation, variant.loss, variant.depth) == (
        "relu",
        "softmax",
        2,
    ) and variant.regulariser != "every"
    return forms if plain else tuple(form for form in forms if is_one_of(network, form))


def left_out(variant: Variant) -> tuple[str, ...]:
    """Return the names of the forms that are about this variant, and change nothing in it."""
    kept = {form.name for form in forms_of(variant)}
    every = list_forms(mistakes_of(variant), variant.depth)
    return tuple(form.name for form in every if form.name not in kept and not form.mistake.harmless)


def is_one_of(network: Network, form: Form) -> bool:
    """Return whether a form is a mistake of this right network, or harmless in it.

    A hinge loss is none where the loss is an SVM's; and another way to write a ReLU is a mistake where there is none. Both
    are told by what the networks answer. What a form does to train() is the same in all variants.
    """
    if {key.partition("@")[0] for key in form.steps} <= OF_TRAINING or form.mistake.stage == "purity":
        return True
    wrong = wrong_network(network, [form])
    # Where biases are regularised as well, a gradient of another shape fits no sum: nothing is returned that could be named.
    if set(form.steps) == {"d_bias"} and not returns_loss(wrong):
        return False
    return agree(wrong, network, 1e-6, stable=False) if form.mistake.harmless else not agree(wrong, network)


def _layers(mistake: Mistake, depth: int) -> tuple[int | None, ...]:
    if mistake.layers == "hidden":
        return tuple(range(depth - 1))
    return (None, *range(depth)) if mistake.layers == "each" and depth > 1 else (None,)


def families(mistakes: Iterable[Mistake], variant: Variant) -> list[tuple[Family, Callable[[float], Form]]]:
    """Return the mistakes with a free number, each with what makes a way for any number: one for each choice of layer."""
    found: list[tuple[Family, Callable[[float], Form]]] = []
    for mistake in mistakes:
        if (number := mistake.number) is not None:
            for layer in _layers(mistake, variant.depth):
                made = _maker(mistake, number, layer, variant.depth)
                words = _describe(made(number.typical[0]), variant, "{c}")
                found.append((Family(words, number.low, number.high, number.guesses), made))
    return found


def _maker(mistake: Mistake, number: Number, layer: int | None, depth: int) -> Callable[[float], Form]:
    return lambda c: Form(mistake, number.steps(c), layer, c, depth)


def wrong_network(network: Network, mistakes: Iterable[Form]) -> Network:
    """Return the network with all these mistakes in it.

    Raises ValueError where two of them replace the same step.
    """
    changed: dict[str, Any] = {}
    taken: set[str] = set()
    for form in mistakes:
        if taken & form.keys:
            raise ValueError(f"two mistakes replace {', '.join(sorted(taken & form.keys))}: choose one of them")
        taken |= form.keys
        for step, wrong in form.steps.items():
            name, _, layer = step.partition("@")
            chosen = int(layer) if layer else form.layer
            if name == "activate" and chosen is not None:  # which is not told its layer
                changed["activate_in"] = (*changed.get("activate_in", ()), (chosen, wrong))
                continue
            before = changed.get(name, getattr(network, name))
            changed[name] = wrong if chosen is None or name not in PER_LAYER else _in_layer(chosen, wrong, before)
    return replace(network, **changed)


def _in_layer(k: int, wrong: Callable[..., Any], right: Callable[..., Any]) -> Callable[..., Any]:
    def choose(*arguments: Any) -> Any:
        last = arguments[-1]
        here = last if isinstance(last, int) else last.k
        return (wrong if here == k else right)(*arguments)

    return choose


def describe_form(form: Form, variant: Variant) -> MistakeForm:
    """Return what the diagnosis needs to know of a way, in words that fit the variant."""
    return _describe(form, variant, "" if form.number is None else f"{form.number:.4g}")


def _describe(form: Form, variant: Variant, number: str) -> MistakeForm:
    wrong, layers, last, names = form.mistake, form.layers, form.depth - 1, variant.names
    weights, biases = " and ".join(names[2 * k] for k in layers), " and ".join(names[2 * k + 1] for k in layers)
    words = {**words_of(variant), "W": weights, "b": biases, "k": str(layers[0]), "c": number}
    title, hint, formula = (
        with_own_names(text, variant).format(**words) for text in (wrong.title, wrong.hint, wrong.formula)
    )
    about = wrong.about.format(W=names[2 * layers[0]], b=names[2 * layers[0] + 1], k=layers[0])
    return MistakeForm(
        id=wrong.id,
        stage=wrong.stage,
        title=title,
        hint=hint,
        formula=formula,
        source="; ".join(SOURCES[key] for key in wrong.source),
        charged=tuple(dict.fromkeys(check for told in wrong.charged for check in _checks(told, form))),
        about="hidden" if (about, last) == ("layer 0", 1) else {f"layer {last}": "scores"}.get(about, about),
        steps=form.keys,
        harmless=wrong.harmless,
        shows_in=tuple(part for part in wrong.shows_in if part != "gradient" or _reaches_gradient(form)),
    )


def _checks(told: str, form: Form) -> Iterator[str]:
    """Yield the checks that an entry's text stands for: see `reference.mistakes.entry.Mistake`."""
    depth = form.depth
    chosen = {
        "last": [depth],
        "hidden": range(1, depth),
        "highest": [depth - 1],
        "each": range(1, depth + 1),
        "": [1 + k for k in form.layers],
    }
    name, brace, which = told.partition("{")
    return (f"{name}{k}" for k in chosen[which.rstrip("}")]) if brace else iter((told,))


def _reaches_gradient(form: Form) -> bool:
    """Return whether a way goes on to the gradient, or is of a mistake none of whose ways does: that one raises."""
    every = [set(steps) <= OF_THE_LOSS for steps, _ in _steps_of_forms(form.mistake)]
    return all(every) or not set(form.steps) <= OF_THE_LOSS
