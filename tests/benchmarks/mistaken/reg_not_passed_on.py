import numpy as np

F = np.float32


class TwoLayerNet:
    # float32 inside, because it was twice as fast on my laptop; what comes out is float64 like the parameters

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params["W1"] = std * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = std * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)

    def _forward(self, X):
        p = {k: v.astype(F) for k, v in self.params.items()}
        pre = X.astype(F) @ p["W1"] + p["b1"]
        post = np.maximum(pre, F(0))
        return p, post, post @ p["W2"] + p["b2"]

    def loss(self, X, y=None, reg=0.0):
        p, post, out = self._forward(X)
        if y is None:
            return out.astype(np.float64)
        n = len(out)
        out = out - out.max(1, keepdims=True)
        lse = np.log(np.exp(out).sum(1, keepdims=True))
        loss = float((lse[:, 0] - out[np.arange(n), y]).mean())
        loss += reg * float((p["W1"] ** 2).sum() + (p["W2"] ** 2).sum())
        d = np.exp(out - lse)
        d[np.arange(n), y] -= F(1)
        d /= F(n)
        dh = d @ p["W2"].T * (post > 0)
        g = {"W1": X.astype(F).T @ dh, "b1": dh.sum(0), "W2": post.T @ d, "b2": d.sum(0)}
        g = {k: v.astype(np.float64) for k, v in g.items()}
        g["W1"] += 2 * reg * self.params["W1"]
        g["W2"] += 2 * reg * self.params["W2"]
        return loss, g

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        n = X.shape[0]
        epoch = max(n // batch_size, 1)
        out = {"loss_history": [], "train_acc_history": [], "val_acc_history": []}
        for it in range(num_iters):
            rows = np.random.choice(n, batch_size)
            loss, g = self.loss(X[rows], y[rows])
            out["loss_history"].append(loss)
            for k in g:
                self.params[k] -= learning_rate * g[k]
            if verbose and it % 100 == 0:
                print(it, loss)
            if it % epoch == 0:
                out["train_acc_history"].append(np.mean(self.predict(X[rows]) == y[rows]))
                out["val_acc_history"].append(np.mean(self.predict(X_val) == y_val))
                learning_rate *= learning_rate_decay
        return out

    def predict(self, X):
        return self._forward(X)[2].argmax(1)


best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50
)
