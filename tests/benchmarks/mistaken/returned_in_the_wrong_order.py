import numpy as np

# Each piece gives its output and a function that takes the gradient back (like jax.vjp).


def linear(x, w, b):
    return np.dot(x, w) + b, lambda g: (np.dot(g, w.T), np.dot(x.T, g), g.sum(axis=0))


def rectify(u):
    on = u > 0
    return u * on, lambda g: g * on


def cross_entropy(z, y):
    rows = np.arange(y.shape[0])
    z = z - z.max(axis=1).reshape((-1, 1))
    norm = np.exp(z).sum(axis=1)

    def back(g):
        dz = np.exp(z) / norm.reshape((-1, 1))
        dz[rows, y] = dz[rows, y] - 1
        return dz * (g / y.shape[0])

    return np.mean(np.log(norm) - z[rows, y]), back


def ridge(strength, *weights):
    return strength * sum(float(np.sum(w ** 2)) for w in weights), lambda g: [2 * strength * g * w for w in weights]


def make_sampler(n, size):
    """A cyclic walk over a shuffled order; shuffled anew when it comes round."""
    state = {"order": np.random.permutation(n), "next": 0}

    def draw():
        where = np.arange(state["next"], state["next"] + size)
        rows = state["order"].take(where, mode="wrap")
        state["next"] += size
        if state["next"] >= n:
            state["next"] = 0
            state["order"] = np.random.permutation(n)
        return rows

    return draw


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {
            "W1": np.random.randn(input_size, hidden_size) * std,
            "b1": np.zeros(hidden_size),
            "W2": np.random.randn(hidden_size, output_size) * std,
            "b2": np.zeros(output_size),
        }

    def loss(self, X, y=None, reg=0.0):
        p = self.params
        u, back_u = linear(X, p["W1"], p["b1"])
        h, back_h = rectify(u)
        z, back_z = linear(h, p["W2"], p["b2"])
        if y is None:
            return z
        data, back_data = cross_entropy(z, y)
        penalty, back_penalty = ridge(reg, p["W1"], p["W2"])

        dh, dW2, db2 = back_z(back_data(1.0))
        _, dW1, db1 = back_u(back_h(dh))
        rW1, rW2 = back_penalty(1.0)
        return {"W1": dW1 + rW1, "b1": db1, "W2": dW2 + rW2, "b2": db2}, data + penalty

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        iterations_per_epoch = max(X.shape[0] // batch_size, 1)
        losses, train_accuracy, val_accuracy = [], [], []
        draw = make_sampler(X.shape[0], batch_size)

        def step(rate):
            rows = draw()
            loss, grads = self.loss(X[rows], y[rows], reg)
            for name in self.params:
                self.params[name] = self.params[name] - rate * grads[name]
            losses.append(loss)
            return rows

        def note(rows):
            train_accuracy.append(np.mean(self.predict(X[rows]) == y[rows]))
            val_accuracy.append(np.mean(self.predict(X_val) == y_val))

        for it in range(num_iters):
            rows = step(learning_rate)
            if verbose and it % 100 == 0:
                print("iteration", it, "/", num_iters, ": loss", losses[-1])
            if it % iterations_per_epoch == 0:
                note(rows)
                learning_rate *= learning_rate_decay

        return {"loss_history": losses, "train_acc_history": train_accuracy, "val_acc_history": val_accuracy}

    def predict(self, X):
        return self.loss(X).argmax(axis=1)


best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50
)
