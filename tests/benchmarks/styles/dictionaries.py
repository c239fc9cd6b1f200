import numpy as np

WEIGHTS = ("W1", "W2")


def forward(params, X):
    z = {1: X @ params["W1"] + params["b1"]}
    a = {0: X, 1: np.maximum(z[1], 0)}
    z[2] = a[1] @ params["W2"] + params["b2"]
    return z, a


def log_softmax(s):
    s = s - s.max(axis=1, keepdims=True)
    return s - np.log(np.exp(s).sum(axis=1, keepdims=True))


def penalty(params, reg):
    return reg * sum(np.sum(params[w] ** 2) for w in WEIGHTS)


def backward(params, z, a, y, reg):
    n = len(y)
    d = {2: np.exp(log_softmax(z[2]))}
    d[2][np.arange(n), y] -= 1
    d[2] /= n
    d[1] = (d[2] @ params["W2"].T) * (z[1] > 0)
    grads = {f"W{k}": a[k - 1].T @ d[k] for k in (1, 2)}
    grads.update({f"b{k}": d[k].sum(axis=0) for k in (1, 2)})
    return {name: g + 2 * reg * params[name] if name in WEIGHTS else g for name, g in grads.items()}


def updated(params, grads, rate):
    return {name: value - rate * grads[name] for name, value in params.items()}


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        sizes = [input_size, hidden_size, output_size]
        self.params = {f"W{k}": std * np.random.randn(sizes[k - 1], sizes[k]) for k in (1, 2)}
        self.params.update({f"b{k}": np.zeros(sizes[k]) for k in (1, 2)})

    def loss(self, X, y=None, reg=0.0):
        z, a = forward(self.params, X)
        if y is None:
            return z[2]
        nll = -log_softmax(z[2])[np.arange(len(y)), y]
        total = nll.mean() + penalty(self.params, reg)
        return total, backward(self.params, z, a, y, reg)

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        per_epoch = max(len(X) // batch_size, 1)
        log = {"loss_history": [], "train_acc_history": [], "val_acc_history": []}
        for it in range(num_iters):
            rows = np.random.choice(len(X), batch_size)
            batch = X[rows], y[rows]
            loss, grads = self.loss(*batch, reg=reg)
            log["loss_history"].append(loss)
            self.params = updated(self.params, grads, learning_rate)
            if it % per_epoch == 0:
                for name, (A, labels) in {"train": batch, "val": (X_val, y_val)}.items():
                    log[f"{name}_acc_history"].append(np.mean(self.predict(A) == labels))
                learning_rate *= learning_rate_decay
        return log

    def predict(self, X):
        z, _ = forward(self.params, X)
        return np.argmax(z[2], axis=1)


best_hyperparameters = {"hidden_size": 32, "learning_rate": 1.0, "learning_rate_decay": 0.97, "reg": 1e-3, "num_iters": 330, "batch_size": 50}
