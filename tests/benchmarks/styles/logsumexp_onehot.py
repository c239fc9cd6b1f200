from __future__ import annotations

import numpy as np


def logsumexp(a: np.ndarray) -> np.ndarray:
    top = a.max(axis=-1, keepdims=True)
    return top + np.log(np.exp(a - top).sum(axis=-1, keepdims=True))


def one_hot(labels: np.ndarray, count: int) -> np.ndarray:
    table = np.zeros((labels.shape[0], count))
    table[np.arange(labels.shape[0]), labels] = 1.0
    return table


class TwoLayerNet:
    def __init__(self, input_size: int, hidden_size: int, output_size: int, std: float = 1e-4):
        self.params: dict[str, np.ndarray] = {
            "W1": std * np.random.randn(input_size, hidden_size),
            "b1": np.zeros(hidden_size),
            "W2": std * np.random.randn(hidden_size, output_size),
            "b2": np.zeros(output_size),
        }

    def loss(self, X, y=None, reg=0.0):
        W1, W2 = self.params["W1"], self.params["W2"]
        pre = X @ W1 + self.params["b1"]
        act = np.where(pre > 0, pre, 0.0)
        logits = act @ W2 + self.params["b2"]
        if y is None:
            return logits

        batch, classes = logits.shape
        target = one_hot(y, classes)
        log_prob = logits - logsumexp(logits)
        cross_entropy = -(target * log_prob).sum() / batch
        penalty = 0.5 * reg * (np.square(W1).sum() + np.square(W2).sum())

        d_logits = (np.exp(log_prob) - target) / batch
        d_act = d_logits @ W2.T
        d_pre = np.where(pre > 0, d_act, 0.0)
        return cross_entropy + penalty, {
            "W1": X.T @ d_pre + reg * W1,
            "b1": d_pre.sum(axis=0),
            "W2": act.T @ d_logits + reg * W2,
            "b2": d_logits.sum(axis=0),
        }

    def train(
        self,
        X,
        y,
        X_val,
        y_val,
        learning_rate=1e-3,
        learning_rate_decay=0.95,
        reg=5e-6,
        num_iters=100,
        batch_size=200,
        verbose=False,
    ):
        count = X.shape[0]
        steps_per_epoch = max(count // batch_size, 1)
        losses: list[float] = []
        train_accuracy: list[float] = []
        val_accuracy: list[float] = []
        epochs = -(-num_iters // steps_per_epoch)
        done = 0
        for epoch in range(epochs):
            rate = learning_rate * learning_rate_decay ** epoch
            for step in range(steps_per_epoch):
                if done == num_iters:
                    break
                chosen = np.random.choice(count, batch_size)
                # the rate drops after the first step of an epoch, like in the starter code
                now = rate if step == 0 else rate * learning_rate_decay
                loss, grads = self.loss(X[chosen], y[chosen], reg)
                losses.append(loss)
                for name, grad in grads.items():
                    self.params[name] -= now * grad
                if step == 0:
                    train_accuracy.append(float((self.predict(X[chosen]) == y[chosen]).mean()))
                    val_accuracy.append(float((self.predict(X_val) == y_val).mean()))
                done += 1
        return {"loss_history": losses, "train_acc_history": train_accuracy, "val_acc_history": val_accuracy}

    def predict(self, X):
        logits = self.loss(X)
        return logits.argmax(axis=-1)


best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50
)
