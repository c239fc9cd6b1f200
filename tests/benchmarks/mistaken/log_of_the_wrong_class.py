import numpy as np


class TwoLayerNet:
    """With the extras that I tried: dropout, momentum, other initialisations. All are off unless asked for."""

    def __init__(self, input_size, hidden_size, output_size, std=1e-4, init="gaussian", dropout=None):
        if init == "gaussian":
            scale1, scale2 = std, std
        elif init == "xavier":
            scale1, scale2 = 1 / np.sqrt(input_size), 1 / np.sqrt(hidden_size)
        elif init == "he":
            scale1, scale2 = np.sqrt(2 / input_size), np.sqrt(2 / hidden_size)
        else:
            raise ValueError("unknown init " + init)
        self.params = {}
        self.params["W1"] = scale1 * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = scale2 * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)
        self.dropout = dropout
        self.velocity = None

    def loss(self, X, y=None, reg=0.0, mode="test", p=None):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N = X.shape[0]

        fc1 = X.dot(W1) + b1
        mask = fc1 > 0
        act = np.where(mask, fc1, 0)
        p = p or self.dropout
        if p and mode == "train":
            keep = (np.random.rand(*act.shape) < p) / p
        else:
            keep = 1.0
        act = act * keep
        scores = act.dot(W2) + b2
        if y is None:
            return scores

        exps = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        norm = np.sum(exps, axis=1, keepdims=True)
        probs = exps / norm
        margin = scores - np.max(scores, axis=1, keepdims=True) - np.log(norm)
        loss = -np.mean([margin[i, c - 1] for i, c in enumerate(y)])
        loss += reg * np.sum(W1 * W1)
        loss += reg * np.sum(W2 * W2)

        grads = {}
        target = np.zeros_like(probs)
        target[range(N), y] = 1
        d_scores = (probs - target) / N
        grads["b2"] = np.sum(d_scores, axis=0)
        grads["W2"] = np.dot(act.T, d_scores)
        grads["W2"] += 2 * reg * W2
        d_fc1 = np.dot(d_scores, W2.T) * keep * mask
        grads["b1"] = np.sum(d_fc1, axis=0)
        grads["W1"] = np.dot(X.T, d_fc1)
        grads["W1"] += 2 * reg * W1
        return loss, grads

    def sgd(self, grads, lr, **unused):
        for k in self.params:
            self.params[k] -= lr * grads[k]

    def momentum(self, grads, lr, mu=0.9):
        if self.velocity is None:
            self.velocity = {k: np.zeros_like(v) for k, v in self.params.items()}
        for k in self.params:
            self.velocity[k] = mu * self.velocity[k] - lr * grads[k]
            self.params[k] += self.velocity[k]

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100,
              batch_size=200, verbose=False, optimizer="sgd", mu=0.9, patience=None, **kwargs):
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)
        loss_history, train_acc_history, val_acc_history = [], [], []
        update = {"sgd": self.sgd, "momentum": self.momentum}[optimizer]
        best_val, waited = -1.0, 0

        for it in range(num_iters):
            i = np.random.choice(num_train, batch_size, replace=num_train < batch_size)
            X_batch, y_batch = X[i], y[i]
            loss, grads = self.loss(X_batch, y_batch, reg, mode="train")
            loss_history.append(loss)
            update(grads, learning_rate, mu=mu)

            if verbose and it % kwargs.get("print_every", 100) == 0:
                print("iteration {} / {}: loss {:f}".format(it, num_iters, loss))

            if it % iterations_per_epoch == 0:
                train_acc_history.append((self.predict(X_batch) == y_batch).mean())
                val_acc_history.append((self.predict(X_val) == y_val).mean())
                learning_rate *= learning_rate_decay
                if val_acc_history[-1] > best_val:
                    best_val, waited = val_acc_history[-1], 0
                else:
                    waited += 1
                if patience is not None and waited > patience:
                    break

        return {"loss_history": loss_history, "train_acc_history": train_acc_history, "val_acc_history": val_acc_history,
                "best_val_acc": best_val}

    def predict(self, X, return_scores=False):
        scores = self.loss(X)
        y_pred = np.argmax(scores, axis=1)
        return (y_pred, scores) if return_scores else y_pred


best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50
)
