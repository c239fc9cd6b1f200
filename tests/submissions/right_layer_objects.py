"""Assignment 1, two layer net. I wrote small layer objects first so that I can reuse them for the deep net later."""
import numpy as np


class Affine:
    def __init__(self, params, grads, w, b):
        # the layer remembers the NAMES of its parameters, the arrays live in net.params
        self.params, self.grads, self.w, self.b = params, grads, w, b
        self.x = None

    def forward(self, x):
        self.x = x
        return np.dot(x, self.params[self.w]) + self.params[self.b]

    def backward(self, dout):
        self.grads[self.w] = np.dot(self.x.T, dout)
        self.grads[self.b] = np.sum(dout, axis=0)
        return np.dot(dout, self.params[self.w].T)


class ReLU:
    def forward(self, x):
        self.out = np.where(x > 0, x, 0.0)
        return self.out

    def backward(self, dout):
        return np.where(self.out > 0, dout, 0.0)


class SoftmaxLoss:
    def forward(self, scores, y):
        scores = scores - np.max(scores, axis=1).reshape(-1, 1)
        e = np.exp(scores)
        self.p = e / np.sum(e, axis=1).reshape(-1, 1)
        self.y = y
        logp = scores - np.log(np.sum(e, axis=1)).reshape(-1, 1)
        return -logp[range(len(y)), y].sum() / len(y)

    def backward(self):
        d = np.copy(self.p)
        d[range(len(self.y)), self.y] -= 1.0
        return d / len(self.y)


class L2:
    def __init__(self, names):
        self.names = names

    def forward(self, params, reg):
        return reg * sum((params[n] ** 2).sum() for n in self.names)

    def backward(self, params, reg, grads):
        for n in self.names:
            grads[n] += 2.0 * reg * params[n]


class TwoLayerNet(object):
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {
            "W1": std * np.random.randn(input_size, hidden_size),
            "b1": np.zeros(hidden_size),
            "W2": std * np.random.randn(hidden_size, output_size),
            "b2": np.zeros(output_size),
        }
        self.grads = {}
        self.layers = [
            Affine(self.params, self.grads, "W1", "b1"),
            ReLU(),
            Affine(self.params, self.grads, "W2", "b2"),
        ]
        self.criterion = SoftmaxLoss()
        self.penalty = L2(["W1", "W2"])

    def forward(self, X):
        out = X
        for layer in self.layers:
            out = layer.forward(out)
        return out

    def backward(self):
        d = self.criterion.backward()
        for layer in reversed(self.layers):
            d = layer.backward(d)
        return d

    def loss(self, X, y=None, reg=0.0):
        scores = self.forward(X)
        if y is None:
            return scores
        loss = self.criterion.forward(scores, y) + self.penalty.forward(self.params, reg)
        self.backward()
        self.penalty.backward(self.params, reg, self.grads)
        return loss, dict(self.grads)

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100,
              batch_size=200, verbose=False):
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)
        loss_history, train_acc_history, val_acc_history = [], [], []

        for it in range(num_iters):
            idx = np.random.randint(0, num_train, size=batch_size)
            X_batch, y_batch = X[idx], y[idx]
            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
            loss_history.append(loss)

            for layer in self.layers:
                if isinstance(layer, Affine):
                    self.params[layer.w] = self.params[layer.w] - learning_rate * grads[layer.w]
                    self.params[layer.b] = self.params[layer.b] - learning_rate * grads[layer.b]

            if verbose and it % 100 == 0:
                print("iteration %d / %d: loss %f" % (it, num_iters, loss))

            if it % iterations_per_epoch == 0:
                train_acc_history.append((self.predict(X_batch) == y_batch).mean())
                val_acc_history.append((self.predict(X_val) == y_val).mean())
                learning_rate *= learning_rate_decay

        return {"loss_history": loss_history, "train_acc_history": train_acc_history, "val_acc_history": val_acc_history}

    def predict(self, X):
        return np.argmax(self.forward(X), axis=1)


best_hyperparameters = {
    "hidden_size": 40,
    "learning_rate": 0.9,
    "learning_rate_decay": 0.97,
    "reg": 5e-4,
    "num_iters": 400,
    "batch_size": 50,
}
