# Two-layer net, HW1. I did the backward pass as a computational graph like in lecture 4:
# every forward line has one backward line, in the opposite order.
import numpy as np


class TwoLayerNet(object):

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
    C = b2.shape[0]

    # ---- forward ----
    xw1 = np.dot(X, W1)                          # (1)
    u = xw1 + b1                                 # (2)
    h = np.maximum(u, 0)                         # (3)
    hw2 = np.dot(h, W2)                          # (4)
    s = hw2 + b2                                 # (5)
    if y is None:
      return s

    m = np.max(s, axis=1)                        # (6)
    t = s - m[:, np.newaxis]                     # (7)
    e = np.exp(t)                                # (8)
    tot = np.sum(e, axis=1)                      # (9)
    ty = t[np.arange(N), y]                      # (10)
    ltot = np.log(tot)                           # (11)
    li = ltot - ty                               # (12)
    data_loss = np.sum(li) / N                   # (13)
    sq1 = np.sum(W1 * W1)                        # (14)
    sq2 = np.sum(W2 * W2)                        # (15)
    loss = data_loss + reg * sq1 + reg * sq2     # (16)

    # ---- backward ----
    ddata = 1.0                                  # (16)
    dsq1 = reg
    dsq2 = reg
    dW2 = dsq2 * 2 * W2                          # (15)
    dW1 = dsq1 * 2 * W1                          # (14)
    dli = np.ones(N) * ddata / N                 # (13)
    dltot = dli * 1.0                            # (12)
    dty = dli * -1.0
    dtot = dltot * (1.0 / tot)                   # (11)
    dt = np.zeros((N, C))                        # (10)
    dt[np.arange(N), y] += dty
    de = dtot[:, np.newaxis] * np.ones((N, C))   # (9)
    dt += de * e                                 # (8)
    ds = dt * 1.0                                # (7)
    dm = -np.sum(dt, axis=1)
    ds[np.arange(N), np.argmax(s, axis=1)] += dm  # (6) the max gate routes the gradient
    dhw2 = ds                                    # (5)
    db2 = np.sum(ds, axis=0)
    dh = np.dot(dhw2, W2.T)                      # (4)
    dW2 += np.dot(h.T, dhw2)
    du = dh * (u > 0)                            # (3)
    dxw1 = du                                    # (2)
    db1 = np.sum(du, axis=0)
    # TODO (1): X

    grads = {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}
    return loss, grads

  def train(self, X, y, X_val, y_val,
            learning_rate=1e-3, learning_rate_decay=0.95,
            reg=5e-6, num_iters=100,
            batch_size=200, verbose=False):
    num_train = X.shape[0]
    iterations_per_epoch = max(num_train / batch_size, 1)

    loss_history = []
    train_acc_history = []
    val_acc_history = []

    for it in range(num_iters):
      mask = np.random.choice(num_train, batch_size, replace=True)
      X_batch = X[mask]
      y_batch = y[mask]

      loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
      loss_history.append(loss)

      for p in ['W1', 'b1', 'W2', 'b2']:
        dx = - learning_rate * grads[p]
        self.params[p] = self.params[p] + dx

      if verbose and it % 100 == 0:
        print('iteration %d / %d: loss %f' % (it, num_iters, loss))

      # Every epoch, check train and val accuracy and decay learning rate.
      if it % int(iterations_per_epoch) == 0:
        train_acc = (self.predict(X_batch) == y_batch).mean()
        val_acc = (self.predict(X_val) == y_val).mean()
        train_acc_history.append(train_acc)
        val_acc_history.append(val_acc)

        # Decay learning rate
        learning_rate *= learning_rate_decay

    return {
      'loss_history': loss_history,
      'train_acc_history': train_acc_history,
      'val_acc_history': val_acc_history,
    }

  def predict(self, X):
    h = np.maximum(np.dot(X, self.params['W1']) + self.params['b1'], 0)
    scores = np.dot(h, self.params['W2']) + self.params['b2']
    y_pred = np.argmax(scores, axis=1)
    return y_pred


best_hyperparameters = dict(
  hidden_size=32,
  learning_rate=1.1,
  learning_rate_decay=0.96,
  reg=1e-3,
  num_iters=330,
  batch_size=50,
)
