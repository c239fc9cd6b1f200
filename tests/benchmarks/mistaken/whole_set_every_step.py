import numpy as np

rng = np.random.default_rng()


def one_hot(y, num_classes):
    Y = np.zeros((y.size, num_classes))
    Y[np.arange(y.size), y] = 1
    return Y


class TwoLayerNet:
    """input - fully connected layer - ReLU - fully connected layer - softmax"""

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.D, self.H, self.C = input_size, hidden_size, output_size
        self.params = {}
        self.params["W1"] = rng.normal(scale=std, size=(self.D, self.H))
        self.params["b1"] = np.zeros(self.H)
        self.params["W2"] = rng.normal(scale=std, size=(self.H, self.C))
        self.params["b2"] = np.zeros(self.C)

    def loss(self, X, y=None, reg=0.0):
        hidden_in = np.add(np.matmul(X, self.params["W1"]), self.params["b1"])
        hidden_out = np.maximum(hidden_in, np.zeros_like(hidden_in))
        scores = np.add(np.matmul(hidden_out, self.params["W2"]), self.params["b2"])
        if y is None:
            return scores

        # softmax, shifted against overflow
        logits = scores - np.max(scores, axis=1, keepdims=True)
        log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        Y = one_hot(y, self.C)
        # all the wrong classes are multiplied by zero
        cross_entropy = -(Y * log_probs).sum() / len(X)
        weight_penalty = reg * sum((self.params[k] * self.params[k]).sum() for k in ("W1", "W2"))
        total = cross_entropy + weight_penalty

        error = (np.exp(log_probs) - Y) / len(X)
        back = np.matmul(error, self.params["W2"].T) * np.sign(hidden_out)
        gradients = {
            "W2": np.matmul(hidden_out.T, error) + 2 * reg * self.params["W2"],
            "b2": error.sum(0),
            "W1": np.matmul(X.T, back) + 2 * reg * self.params["W1"],
            "b1": back.sum(0),
        }
        return total, gradients

    def train(
        self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
        num_iters=100, batch_size=200, verbose=False,
    ):
        n = len(X)
        per_epoch = max(n // batch_size, 1)
        history = {"loss_history": [], "train_acc_history": [], "val_acc_history": []}
        for it in range(num_iters):
            rows = rng.integers(n, size=batch_size)
            X_batch, y_batch = X.take(rows, axis=0), y.take(rows)
            loss, gradients = self.loss(X, y, reg)
            history["loss_history"].append(float(loss))
            for key, gradient in gradients.items():
                np.subtract(self.params[key], learning_rate * gradient, out=self.params[key])
            if verbose and not it % 100:
                print(f"{it:5d}/{num_iters}  {loss:.4f}")
            if not it % per_epoch:
                history["train_acc_history"].append(self.accuracy(X_batch, y_batch))
                history["val_acc_history"].append(self.accuracy(X_val, y_val))
                learning_rate = learning_rate * learning_rate_decay
        return history

    def accuracy(self, X, y):
        return float(np.mean(self.predict(X) == y))

    def predict(self, X):
        return self.loss(X).argmax(1)


best_hyperparameters = dict(
    hidden_size=48, learning_rate=0.8, learning_rate_decay=0.98, reg=3e-4, num_iters=440, batch_size=50
)
