from abc import ABC, abstractmethod

import numpy as np


class Classifier(ABC):
    """What linear classifiers and networks share: SGD and predict. Subclasses give init_params and loss."""

    def __init__(self, *sizes, std=1e-4):
        self.std = std
        self.params = self.init_params(*sizes)

    @abstractmethod
    def init_params(self, *sizes):
        ...

    @abstractmethod
    def loss(self, X, y=None, reg=0.0):
        ...

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        self._history = {"loss_history": [], "train_acc_history": [], "val_acc_history": []}
        iterations_per_epoch = max(X.shape[0] // batch_size, 1)
        for it in range(num_iters):
            X_batch, y_batch = self.sample(X, y, batch_size)
            loss, grads = self.loss(X_batch, y_batch, reg)
            self.step(grads, learning_rate)
            if verbose and it % 100 == 0:
                self.report(it, num_iters, loss)
            if it % iterations_per_epoch == 0:
                self._history["loss_history"].append(loss)
                self.evaluate("train_acc_history", X_batch, y_batch)
                self.evaluate("val_acc_history", X_val, y_val)
                learning_rate *= learning_rate_decay
        return self._history

    @staticmethod
    def sample(X, y, size):
        rows = np.random.randint(len(X), size=size)
        return X[rows], y[rows]

    def step(self, grads, learning_rate):
        for name in grads:
            self.params[name] -= learning_rate * grads[name]

    @staticmethod
    def report(it, num_iters, loss):
        print(f"[{it}/{num_iters}] {loss:.5f}")

    def evaluate(self, which, X, y):
        self._history[which].append(np.count_nonzero(self.predict(X) == y) / y.shape[0])

    def predict(self, X):
        return np.argmax(self.loss(X), axis=1)


class SoftmaxMixin:
    @staticmethod
    def softmax_loss(scores, y):
        """cs231n A2's softmax_loss: loss and gradient on the scores."""
        shifted_logits = scores - np.max(scores, axis=1, keepdims=True)
        Z = np.sum(np.exp(shifted_logits), axis=1, keepdims=True)
        log_probs = shifted_logits - np.log(Z)
        probs = np.exp(log_probs)
        N = scores.shape[0]
        loss = -np.sum(log_probs[np.arange(N), y]) / N
        dx = probs.copy()
        dx[np.arange(N), y] -= 1
        dx /= N
        return loss, dx


class TwoLayerNet(SoftmaxMixin, Classifier):
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        super().__init__(input_size, hidden_size, output_size, std=std)

    def init_params(self, input_size, hidden_size, output_size):
        return {
            "W1": self.std * np.random.randn(input_size, hidden_size),
            "b1": np.zeros(hidden_size),
            "W2": self.std * np.random.randn(hidden_size, output_size),
            "b2": np.zeros(output_size),
        }

    @property
    def W1(self):
        return self.params["W1"]

    @property
    def W2(self):
        return self.params["W2"]

    def hidden(self, X):
        return np.fmax(0.0, X @ self.W1 + self.params["b1"])

    def loss(self, X, y=None, reg=0.0):
        hidden = self.hidden(X)
        scores = hidden @ self.W2 + self.params["b2"]
        if y is None:
            return scores
        loss, dscores = self.softmax_loss(scores, y)
        loss += reg * (np.sum(self.W1 ** 2) + np.sum(self.W2 ** 2))
        dhidden = (dscores @ self.W2.T) * (hidden > 0)
        return loss, {
            "W1": X.T @ dhidden + 2 * reg * self.W1,
            "b1": dhidden.sum(axis=0),
            "W2": hidden.T @ dscores + 2 * reg * self.W2,
            "b2": dscores.sum(axis=0),
        }


best_hyperparameters = dict(
    hidden_size=32, learning_rate=0.9, learning_rate_decay=0.98, reg=1e-3, num_iters=360, batch_size=50
)
