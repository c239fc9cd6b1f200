import random

import numpy as np


class TwoLayerNet:
    """Done the long way: with the full Jacobian of the softmax for every row, and dL/dp = -1/(N p)."""

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params["W1"] = std * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = std * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N, D = X.shape
        C = W2.shape[1]

        u = X.dot(W1) + b1
        h = u.copy()
        h[h < 0] = 0
        scores = h.dot(W2) + b2

        if y is None:
            return scores

        # for the gradient: the probabilities
        top = scores.max(1, keepdims=True)
        p = np.exp(scores - top)
        p /= p.sum(1, keepdims=True)
        # for the loss: straight from the scores, because log(p) would be log(0) for far away classes
        rest = scores - scores[np.arange(N), y].reshape(N, 1)
        biggest = rest.max(1, keepdims=True)
        loss = (biggest[:, 0] + np.log(np.exp(rest - biggest).sum(1))).sum() / N
        loss += reg * (W1 ** 2).sum() + reg * (W2 ** 2).sum()

        # J[i, j, k] = dp_ij / dz_ik = p_ij (delta_jk - p_ik)
        J = p[:, :, None] * (np.eye(C)[None, :, :] - p[:, None, :])
        # log p_y: divide row y of each Jacobian by p_y. p_y can underflow, so write the quotient out:
        # J[i, y_i, k] / p_i,yi = delta_yk - p_ik
        rowy = np.eye(C)[y] - p
        safe = p[np.arange(N), y] > 1e-100
        rowy[safe] = J[np.arange(N), y][safe] / p[np.arange(N), y][safe, None]
        dscores = rowy / N

        grads = {}
        grads["W2"] = np.dot(h.T, dscores)
        grads["b2"] = dscores.sum(axis=0)
        dh = np.dot(dscores, W2.T)
        du = dh.copy()
        du[u < 0] = 0
        grads["W1"] = np.dot(X.T, du)
        grads["b1"] = du.sum(axis=0)
        for W in ("W1", "W2"):
            grads[W] = grads[W] + reg * self.params[W] + reg * self.params[W]

        return loss, grads

    def train(
        self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
        num_iters=100, batch_size=200, verbose=False,
    ):
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)
        loss_history = []
        train_acc_history = []
        val_acc_history = []
        everybody = range(num_train)

        for it in range(num_iters):
            sample = random.sample(everybody, batch_size)
            X_batch = X[sample]
            y_batch = y[sample]

            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
            loss_history.append(loss)

            [W1, b1, W2, b2] = [self.params[k] - learning_rate * grads[k] for k in ["W1", "b1", "W2", "b2"]]
            self.params = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}

            if verbose and it % 100 == 0:
                print(f"iteration {it} of {num_iters}: loss {loss}")

            if it % iterations_per_epoch == 0:
                train_acc_history.append(np.mean(self.predict(X_batch) == y_batch))
                val_acc_history.append(np.mean(self.predict(X_val) == y_val))
                learning_rate *= learning_rate_decay

        return {
            "loss_history": loss_history,
            "train_acc_history": train_acc_history,
            "val_acc_history": val_acc_history,
        }

    def predict(self, X):
        scores = self.loss(X)
        return np.array([int(np.argmax(row)) for row in scores])


best_hyperparameters = dict(
    hidden_size=24, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=360, batch_size=50
)
