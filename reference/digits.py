"""The real digits: split and permuted by a seed, with the start and the settings of the training on them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from grader.model import Array, Assignment, Floats, Params, derive_number
from grader.records import dataclass
from reference.network import Network

DIGITS_SPLIT = (1100, 297, 400)  # training, validation, held out: all 1,797


def stream(seed: int, name: str) -> np.random.Generator:
    """Return each part its own stream, so that a case added or changed leaves the others as they were.

    What is drawn goes to the student's process, and tells the stream's own number at most.
    """
    return np.random.default_rng(derive_number(seed, name, 16))


def hash_seed(seed: int, purpose: str) -> int:
    """Return the seed, 32 bits, of one question's random numbers: from it nobody finds the seed of the grading."""
    return derive_number(seed, purpose, 4)


@dataclass(frozen=True)
class Digits:
    """The real digits, split: training (X, y), validation, and what is held out from the student."""

    data: Mapping[str, Array]  # X, y, X_val, y_val: X rows in [-0.5, 0.5] less the training mean
    X_test: Floats
    y_test: Array


def digits(folder: Path, seed: int) -> Digits:
    """Split the digits by the seed, and permute their pixels.

    A network does not see in which order pixels come, but a table of memorised images would.
    Raises ValueError, with what to do, where the data are not beside the assignment.
    """
    path = folder / "data" / "digits.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            images, labels = stored["images"], stored["labels"].astype(np.int64)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"{path}: the digits cannot be read ({type(error).__name__}). An assignment's folder holds data/digits.npz"
            " beside its assignment.toml: copy the bundled one."
        ) from error
    rng = stream(seed, "digits")
    order, pixels = rng.permutation(len(labels)), rng.permutation(images.shape[1])
    X, y = images[order][:, pixels] / 16.0, labels[order]
    first, second = DIGITS_SPLIT[0], DIGITS_SPLIT[0] + DIGITS_SPLIT[1]
    X = X - X[:first].mean(axis=0)
    data = {"X": X[:first], "y": y[:first], "X_val": X[first:second], "y_val": y[first:second]}
    return Digits(data, X[second:], y[second:])


def digits_sizes(hidden_size: int, depth: int) -> tuple[int, ...]:
    """Return the sizes of a network for the digits: 64 pixels, hidden layers that are all of one size, 10 classes."""
    return 64, *[hidden_size] * (depth - 1), 10


def digits_start(assignment: Assignment, network: Network, seed: int) -> Params:
    """Draw the parameters from which training on the digits starts."""
    rng = np.random.RandomState(hash_seed(seed, "digits start"))
    return network.initialise(
        digits_sizes(assignment.digits.hidden_size, network.depth), assignment.digits.initial_std, rng
    )


def digits_settings(assignment: Assignment) -> dict[str, float]:
    """Return the arguments of train() for the digits."""
    names = ("learning_rate", "learning_rate_decay", "reg", "num_iters", "batch_size")
    return {name: getattr(assignment.digits, name) for name in names}
