import numpy as np


class TwoLayerNet:
    """No fancy indexing: I go through the classes one by one, with their own rows (boolean masks)."""

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.num_classes = output_size
        self.params = {}
        self.params["W1"] = std * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = std * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        N, D = X.shape

        hidden = np.dot(X, W1) + b1
        hidden[hidden < 0] = 0
        # one column of scores for each class
        scores = np.column_stack([np.dot(hidden, W2[:, c]) + b2[c] for c in range(W2.shape[1])])
        if y is None:
            return scores

        biggest = np.array([max(row) for row in scores.tolist()])
        e = [np.exp(scores[:, c] - biggest) for c in range(W2.shape[1])]
        denominator = sum(e)

        loss = 0.0
        grads = {"W1": np.zeros_like(W1), "b1": np.zeros_like(b1), "W2": np.zeros_like(W2), "b2": np.zeros_like(b2)}
        columns = []
        for c in range(W2.shape[1]):
            mine = y == c
            if mine.any():
                loss += np.sum(np.log(denominator[mine]) + biggest[mine] - scores[mine, c])
            column = (e[c] / denominator - 1) / N
            grads["W2"][:, c] += np.dot(column, hidden)
            grads["b2"][c] += column.sum()
            columns.append(column)
        loss /= N
        dhidden = np.dot(np.array(columns).T, W2.T)
        dhidden[hidden == 0] = 0
        grads["W1"] += np.dot(X.T, dhidden)
        grads["b1"] += dhidden.sum(axis=0)

        for name in ["W1", "W2"]:
            loss += reg * np.linalg.norm(self.params[name]) ** 2
            grads[name] += 2 * reg * self.params[name]
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)
        loss_history = np.zeros(num_iters)
        train_acc_history = []
        val_acc_history = []
        joined = np.concatenate([X, y.reshape(-1, 1)], axis=1)

        for it in range(num_iters):
            # X and y in one table, so that they cannot get out of step
            some = joined[np.random.randint(num_train, size=batch_size)]
            X_batch = some[:, :-1]
            y_batch = some[:, -1].astype(int)
            loss_history[it], grads = self.loss(X_batch, y=y_batch, reg=reg)
            for key in sorted(grads):
                self.params[key] -= learning_rate * grads[key]
            if verbose and it % 100 == 0:
                print(it, loss_history[it])
            if it % iterations_per_epoch == 0:
                train_acc_history.append(self.check(X_batch, y_batch))
                val_acc_history.append(self.check(X_val, y_val))
                learning_rate *= learning_rate_decay

        return {"loss_history": loss_history, "train_acc_history": np.array(train_acc_history),
                "val_acc_history": np.array(val_acc_history)}

    def check(self, X, y):
        return sum(a == b for a, b in zip(self.predict(X), y)) / len(y)

    def predict(self, X):
        scores = self.loss(X)
        return [max(range(len(row)), key=row.__getitem__) for row in scores.tolist()]


best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50
)
