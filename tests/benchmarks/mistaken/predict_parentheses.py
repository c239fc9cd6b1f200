import numpy as np


def logsumexp(a, axis=1):
    m = np.amax(a, axis=axis, keepdims=True)
    return np.squeeze(m, axis=axis) + np.log(np.sum(np.exp(a - m), axis=axis))


class TwoLayerNet:

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        p = dict()
        p['W1'] = np.random.normal(0.0, std, (input_size, hidden_size))
        p['b1'] = np.zeros((hidden_size,))
        p['W2'] = np.random.normal(0.0, std, (hidden_size, output_size))
        p['b2'] = np.zeros((output_size,))
        self.params = p

    def loss(self, X, y=None, reg=0.0):
        W1, b1, W2, b2 = self.params['W1'], self.params['b1'], self.params['W2'], self.params['b2']
        N = X.shape[0]

        # forward
        z1 = X @ W1 + b1
        a1 = z1 * (z1 > 0)
        z2 = a1 @ W2 + b2
        if y is None:
            return z2

        # L = 1/N sum_i [ log sum_j exp(z_ij) - z_i,yi ] + reg/2 |W|^2
        lse = logsumexp(z2)
        data = np.mean(lse - z2[np.arange(N), y])
        loss = data + 0.5 * reg * np.sum(np.square(W1)) + 0.5 * reg * np.sum(np.square(W2))

        # backward: d lse / dz is the softmax, exp(z - lse)
        dz2 = np.exp(z2 - lse[:, None])
        dz2[np.arange(N), y] += -1
        dz2 = dz2 / N
        dW2 = a1.T @ dz2
        db2 = np.ones(N) @ dz2
        da1 = dz2 @ W2.T
        dz1 = da1 * (z1 > 0)
        dW1 = X.T @ dz1
        db1 = np.ones(N) @ dz1

        # the 2 of the square and the 1/2 of the convention cancel
        dW1 += reg * W1
        dW2 += reg * W2
        return loss, dict(W1=dW1, b1=db1, W2=dW2, b2=db2)

    def train(self, X, y, X_val, y_val,
              learning_rate=1e-3, learning_rate_decay=0.95,
              reg=5e-6, num_iters=100,
              batch_size=200, verbose=False):
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)
        loss_history = []
        train_acc_history = []
        val_acc_history = []

        for it in range(num_iters):
            # the first batch_size of a fresh permutation: a sample without replacement
            perm = np.random.permutation(num_train)[:batch_size]
            X_batch = X[perm, :]
            y_batch = y[perm]

            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
            loss_history.append(loss)

            self.params['W1'] += -learning_rate * grads['W1']
            self.params['b1'] += -learning_rate * grads['b1']
            self.params['W2'] += -learning_rate * grads['W2']
            self.params['b2'] += -learning_rate * grads['b2']

            if verbose and it % 100 == 0:
                print('iteration %d / %d: loss %f' % (it, num_iters, loss))

            if it % iterations_per_epoch == 0:
                train_acc = (self.predict(X_batch) == y_batch).mean()
                val_acc = (self.predict(X_val) == y_val).mean()
                train_acc_history.append(train_acc)
                val_acc_history.append(val_acc)
                learning_rate *= learning_rate_decay

        return {
          'loss_history': loss_history,
          'train_acc_history': train_acc_history,
          'val_acc_history': val_acc_history,
        }

    def predict(self, X):
        z1 = X @ (self.params['W1'] + self.params['b1'])
        a1 = z1 * (z1 > 0)
        return np.argmax(a1 @ self.params['W2'] + self.params['b2'], axis=1)


best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=2e-3, num_iters=330, batch_size=50)
