import numpy as np


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params['W1'] = std * np.random.randn(input_size, hidden_size)
        self.params['b1'] = np.zeros(hidden_size)
        self.params['W2'] = std * np.random.randn(hidden_size, output_size)
        self.params['b2'] = np.zeros(output_size)

    def _forward(self, X):
        self.X = X
        self.z1 = np.matmul(X, self.params['W1']) + self.params['b1']
        self.h1 = np.maximum(0.0, self.z1)
        self.z2 = np.matmul(self.h1, self.params['W2']) + self.params['b2']
        return self.z2

    def _softmax(self, z):
        z = z - np.max(z, axis=1, keepdims=True)
        ez = np.exp(z)
        return ez / np.sum(ez, axis=1, keepdims=True)

    def _data_loss(self, z, y):
        z = z - np.max(z, axis=1, keepdims=True)
        norm = np.log(np.sum(np.exp(z), axis=1))
        return np.mean(norm - z[np.arange(y.shape[0]), y])

    def _reg_loss(self, reg):
        return reg * (np.sum(np.square(self.params['W1'])) + np.sum(np.square(self.params['W2'])))

    def _backward(self, y, reg):
        n = y.shape[0]
        dz2 = self._softmax(self.z2)
        dz2[np.arange(n), y] -= 1
        dz2 /= n
        dW2 = np.matmul(self.h1.T, dz2) + 2 * reg * self.params['W2']
        db2 = dz2.sum(axis=0)
        dh1 = np.matmul(dz2, self.params['W2'].T)
        dz1 = dh1 * (self.z1 > 0)
        dW1 = np.matmul(self.X.T, dz1) + 2 * reg * self.params['W1']
        db1 = dz1.sum(axis=0)
        return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}

    def loss(self, X, y=None, reg=0.0):
        scores = self._forward(X)
        if y is None:
            return scores
        loss = self._data_loss(scores, y) + self._reg_loss(reg)
        grads = self._backward(y, reg)
        return loss, grads

    def _step(self, grads, lr):
        for name in self.params:
            self.params[name] -= lr * grads[name]

    def _sample(self, X, y, size):
        idx = np.random.choice(X.shape[0], size)
        return X[idx], y[idx]

    def _accuracy(self, X, y):
        return np.mean(self.predict(X) == y)

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        iterations_per_epoch = max(X.shape[0] // batch_size, 1)
        loss_history = []
        train_acc_history = []
        val_acc_history = []
        lr = learning_rate
        for it in range(num_iters):
            X_batch, y_batch = self._sample(X, y, batch_size)
            loss, grads = self.loss(X_batch, y_batch, reg)
            loss_history.append(loss)
            self._step(grads, lr)
            if it % iterations_per_epoch == 0:
                train_acc_history.append(self._accuracy(X_batch, y_batch))
                val_acc_history.append(self._accuracy(X_val, y_val))
                lr *= learning_rate_decay
        return {'loss_history': loss_history,
                'train_acc_history': train_acc_history,
                'val_acc_history': val_acc_history}

    def predict(self, X):
        scores = self._forward(X)
        return np.argmax(scores, axis=1)


best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
