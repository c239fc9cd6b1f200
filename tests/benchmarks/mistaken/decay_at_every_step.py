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
        """
        Compute the scores, or the loss and its gradients.

        X: (N, D), one example per row. y: (N,) labels in 0..C-1, or None. reg: regularisation strength.

        Without y: scores (N, C), where scores[i, c] is the score of class c for example i.
        With y: (loss, grads), the loss a number and grads[name] of the same shape as self.params[name].
        """
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N, D = X.shape

        # The forward pass: scores of shape (N, C).
        scores = None
        X, W1, b1, W2, b2 = (a.astype(np.float32) for a in (X, W1, b1, W2, b2))
        hidden = np.maximum(0, X.dot(W1) + b1)
        scores = hidden.dot(W2) + b2

        if y is None:
            return scores

        # The loss: the mean cross-entropy of the softmax, and the regulariser of W1 and W2.
        loss = None
        shifted = scores - scores.max(axis=1, keepdims=True)
        exp_scores = np.exp(shifted)
        sums = exp_scores.sum(axis=1, keepdims=True)
        probabilities = exp_scores / sums
        data_loss = np.mean(np.log(sums[:, 0]) - shifted[np.arange(N), y])
        loss = data_loss + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))

        # The backward pass: grads["W1"], grads["b1"], grads["W2"], grads["b2"].
        grads = {}
        dscores = probabilities.copy()
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads["W2"] = hidden.T.dot(dscores) + 2 * reg * W2
        grads["b2"] = dscores.sum(axis=0)
        dhidden = dscores.dot(W2.T)
        dhidden[hidden <= 0] = 0
        grads["W1"] = X.T.dot(dhidden) + 2 * reg * W1
        grads["b1"] = dhidden.sum(axis=0)

        return loss, grads

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
