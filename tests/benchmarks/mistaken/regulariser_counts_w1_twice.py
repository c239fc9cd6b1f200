import numpy as np


class SGD:
    def __init__(self, params, lr, decay):
        self.params = params
        self.lr = lr
        self.decay = decay

    def step(self, grads):
        for name in self.params:
            self.params[name] -= self.lr * grads[name]

    def end_of_epoch(self):
        self.lr *= self.decay


class Batches:
    """Shuffled batches, again and again."""

    def __init__(self, X, y, size):
        self.X, self.y = X, y
        self.size = min(size, len(X))
        self.order = np.random.permutation(len(X))
        self.at = 0

    def next(self):
        if self.at + self.size > len(self.order):
            self.order = np.random.permutation(len(self.X))
            self.at = 0
        rows = self.order[self.at:self.at + self.size]
        self.at += self.size
        return self.X[rows], self.y[rows]


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params['W1'] = std * np.random.randn(input_size, hidden_size)
        self.params['b1'] = np.zeros(hidden_size)
        self.params['W2'] = std * np.random.randn(hidden_size, output_size)
        self.params['b2'] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params['W1'], self.params['b1']
        W2, b2 = self.params['W2'], self.params['b2']
        N = X.shape[0]

        # forward
        hidden_layer = np.dot(X, W1) + b1
        relu_mask = (hidden_layer > 0).astype(float)
        hidden_layer = hidden_layer * relu_mask
        scores = np.dot(hidden_layer, W2) + b2
        if y is None:
            return scores

        # softmax
        biggest = scores.max(axis=1, keepdims=True)
        unnormalized = np.exp(scores - biggest)
        normalizer = unnormalized.sum(axis=1, keepdims=True)
        correct = scores[np.arange(N), y].reshape(-1, 1)
        data_loss = np.mean(np.log(normalizer) + biggest - correct)
        reg_loss = 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W1 * W1)

        # backward
        labels = np.zeros_like(scores)
        labels[np.arange(N), y] = 1
        dscores = (unnormalized / normalizer - labels) / N
        dhidden = np.dot(dscores, W2.T) * relu_mask
        grads = dict(
            W1=np.dot(X.T, dhidden) + reg * W1,
            b1=np.sum(dhidden, axis=0),
            W2=np.dot(hidden_layer.T, dscores) + reg * W2,
            b2=np.sum(dscores, axis=0),
        )
        return data_loss + reg_loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        per_epoch = max(X.shape[0] // batch_size, 1)
        optimiser = SGD(self.params, learning_rate, learning_rate_decay)
        batches = Batches(X, y, batch_size)
        loss_history = []
        train_acc_history = []
        val_acc_history = []
        it = 0
        while it < num_iters:
            X_batch, y_batch = batches.next()
            loss, grads = self.loss(X_batch, y_batch, reg=reg)
            loss_history.append(loss)
            optimiser.step(grads)
            if it % per_epoch == 0:
                train_acc_history.append((self.predict(X_batch) == y_batch).mean())
                val_acc_history.append((self.predict(X_val) == y_val).mean())
                optimiser.end_of_epoch()
            it += 1
        return {
            'loss_history': loss_history,
            'train_acc_history': train_acc_history,
            'val_acc_history': val_acc_history,
        }

    def predict(self, X):
        hidden_layer = np.dot(X, self.params['W1']) + self.params['b1']
        hidden_layer = np.maximum(hidden_layer, 0)
        scores = np.dot(hidden_layer, self.params['W2']) + self.params['b2']
        return scores.argmax(axis=1)


best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
