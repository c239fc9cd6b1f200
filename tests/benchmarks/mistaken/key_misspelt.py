import numpy as np


def forward(X, params):
    Z1 = np.dot(X, params["W1"]) + params["b1"]
    A1 = np.maximum(Z1, 0, out=np.empty_like(Z1))
    Z2 = np.dot(A1, params["W2"]) + params["b2"]
    return Z1, A1, Z2


def softmax(Z):
    Z = Z - np.max(Z, axis=1, keepdims=True)
    np.exp(Z, out=Z)  # Z is a fresh array here
    Z /= np.sum(Z, axis=1, keepdims=True)
    return Z


def log_softmax(Z):
    Z = Z - np.max(Z, axis=1, keepdims=True)
    Z -= np.log(np.sum(np.exp(Z), axis=1, keepdims=True))
    return Z


class TwoLayerNet:

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = dict(
            W1=std * np.random.randn(input_size, hidden_size),
            b1=np.zeros(hidden_size),
            W2=std * np.random.randn(hidden_size, output_size),
            b2=np.zeros(output_size),
        )

    def loss(self, X, y=None, reg=0.0):
        Z1, A1, Z2 = forward(X, self.params)
        if y is None:
            return Z2
        m = y.shape[0]
        W1, W2 = self.params["W1"], self.params["W2"]
        loss = -np.trace(log_softmax(Z2)[:, y]) / m
        loss += reg / 2 * (np.linalg.norm(W1, "fro") ** 2 + np.linalg.norm(W2, "fro") ** 2)

        P = softmax(Z2)
        P[np.arange(m), y] -= 1
        P /= m
        G1 = np.dot(P, W2.T)
        np.multiply(G1, Z1 > 0, out=G1)
        grads = {"W2": np.dot(A1.T, P), "b2": P.sum(axis=0), "w1": np.dot(X.T, G1), "b1": G1.sum(axis=0)}
        grads["W1"] += reg * W1
        grads["W2"] += reg * W2
        return loss, grads

    def train(
        self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100,
        batch_size=200, verbose=False,
    ):
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)
        loss_history = []
        train_acc_history = []
        val_acc_history = []
        it = 0
        while it < num_iters:
            idx = np.random.permutation(num_train)[0:batch_size]
            loss, grads = self.loss(X[idx], y[idx], reg=reg)
            loss_history += [loss]
            for name, grad in grads.items():
                self.params[name] -= np.multiply(learning_rate, grad)
            if verbose:
                if it % 100 == 0:
                    print("iteration %d / %d: loss %f" % (it, num_iters, loss))
            it += 1
            # the epoch is over: measure on everything, then slow down
            if it % iterations_per_epoch == 0:
                train_acc_history += [np.mean(self.predict(X) == y)]
                val_acc_history += [np.mean(self.predict(X_val) == y_val)]
                learning_rate *= learning_rate_decay
        return {"loss_history": loss_history, "train_acc_history": train_acc_history, "val_acc_history": val_acc_history}

    def predict(self, X):
        # the class that is most probable
        probabilities = softmax(forward(X, self.params)[2])
        return np.argsort(-probabilities, axis=1, kind="stable")[:, 0]


best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=2e-3, num_iters=330, batch_size=50
)
