"""Everything is done with column vectors, as in the lecture: W x + b."""
import numpy as np


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params["W1"] = std * np.random.standard_normal((input_size, hidden_size))
        self.params["b1"] = np.zeros((hidden_size,))
        self.params["W2"] = std * np.random.standard_normal((hidden_size, output_size))
        self.params["b2"] = np.zeros((output_size,))

    def loss(self, X, y=None, reg=0.0):
        V1 = self.params["W1"].T
        V2 = self.params["W2"].T
        c1 = self.params["b1"][:, None]
        c2 = self.params["b2"][:, None]
        x = X.T
        m = x.shape[1]

        z = np.einsum("hd,dn->hn", V1, x) + c1
        a = z * (z > 0)
        f = np.einsum("ch,hn->cn", V2, a) + c2
        if y is None:
            return f.T

        f = f - f.max(axis=0)
        e = np.exp(f)
        total = e.sum(axis=0)
        picked = f[y, range(m)]
        loss = np.sum(np.log(total) - picked) / m
        loss = loss + 0.5 * reg * np.einsum("hd,hd->", V1, V1)
        loss = loss + 0.5 * reg * np.einsum("ch,ch->", V2, V2)

        df = e / total
        df[y, range(m)] -= 1
        df = df / m
        dV2 = np.einsum("cn,hn->ch", df, a) + reg * V2
        db2 = df.sum(axis=1)
        da = np.einsum("ch,cn->hn", V2, df)
        dz = np.where(z > 0, da, 0)
        dV1 = np.einsum("hn,dn->hd", dz, x) + reg * V1
        db1 = dz.sum(axis=1)
        grads = {"W1": dV1.T, "b1": db1, "W2": dV2.T, "b2": db2}
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        n = X.shape[0]
        epoch_len = n // batch_size if n >= batch_size else 1
        loss_history, train_acc_history, val_acc_history = [], [], []
        rate = learning_rate
        for i in range(num_iters):
            rows = np.random.choice(n, size=batch_size, replace=n < batch_size)
            xb = X[rows]
            yb = y[rows]
            value, grads = self.loss(xb, yb, reg=reg)
            loss_history.append(value)
            for key in ("W1", "W2", "b1", "b2"):
                self.params[key] -= rate * grads[key]
            if i % epoch_len == 0:
                train_acc_history.append(np.mean(self.predict(xb) == yb))
                val_acc_history.append(np.mean(self.predict(X_val) == y_val))
                rate = rate * learning_rate_decay
        return {
            "loss_history": loss_history,
            "train_acc_history": train_acc_history,
            "val_acc_history": val_acc_history,
        }

    def predict(self, X):
        h = np.einsum("nd,dh->nh", X, self.params["W1"]) + self.params["b1"]
        h[h < 0] = 0
        f = np.einsum("nh,hc->nc", h, self.params["W2"]) + self.params["b2"]
        return f.argmax(axis=1)


best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
