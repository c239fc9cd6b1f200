# %%
import numpy as np


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params['W1'] = std * np.random.randn(input_size, hidden_size)
        self.params['b1'] = np.zeros(hidden_size)
        self.params['W2'] = std * np.random.randn(hidden_size, output_size)
        self.params['b2'] = np.zeros(output_size)


# %%
def loss(self, X, y=None, reg=0.0):
    W1, b1, W2, b2 = [self.params[k] for k in ('W1', 'b1', 'W2', 'b2')]
    m = X.shape[0]
    hidden_in = X.dot(W1) + b1
    hidden_out = hidden_in.copy()
    hidden_out[hidden_in < 0] = 0
    output = hidden_out.dot(W2) + b2
    if y is None:
        return output

    output = output - np.amax(output, axis=1).reshape(m, 1)
    exponentials = np.exp(output)
    softmax = exponentials / np.sum(exponentials, axis=1).reshape(m, 1)
    log_likelihood = output[np.arange(m), y] - np.log(exponentials.sum(axis=1))
    cost = -np.sum(log_likelihood) / m
    cost = cost + reg * (np.linalg.norm(W1) ** 2 + np.linalg.norm(W2) ** 2)

    error = softmax
    error[np.arange(m), y] -= 1
    error = error / m
    dW2 = hidden_out.T.dot(error) + 2 * reg * W2
    db2 = error.sum(axis=0)
    hidden_error = error.dot(W2.T)
    hidden_error[hidden_in <= 0] = 0
    dW1 = X.T.dot(hidden_error) + 2 * reg * W1
    db1 = hidden_error.sum(axis=0)
    return cost, {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}


TwoLayerNet.loss = loss


# %%
def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95,
          reg=5e-6, num_iters=100, batch_size=200, verbose=False):
    num_train = X.shape[0]
    iterations_per_epoch = max(num_train // batch_size, 1)
    loss_history, train_acc_history, val_acc_history = [], [], []
    for it in range(num_iters):
        idx = np.random.choice(num_train, batch_size)
        X_batch, y_batch = X[idx], y[idx]
        cost, grads = self.loss(X_batch, y_batch, reg)
        loss_history.append(cost)
        self.params['W1'] = self.params['W1'] - learning_rate * grads['W1']
        self.params['W2'] = self.params['W2'] + learning_rate * grads['W2']
        self.params['b1'] = self.params['b1'] - learning_rate * grads['b1']
        self.params['b2'] = self.params['b2'] - learning_rate * grads['b2']
        if verbose and it % 100 == 0:
            print(it, cost)
        if it % iterations_per_epoch == 0:
            train_acc_history.append(np.sum(self.predict(X_batch) == y_batch) / batch_size)
            val_acc_history.append(np.sum(self.predict(X_val) == y_val) / y_val.shape[0])
            learning_rate *= learning_rate_decay
    return {'loss_history': loss_history, 'train_acc_history': train_acc_history, 'val_acc_history': val_acc_history}


TwoLayerNet.train = train


# %%
def predict(self, X):
    hidden = np.maximum(0, X.dot(self.params['W1']) + self.params['b1'])
    output = hidden.dot(self.params['W2']) + self.params['b2']
    return np.argmax(output, axis=1)


TwoLayerNet.predict = predict

# %%
best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
