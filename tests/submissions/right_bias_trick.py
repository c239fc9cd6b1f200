import numpy as np


def with_ones(A):
    """Append the column of ones that multiplies the bias."""
    return np.hstack([A, np.ones((A.shape[0], 1))])


def fold(W, b):
    """W over b, so that [X 1] . [W; b] = X W + b."""
    return np.vstack([W, b])


def unfold(dWb):
    return dWb[:-1, :], dWb[-1, :]


class TwoLayerNet:

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        for i, (fan_in, fan_out) in enumerate([(input_size, hidden_size), (hidden_size, output_size)], start=1):
            self.params["W%d" % i] = std * np.random.standard_normal((fan_in, fan_out))
            self.params["b%d" % i] = np.zeros(fan_out)

    def loss(self, X, y=None, reg=0.0):
        # bias trick: both layers become plain matrix products
        T1 = fold(self.params["W1"], self.params["b1"])
        T2 = fold(self.params["W2"], self.params["b2"])
        X1 = with_ones(X)
        A = np.clip(X1.dot(T1), 0, None)
        A1 = with_ones(A)
        F = A1.dot(T2)

        if y is None:
            return F

        F = F - F.max(axis=1)[:, None]
        P = np.exp(F)
        Z = P.sum(axis=1)
        P = P / Z[:, None]
        correct = np.take_along_axis(F, y[:, None], axis=1)[:, 0]
        loss = (np.log(Z) - correct).mean()

        # the last rows are biases, they must stay out of the regularisation
        R1, R2 = T1.copy(), T2.copy()
        R1[-1] = 0
        R2[-1] = 0
        loss = loss + reg * np.sum(R1 ** 2) + reg * np.sum(R2 ** 2)

        delta = P
        delta[np.arange(len(y)), y] -= 1
        delta = delta / len(y)
        dT2 = A1.T.dot(delta) + 2 * reg * R2
        back = delta.dot(T2.T)[:, :-1]  # nothing flows into the ones
        back[A == 0] = 0
        dT1 = X1.T.dot(back) + 2 * reg * R1

        grads = {}
        grads["W1"], grads["b1"] = unfold(dT1)
        grads["W2"], grads["b2"] = unfold(dT2)
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)
        loss_history = []
        train_acc_history = []
        val_acc_history = []
        order, at = np.arange(num_train), num_train

        for it in range(num_iters):
            # go round and round through the shuffled rows
            if at + batch_size > num_train:
                np.random.shuffle(order)
                at = 0
            chosen = order[at:at + batch_size]
            at += batch_size
            loss, grads = self.loss(X[chosen], y[chosen], reg)
            loss_history.append(loss)
            for i in (1, 2):
                self.params["W%d" % i] -= learning_rate * grads["W%d" % i]
                self.params["b%d" % i] -= learning_rate * grads["b%d" % i]
            if verbose and it % 100 == 0:
                print("iteration", it, "loss", loss)
            if it % iterations_per_epoch == 0:
                train_acc_history.append(np.mean(self.predict(X[chosen]) == y[chosen]))
                val_acc_history.append(np.mean(self.predict(X_val) == y_val))
                learning_rate *= learning_rate_decay

        return {
            "loss_history": loss_history,
            "train_acc_history": train_acc_history,
            "val_acc_history": val_acc_history,
        }

    def predict(self, X):
        return np.argmax(self.loss(X), axis=1)


best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=350, batch_size=40)
