import numpy as np
rng = np.random


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {'W1': std * rng.randn(input_size, hidden_size), 'b1': np.zeros(hidden_size),
                       'W2': std * rng.randn(hidden_size, output_size), 'b2': np.zeros(output_size)}

    def loss(self, X, y=None, reg=0.0):
        p, n, r = self.params, len(X), np.arange(len(X))
        h = np.clip(X @ p['W1'] + p['b1'], 0, None)
        s = h @ p['W2'] + p['b2']
        if y is None: return s
        q = np.exp(s - s.max(1, keepdims=True)); q /= q.sum(1, keepdims=True)
        m = s.max(1); L = (m + np.log(np.exp(s - m[:, None]).sum(1)) - s[r, y]).mean() + .5 * reg * ((p['W1'] ** 2).sum() + (p['W2'] ** 2).sum())
        q[r, y] -= 1; q /= n
        dh = (q @ p['W2'].T) * (h > 0)
        return L, {'W1': X.T @ dh + reg * p['W1'], 'b1': dh.sum(0), 'W2': h.T @ q + reg * p['W2'], 'b2': q.sum(0)}

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100, batch_size=200, verbose=False):
        hist, n, lr = {'loss_history': [], 'train_acc_history': [], 'val_acc_history': []}, len(X), learning_rate
        acc = lambda A, b: np.mean(self.predict(A) == b)
        for t in range(num_iters):
            i = rng.choice(n, batch_size); xb, yb = X[i], y[i]
            L, g = self.loss(xb, yb, reg); hist['loss_history'].append(L)
            for k in g: self.params[k] = self.params[k] - lr * g[k]
            if t % max(n // batch_size, 1) == 0: hist['train_acc_history'].append(acc(xb, yb)); hist['val_acc_history'].append(acc(X_val, y_val)); lr *= learning_rate_decay
        return hist

    def predict(self, X): return self.loss(X).argmax(1)


best_hyperparameters = {'hidden_size': 32, 'learning_rate': 1.0, 'learning_rate_decay': .97, 'reg': 1e-3, 'num_iters': 330, 'batch_size': 50}
