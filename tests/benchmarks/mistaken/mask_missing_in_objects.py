import numpy as np


class Layer:
    def params(self):
        return []

    def forward(self, x):
        raise NotImplementedError

    def backward(self, upstream):
        raise NotImplementedError


class FullyConnected(Layer):
    def __init__(self, store, suffix):
        self.store = store
        self.wname = 'W' + suffix
        self.bname = 'b' + suffix

    def params(self):
        return [self.wname, self.bname]

    def forward(self, x):
        self.inp = x
        return x @ self.store[self.wname] + self.store[self.bname]

    def backward(self, upstream):
        self.dW = self.inp.T @ upstream
        self.db = upstream.sum(axis=0)
        return upstream @ self.store[self.wname].T


class Relu(Layer):
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, upstream):
        return upstream


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {
            'W1': np.random.randn(input_size, hidden_size) * std,
            'b1': np.zeros(hidden_size),
            'W2': np.random.randn(hidden_size, output_size) * std,
            'b2': np.zeros(output_size),
        }
        self.layers = [FullyConnected(self.params, '1'), Relu(), FullyConnected(self.params, '2')]

    def loss(self, X, y=None, reg=0.0):
        out = X
        for layer in self.layers:
            out = layer.forward(out)
        if y is None:
            return out
        num = y.size
        out = out - out.max(axis=1)[:, np.newaxis]
        log_norm = np.log(np.exp(out).sum(axis=1))
        loss = np.mean(log_norm - out[np.arange(num), y])
        delta = np.exp(out - log_norm[:, np.newaxis])
        delta[np.arange(num), y] -= 1.0
        delta = delta / num
        grads = {}
        for layer in reversed(self.layers):
            delta = layer.backward(delta)
            if isinstance(layer, FullyConnected):
                weight = self.params[layer.wname]
                loss += reg * np.sum(weight * weight)
                grads[layer.wname] = layer.dW + 2 * reg * weight
                grads[layer.bname] = layer.db
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        num_train = X.shape[0]
        per_epoch = max(num_train // batch_size, 1)
        losses = []
        train_accs = []
        val_accs = []
        for step in range(num_iters):
            idx = np.random.randint(num_train, size=batch_size)
            loss, grads = self.loss(X[idx], y[idx], reg)
            losses.append(loss)
            for layer in self.layers:
                for name in layer.params():
                    self.params[name] -= learning_rate * grads[name]
            if step % per_epoch == 0:
                train_accs.append(self.accuracy(X[idx], y[idx]))
                val_accs.append(self.accuracy(X_val, y_val))
                learning_rate *= learning_rate_decay
                if verbose:
                    print('step', step, 'loss', loss)
        return dict(loss_history=losses, train_acc_history=train_accs, val_acc_history=val_accs)

    def accuracy(self, X, y):
        return float(np.mean(self.predict(X) == y))

    def predict(self, X):
        out = X
        for layer in self.layers:
            out = layer.forward(out)
        return out.argmax(axis=1)


best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
