from __future__ import print_function, division
from builtins import object

import numpy as np

from cs231n import optim


class Solver(object):
    """Cut down from assignment 2 to what we need: one update rule, decay at the end of an epoch."""

    def __init__(self, model, data, **kwargs):
        self.model = model
        self.X_train, self.y_train = data["X_train"], data["y_train"]
        self.X_val, self.y_val = data["X_val"], data["y_val"]
        self.update_rule = getattr(optim, kwargs.pop("update_rule", "sgd"))
        self.optim_config = kwargs.pop("optim_config", {})
        self.lr_decay = kwargs.pop("lr_decay", 1.0)
        self.batch_size = kwargs.pop("batch_size", 100)
        self.num_iters = kwargs.pop("num_iters", 10)
        self.reg = kwargs.pop("reg", 0.0)
        self.verbose = kwargs.pop("verbose", True)
        if kwargs:
            raise ValueError("Unrecognized arguments %s" % ", ".join(kwargs))
        self._reset()

    def _reset(self):
        self.loss_history = []
        self.train_acc_history = []
        self.val_acc_history = []
        # every parameter has its own copy of the configuration
        self.optim_configs = {p: {k: v for k, v in self.optim_config.items()} for p in self.model.params}

    def _step(self):
        num_train = self.X_train.shape[0]
        batch_mask = np.random.choice(num_train, self.batch_size)
        X_batch = self.X_train[batch_mask]
        y_batch = self.y_train[batch_mask]
        loss, grads = self.model.loss(X_batch, y_batch, self.reg)
        self.loss_history.append(loss)
        for p, w in self.model.params.items():
            next_w, next_config = self.update_rule(w, grads[p], self.optim_configs[p])
            self.model.params[p] = next_w
            self.optim_configs[p] = next_config

    def check_accuracy(self, X, y, num_samples=None, batch_size=100):
        N = X.shape[0]
        if num_samples is not None and N > num_samples:
            mask = np.random.choice(N, num_samples)
            N, X, y = num_samples, X[mask], y[mask]
        num_batches = N // batch_size
        if N % batch_size != 0:
            num_batches += 1
        y_pred = []
        for i in range(num_batches):
            y_pred.append(self.model.predict(X[i * batch_size:(i + 1) * batch_size]))
        return np.mean(np.hstack(y_pred) == y)

    def train(self):
        iterations_per_epoch = max(self.X_train.shape[0] // self.batch_size, 1)
        for t in range(self.num_iters):
            self._step()
            if self.verbose and t % 10 == 0:
                print("(Iteration %d / %d) loss: %f" % (t + 1, self.num_iters, self.loss_history[-1]))
            epoch_end = (t + 1) % iterations_per_epoch == 0
            if epoch_end:
                for k in self.optim_configs:
                    self.optim_configs[k]["learning_rate"] *= self.lr_decay
            if t == 0 or epoch_end:
                self.train_acc_history.append(self.check_accuracy(self.X_train, self.y_train, num_samples=1000))
                self.val_acc_history.append(self.check_accuracy(self.X_val, self.y_val))
