"""Right programs whose train() is written in an unusual way: nothing that a stand-in for loss() or predict() meets costs a point."""

import pytest

START = "class TwoLayerNet:\n"
INIT = "        self.params = {}\n"
MADE = '        self.params["b2"] = np.zeros(output_size)\n'
GRADS = "        grads = {}\n"
END = "        return loss, grads\n"
CALL = "            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)\n"
KEEP = "            loss_history.append(loss)\n"
UPDATE = "            for name in self.params:\n                self.params[name] -= learning_rate * grads[name]\n"
VAL = "                val_acc_history.append(np.mean(self.predict(X_val) == y_val))\n"
BEGIN = "        for it in range(num_iters):\n"
PREDICT = "        y_pred = self.loss(X).argmax(axis=1)\n"
TRAIN_ACC = "np.mean(self.predict(X_batch) == y_batch)"
DONE = '        return {\n            "loss_history"'

SGD = """
class SGD:
    def __init__(self, params, net=None):
        self.params, self.net = params, net

    def step(self, grads, rate):
        for name, value in self.params.items():
            value -= rate * grads[name]

    def whole_step(self, X, y, reg, rate):
        loss, grads = self.net.loss(X, y, reg)
        self.step(grads, rate)
        return loss


"""
BASE = """
class Base:
    def loss(self, X, y=None, reg=0):
        return self.really(X, y, reg)

    def predict(self, X):
        return self.loss(X).argmax(axis=1)


"""
OWN_SETTING = """    def __setattr__(self, name, value):
        if name == "params" and not isinstance(value, dict):
            raise TypeError("params is a dict")
        object.__setattr__(self, name, value)

"""
SLOTS = '    __slots__ = ("params",)\n\n'

# How loss() is asked.
ASKED = {
    "twice an iteration": ((CALL, CALL + "            again, _ = self.loss(X_batch, y=y_batch, reg=reg)\n"),),
    "for its number and for its gradients in turn": (
        (CALL, CALL.replace("loss, grads", "loss, _") + CALL.replace("loss, grads", "_, grads")),
    ),
    "for its number before the step and for its number after it": (
        (UPDATE, UPDATE + "            after = self.loss(X_batch, y=y_batch, reg=reg)[0]\n"),
    ),
    "about the validation rows in each iteration": ((CALL, CALL + "            self.loss(X_val, y_val, reg)\n"),),
    "about the validation rows first": ((CALL, "            val_loss = self.loss(X_val, y_val)[0]\n" + CALL),),
    "about the whole set in each iteration": ((CALL, CALL + "            whole = self.loss(X, y, reg=reg)[0]\n"),),
    "without the regulariser for a data loss": (
        (CALL, CALL + "            data = self.loss(X_batch, y_batch, 0.0)[0]\n"),
    ),
    "by position": (("y=y_batch, reg=reg)", "y_batch, reg)"),),
    "by keyword": (("self.loss(X_batch, y=y_batch", "self.loss(y=y_batch, X=X_batch"),),
    "on the class": (("self.loss(X_batch, y=", "TwoLayerNet.loss(self, X_batch, y="),),
    "on its own type": (("self.loss(X_batch, y=", "type(self).loss(self, X_batch, y="),),
    "through a name of its own": (
        (BEGIN, "        ask = self.loss\n" + BEGIN),
        ("self.loss(X_batch, y=", "ask(X_batch, y="),
    ),
    "through super()": (
        (START, BASE + "class TwoLayerNet(Base):\n"),
        ("def loss(self, X, y=None, reg=0.0):", "def really(self, X, y=None, reg=0.0):"),
        ("self.loss(X_batch, y=", "super().loss(X_batch, y="),
    ),
    "through super(), with a loss() of its own": (
        (START, BASE + "class TwoLayerNet(Base):\n"),
        ("def loss(self, X, y=None, reg=0.0):", "def really(self, X, y=None, reg=0.0):"),
        (
            "    def train(\n",
            "    def loss(self, X, y=None, reg=0.0):\n        return super().loss(X, y, reg)\n\n    def train(\n",
        ),
    ),
    "with other names for its parameters": (
        (
            "def loss(self, X, y=None, reg=0.0):",
            "def loss(self, inputs, labels=None, lam=0.0):\n        X, y, reg = inputs, labels, lam",
        ),
        ("self.loss(X_batch, y=y_batch, reg=reg)", "self.loss(X_batch, labels=y_batch, lam=reg)"),
    ),
    "with a parameter more": (
        ("def loss(self, X, y=None, reg=0.0):", 'def loss(self, X, y=None, reg=0.0, mode="train"):'),
        ("y=y_batch, reg=reg)", 'y=y_batch, reg=reg, mode="train")'),
    ),
    "with a row of labels for each batch in a column": (
        ("    y_batch = y[indices]", "    y_batch = y[indices].reshape(-1, 1)"),
        ("self.loss(X_batch, y=y_batch,", "self.loss(X_batch, y=y_batch[:, 0],"),
        (TRAIN_ACC, "np.mean(self.predict(X_batch) == y_batch[:, 0])"),
    ),
    "on a copy of the batch in Fortran's order": (("X[indices]", "np.asfortranarray(X[indices])"),),
}
# How the gradients come to the parameters.
STEPS = {
    "in an attribute": (
        (END, "        self.grads = grads\n" + END),
        (CALL, CALL.replace("loss, grads", "loss, _") + "            grads = self.grads\n"),
    ),
    "from a helper behind loss()": (
        (
            "        W1, b1 = self.params",
            "        return self._work(X, y, reg)\n\n    def _work(self, X, y=None, reg=0.0):\n        W1, b1 = self.params",
        ),
        ("self.loss(X_batch, y=", "self._work(X_batch, y="),
    ),
    "from a helper, and the scores from another": (
        (
            "        W1, b1 = self.params",
            "        return self._work(X, y, reg)\n\n    def _work(self, X, y=None, reg=0.0):\n        W1, b1 = self.params",
        ),
        ("self.loss(X_batch, y=", "self._work(X_batch, y="),
        (PREDICT, "        y_pred = self._work(X).argmax(axis=1)\n"),
    ),
    "changed in place by the rate": (
        (
            UPDATE,
            "            for name in self.params:\n                grads[name] *= learning_rate\n                self.params[name] -= grads[name]\n",
        ),
    ),
    "changed in place by the rate and the sign": (
        (
            UPDATE,
            "            for name in self.params:\n                np.multiply(grads[name], -learning_rate, out=grads[name])\n                self.params[name] += grads[name]\n",
        ),
    ),
    "clipped by entry": (
        (UPDATE, "            grads = {name: np.clip(one, -5, 5) for name, one in grads.items()}\n" + UPDATE),
    ),
    "clipped by length": (
        (
            UPDATE,
            "            length = np.sqrt(sum((one**2).sum() for one in grads.values()))\n"
            "            for name in grads:\n                grads[name] = grads[name] * min(1.0, 5.0 / (length + 1e-12))\n"
            + UPDATE,
        ),
    ),
    "into new arrays": (
        (UPDATE, UPDATE.replace("-= learning_rate * grads[name]", "= self.params[name] - learning_rate * grads[name]")),
    ),
    "into a new dict": (
        (
            UPDATE,
            "            self.params = {name: value - learning_rate * grads[name] for name, value in self.params.items()}\n",
        ),
    ),
    "line by line": (
        (
            UPDATE,
            "".join(
                f'            self.params["{name}"] += -learning_rate * grads["{name}"]\n'
                for name in ("b2", "W2", "b1", "W1")
            ),
        ),
    ),
    "by an optimiser made in train()": (
        (START, SGD + START),
        (BEGIN, "        optimiser = SGD(self.params)\n" + BEGIN),
        (UPDATE, "            optimiser.step(grads, learning_rate)\n"),
    ),
    "by an optimiser made in __init__ that holds the arrays": (
        (START, SGD + START),
        (MADE, MADE + "        self.optimiser = SGD(dict(self.params))\n"),
        (UPDATE, "            self.optimiser.step(grads, learning_rate)\n"),
    ),
    "by an optimiser made in __init__ that holds the dict": (
        (START, SGD + START),
        (MADE, MADE + "        self.optimiser = SGD(self.params)\n"),
        (UPDATE, "            self.optimiser.step(grads, learning_rate)\n"),
    ),
    "by an optimiser that asks loss() itself": (
        (START, SGD + START),
        (CALL, "            loss = SGD(self.params, self).whole_step(X_batch, y_batch, reg, learning_rate)\n"),
        (UPDATE, ""),
    ),
    "by momentum of nothing": (
        (BEGIN, "        velocity = {name: np.zeros_like(value) for name, value in self.params.items()}\n" + BEGIN),
        (
            UPDATE,
            "            for name in self.params:\n                velocity[name] = 0.0 * velocity[name] - learning_rate * grads[name]\n                self.params[name] += velocity[name]\n",
        ),
    ),
}
# What the network is made of, and what is done with it.
MADE_OF = {
    "slots": ((START, START + SLOTS),),
    "a __setattr__ of its own": ((START, START + OWN_SETTING),),
    "slots and a __setattr__ of its own": ((START, START + SLOTS + OWN_SETTING),),
    "a __call__ for loss()": (
        (
            "    def train(\n",
            "    def __call__(self, X, y, reg):\n        return self.loss(X, y, reg)\n\n    def train(\n",
        ),
        ("self.loss(X_batch, y=y_batch, reg=reg)", "self(X_batch, y_batch, reg)"),
    ),
    "a deep copy of the best parameters": (
        (BEGIN, "        import copy\n\n        best, best_acc = copy.deepcopy(self.params), -1.0\n" + BEGIN),
        (
            VAL,
            VAL
            + "                if val_acc_history[-1] > best_acc:\n                    best, best_acc = copy.deepcopy(self.params), val_acc_history[-1]\n",
        ),
        (DONE, "        self.best = best\n" + DONE),
    ),
    "a deep copy of the network each epoch": (
        (
            VAL,
            VAL
            + "                import copy\n\n                self.kept = None\n                self.kept = copy.deepcopy(self)\n",
        ),
    ),
    "a deep copy that is asked for its accuracy": (
        (VAL, "                import copy\n\n" + VAL.replace("self.predict", "copy.deepcopy(self).predict")),
    ),
    "early stopping on the loss": (
        (
            KEEP,
            KEEP
            + "            if len(loss_history) > 3 and loss_history[-1] > 2 * loss_history[0]:\n                break\n",
        ),
    ),
    "early stopping on the validation rows": (
        (
            VAL,
            VAL
            + "                if len(val_acc_history) > 20 and val_acc_history[-1] < val_acc_history[-20] - 0.5:\n                    break\n",
        ),
    ),
    "early stopping where a loss is no number": (
        (KEEP, KEEP + "            if not np.isfinite(loss):\n                break\n"),
    ),
    "a loop that counts by itself": (
        (BEGIN, "        it = -1\n        while it + 1 < num_iters:\n            it += 1\n"),
    ),
    "a generator of batches": (
        (
            BEGIN,
            "        def batches():\n            while True:\n                yield np.random.choice(num_train, batch_size)\n\n        drawn = batches()\n"
            + BEGIN,
        ),
        ("np.random.choice(num_train, batch_size)\n            X_batch", "next(drawn)\n            X_batch"),
    ),
}
# How predict() is written, and asked.
LABELS = {
    "row by row": ((PREDICT, "        y_pred = np.array([self.loss(row[None]).argmax() for row in X])\n"),),
    "row by row, in train()": (
        (TRAIN_ACC, "np.mean([self.predict(row[None])[0] == label for row, label in zip(X_batch, y_batch)])"),
    ),
    "one row after another, each as a vector": (
        (PREDICT, "        X = np.atleast_2d(X)\n" + PREDICT),
        (
            VAL,
            "                right = [np.ravel(self.predict(row))[0] == label for row, label in zip(X_val, y_val)]\n                val_acc_history.append(np.mean(right))\n",
        ),
    ),
    "from the parameters": (
        (
            PREDICT,
            '        W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))\n        y_pred = (np.maximum(0, X.dot(W1) + b1).dot(W2) + b2).argmax(axis=1)\n',
        ),
    ),
    "of all rows of training": ((TRAIN_ACC, "np.mean(self.predict(X) == y)"),),
    "from scores in train()": ((TRAIN_ACC, "np.mean(self.loss(X_batch).argmax(axis=1) == y_batch)"),),
    "twice": ((VAL, "                self.predict(X_val)\n" + VAL),),
}
# What a program does beside the network, with modules that are not there and files that must not be written.
BESIDE = {
    "plots": (
        (START, "import matplotlib.pyplot as plt\n\n\n" + START),
        (
            DONE,
            "        fig, ((top, _), (low, _)) = plt.subplots(2, 2)\n        (line,) = top.plot(loss_history)\n        line.set_label(f'{low.get_ylim()[1] / 2:.2f}')\n        fig.savefig('loss.png')\n"
            + DONE,
        ),
    ),
    "a progress bar": (
        (START, "from tqdm import tqdm\n\n\n" + START),
        (BEGIN, "        for it in (bar := tqdm(range(num_iters))):\n"),
        (KEEP, KEEP + "            bar.set_postfix(loss=loss)\n            tqdm.write(f'{loss:.3f}')\n"),
    ),
    "a checkpoint that it goes on from": (
        (
            VAL,
            VAL
            + "                np.savez('best.npz', **self.params)\n                kept = np.load('best.npz')\n                self.params = {name: kept[name] for name in kept}\n",
        ),
    ),
    "types and decorators of modules that are not there": (
        (
            START,
            "import torch\nimport numba\n\n\n@numba.njit(numba.float64(numba.float64), cache=True)\ndef same(x: np.ndarray | torch.Tensor):\n    return x\n\n\n"
            + START,
        ),
        (KEEP, "            loss_history.append(same(loss))\n"),
    ),
    "seeds and a log": (
        (START, "import logging\n\nimport torch\nimport wandb\n\n\n" + START),
        (
            BEGIN,
            "        torch.manual_seed(3)\n        log = logging.FileHandler('train.log')\n        wandb.init(config=None)\n"
            + BEGIN,
        ),
        (
            KEEP,
            KEEP
            + "            log.emit(logging.makeLogRecord({'msg': loss}))\n            wandb.log({'loss': loss})\n            display(loss)\n",
        ),
    ),
}
STYLES = {
    f"{what}: {name}": edits
    for what, table in (
        ("loss asked", ASKED),
        ("gradients", STEPS),
        ("made of", MADE_OF),
        ("labels", LABELS),
        ("beside it", BESIDE),
    )
    for name, edits in table.items()
}


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if at % 10 else []) for at, name in enumerate(STYLES)]
)
def test_a_right_program_in_another_style_keeps_every_point(name, edited, judgement_of):
    """Whatever way leads to the same steps and the same answers is right, and nothing is said against it."""
    judgement = judgement_of(edited(*STYLES[name]))
    lost = {one.id: one.message for one in judgement.verdicts if one.points < one.max_points}
    assert lost == {}
    assert judgement.diagnoses == ()
    assert {one.status for one in judgement.verdicts} == {"passed"}
