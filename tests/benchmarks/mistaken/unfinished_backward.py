# Homework 1, part 3 (ran out of time on the first layer)
import numpy as np

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
    N, D = X.shape

    h1 = np.maximum(0, X.dot(W1) + b1)
    scores = h1.dot(W2) + b2
    if y is None:
      return scores

    scores -= np.max(scores, axis=1).reshape(N, 1)
    p = np.exp(scores) / np.sum(np.exp(scores), axis=1).reshape(N, 1)
    loss = np.sum(np.log(np.sum(np.exp(scores), axis=1)) - scores[range(N), y]) / N
    loss += reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))

    grads = {}
    p[range(N), y] -= 1
    p /= N
    grads['W2'] = h1.T.dot(p) + 2 * reg * W2
    grads['b2'] = np.sum(p, axis=0)
    dW1 = np.zeros_like(W1)
    db1 = np.zeros_like(b1)
    # TODO: first layer
    grads['W1'] = dW1
    grads['b1'] = db1
    return loss, grads

  def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95,
            reg=5e-6, num_iters=100, batch_size=200, verbose=False):
    num_train = X.shape[0]
    iterations_per_epoch = max(num_train // batch_size, 1)
    loss_history = []
    train_acc_history = []
    val_acc_history = []
    for it in range(num_iters):
      rand_idx = np.random.choice(num_train, batch_size)
      X_batch = X[rand_idx]
      y_batch = y[rand_idx]
      loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
      loss_history.append(loss)
      for param in self.params:
        self.params[param] -= learning_rate * grads[param]
      if it % iterations_per_epoch == 0:
        train_acc_history.append((self.predict(X_batch) == y_batch).mean())
        val_acc_history.append((self.predict(X_val) == y_val).mean())
        learning_rate *= learning_rate_decay
    return {'loss_history': loss_history, 'train_acc_history': train_acc_history, 'val_acc_history': val_acc_history}

  def predict(self, X):
    return np.argmax(self.loss(X), axis=1)

best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
