import numpy as np


class TwoLayerNet:
    """A two-layer fully connected network: affine - ReLU - affine - softmax, with an L2 regulariser on the weights."""

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        """
        Start with small random weights and zero biases.

        W1: (D, H)   b1: (H,)   W2: (H, C)   b2: (C,)
        """
        self.params = {}
        self.params["W1"] = std * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = std * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        W1, b1, W2, b2 = (self.params[k] for k in ("W1", "b1", "W2", "b2"))
        N, D = X.shape
        H, C = W2.shape
        hidden = np.zeros((N, H))
        scores = np.zeros((N, C))
        for i in range(N):
            for j in range(H):
                hidden[i, j] = max(0.0, float(np.dot(X[i], W1[:, j])) + b1[j])
            for k in range(C):
                scores[i, k] = float(np.dot(hidden[i], W2[:, k])) + b2[k]
        if y is None:
            return scores
        loss = 0.0
        dW1, db1 = np.zeros_like(W1), np.zeros_like(b1)
        dW2, db2 = np.zeros_like(W2), np.zeros_like(b2)
        for i in range(N):
            f = scores[i] - np.max(scores[i])
            total = sum(np.exp(v) for v in f)
            loss += np.log(total) - f[y[i]]
            dh = np.zeros(H)
            for k in range(C):
                dz = (np.exp(f[k]) / total - (1.0 if k == y[i] else 0.0)) / N
                db2[k] += dz
                dW2[:, k] += hidden[i] * dz
                dh += W2[:, k] * dz
            for j in range(H):
                if scores[i, y[i]] > 0:
                    db1[j] += dh[j]
                    dW1[:, j] += X[i] * dh[j]
        loss = loss / N + 0.5 * reg * (np.sum(W1**2) + np.sum(W2**2))
        return loss, {"W1": dW1 + reg * W1, "b1": db1, "W2": dW2 + reg * W2, "b2": db2}

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
        """
        Train with stochastic gradient descent.

        X: (N, D), y: (N,), X_val: (N_val, D), y_val: (N_val,).
        Gives a dict: loss_history (one number per iteration), train_acc_history and val_acc_history (one per epoch).
        """
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)

        loss_history = []
        train_acc_history = []
        val_acc_history = []

        for it in range(num_iters):
            # A random minibatch of batch_size examples, and their labels.
            X_batch = X
            y_batch = y
            indices = np.random.choice(num_train, batch_size)
            X_batch = X[indices]
            y_batch = y[indices]

            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
            loss_history.append(loss)

            # One step of gradient descent for every parameter.
            for name in self.params:
                self.params[name] -= learning_rate * grads[name]

            if verbose and it % 100 == 0:
                print(f"iteration {it} of {num_iters}: loss {loss}")

            # Once an epoch: note both accuracies, then decay the learning rate.
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
        """
        Predict labels: the class with the highest score.

        X: (N, D). Gives y_pred: (N,) whole numbers in 0..C-1.
        """
        y_pred = None
        y_pred = self.loss(X).argmax(axis=1)

        return y_pred


best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50
)
