import numpy as np


def relu(v): return v * (v > 0)


class TwoLayerNet(object):
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {
            'W1': np.random.randn(input_size, hidden_size) * std, 'b1': np.zeros(hidden_size),
            'W2': np.random.randn(hidden_size, output_size) * std, 'b2': np.zeros(output_size)}

    def scores(self, X):
        hidden = relu(X @ self.params['W1'] + self.params['b1'])
        return hidden, hidden @ self.params['W2'] + self.params['b2']

    def loss(self, X, y=None, reg=0.0):
        hidden, scores = self.scores(X)
        if y is None:
            return scores
        num = X.shape[0]
        top = scores.max(axis=1, keepdims=True)
        Q = np.exp(scores - top)
        total = Q.sum(axis=1, keepdims=True)
        true = scores[np.arange(num), y]
        loss = (np.log(total[:, 0]) + top[:, 0] - true).mean()
        for name in ('W1', 'W2'):
            loss += reg * (self.params[name] ** 2).sum()
        G = Q / total
        G[np.arange(num), y] -= 1
        G /= num
        H = G @ self.params['W2'].T
        H[hidden == 0] = 0
        grads = {'W1': X.T @ H, 'b1': H.sum(0), 'W2': hidden.T @ G, 'b2': G.sum(0)}
        for name in ('W1', 'W2'):
            grads[name] += 2 * reg * self.params[name]
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100, batch_size=200,
              verbose=False):
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)
        loss_history, train_acc_history, val_acc_history = [], [], []
        for it in range(num_iters):
            choice = np.random.choice(num_train, batch_size)
            X_batch, y_batch = X[choice], y[choice]
            loss, grads = self.loss(X_batch, y_batch, reg)
            loss_history.append(loss)
            # use the gradients to update the parameters
            for name in grads:
                new = self.params[name] - learning_rate * grads[name]
            if it % iterations_per_epoch == 0:
                train_acc_history.append((self.predict(X_batch) == y_batch).mean())
                val_acc_history.append((self.predict(X_val) == y_val).mean())
                learning_rate *= learning_rate_decay
        return {'loss_history': loss_history, 'train_acc_history': train_acc_history, 'val_acc_history': val_acc_history}

    def predict(self, X):
        return self.scores(X)[1].argmax(axis=1)


best_hyperparameters = {'hidden_size': 32, 'learning_rate': 1.0, 'learning_rate_decay': 0.97, 'reg': 1e-3, 'num_iters': 330, 'batch_size': 50}
