# I am used to the notation of the deeplearning.ai course (examples are COLUMNS), so I transpose on the way in and out.
import numpy as np


def softmax(Z):
    T = np.exp(Z - np.max(Z, axis=0))
    return T / np.sum(T)


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params["W1"] = np.random.randn(input_size, hidden_size) * std
        self.params["b1"] = np.zeros((1, hidden_size))
        self.params["W2"] = np.random.randn(hidden_size, output_size) * std
        self.params["b2"] = np.zeros((1, output_size))

    def forward_propagation(self, A0):
        W1, b1 = self.params["W1"].T, self.params["b1"].T
        W2, b2 = self.params["W2"].T, self.params["b2"].T
        Z1 = np.dot(W1, A0) + b1
        A1 = np.maximum(0, Z1)
        Z2 = np.dot(W2, A1) + b2
        return Z1, A1, Z2

    def compute_cost(self, Z2, Y, reg):
        m = Y.shape[1]
        L = Z2 - np.max(Z2, axis=0)
        logprobs = np.multiply(Y, L - np.log(np.sum(np.exp(L), axis=0)))
        cross_entropy_cost = -np.sum(logprobs) / m
        L2_regularization_cost = reg * (np.sum(np.square(self.params["W1"])) + np.sum(np.square(self.params["W2"])))
        return cross_entropy_cost + L2_regularization_cost

    def backward_propagation(self, A0, Y, Z1, A1, Z2, reg):
        m = A0.shape[1]
        W1, W2 = self.params["W1"].T, self.params["W2"].T
        dZ2 = softmax(Z2) - Y
        dW2 = np.dot(dZ2, A1.T) / m + 2 * reg * W2
        db2 = np.sum(dZ2, axis=1, keepdims=True) / m
        dA1 = np.dot(W2.T, dZ2)
        dZ1 = np.multiply(dA1, np.int64(Z1 > 0))
        dW1 = np.dot(dZ1, A0.T) / m + 2 * reg * W1
        db1 = np.sum(dZ1, axis=1, keepdims=True) / m
        return {"W1": dW1.T, "b1": db1.T, "W2": dW2.T, "b2": db2.T}

    def loss(self, X, y=None, reg=0.0):
        A0 = X.T
        Z1, A1, Z2 = self.forward_propagation(A0)
        if y is None:
            return Z2.T
        Y = np.eye(Z2.shape[0])[:, y]  # (C, m)
        cost = self.compute_cost(Z2, Y, reg)
        grads = self.backward_propagation(A0, Y, Z1, A1, Z2, reg)
        return cost, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100,
              batch_size=200, verbose=False):
        m = X.shape[0]
        iterations_per_epoch = max(m // batch_size, 1)
        loss_history = []
        train_acc_history = []
        val_acc_history = []
        it = 0
        # epochs outside, mini-batches inside
        while it < num_iters:
            permutation = list(np.random.permutation(m))
            shuffled_X = X[permutation, :]
            shuffled_y = y[permutation]
            for k in range(iterations_per_epoch):
                if it == num_iters:
                    break
                mini_X = shuffled_X[k * batch_size:(k + 1) * batch_size, :]
                mini_y = shuffled_y[k * batch_size:(k + 1) * batch_size]
                cost, grads = self.loss(mini_X, mini_y, reg)
                loss_history.append(cost)
                for key in self.params:
                    self.params[key] = self.params[key] - learning_rate * grads[key]
                if verbose and it % 100 == 0:
                    print("Cost after iteration %i: %f" % (it, cost))
                it += 1
            # end of the epoch
            train_acc_history.append(np.mean(self.predict(mini_X) == mini_y))
            val_acc_history.append(np.mean(self.predict(X_val) == y_val))
            learning_rate = learning_rate * learning_rate_decay
        return {"loss_history": loss_history, "train_acc_history": train_acc_history, "val_acc_history": val_acc_history}

    def predict(self, X):
        Z1, A1, Z2 = self.forward_propagation(X.T)
        return np.argmax(Z2, axis=0)


best_hyperparameters = dict(
    hidden_size=64, learning_rate=1.0, learning_rate_decay=0.98, reg=5e-4, num_iters=440, batch_size=50
)
