# -*- coding: utf-8 -*-
from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import os
import sys
import numpy as np
import matplotlib.pyplot as plt

try:
    xrange
except NameError:
    xrange = range

if sys.version_info[0] >= 3:
    from functools import reduce


class TwoLayerNet(object):
  """
  A two-layer fully-connected neural network. The net has an input dimension of
  N, a hidden layer dimension of H, and performs classification over C classes.

  input - fully connected layer - ReLU - fully connected layer - softmax
  """

  def __init__(self, input_size, hidden_size, output_size, std=1e-4):
    self.params = {}
    self.params['W1'] = std * np.random.randn(input_size, hidden_size)
    self.params['b1'] = np.zeros(hidden_size)
    self.params['W2'] = std * np.random.randn(hidden_size, output_size)
    self.params['b2'] = np.zeros(output_size)

  def loss(self, X, y=None, reg=0.0):
    # Unpack variables from the params dictionary
    W1, b1 = self.params['W1'], self.params['b1']
    W2, b2 = self.params['W2'], self.params['b2']
    N, D = X.shape

    # Compute the forward pass
    scores = None
    #############################################################################
    # TODO: Perform the forward pass, computing the class scores for the input. #
    #############################################################################
    z1 = X.dot(W1) + b1
    a1 = np.maximum(0, z1) # pass through ReLU activation function
    scores = a1.dot(W2) + b2
    #############################################################################
    #                              END OF YOUR CODE                             #
    #############################################################################

    # If the targets are not given then jump out, we're done
    if y is None:
      return scores

    # Compute the loss
    loss = None
    #############################################################################
    # TODO: Finish the forward pass, and compute the loss.                      #
    #############################################################################
    # numeric stability: log C = -max(f)
    f_max = reduce(np.maximum, [scores[:, c] for c in xrange(scores.shape[1])])
    scores = scores - f_max[:, None]
    sum_exp = np.sum(np.exp(scores), axis=1)
    corect_logprobs = scores[xrange(N), y] - np.log(sum_exp)
    data_loss = -np.sum(corect_logprobs)
    reg_loss = 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
    loss = data_loss + reg_loss
    #############################################################################
    #                              END OF YOUR CODE                             #
    #############################################################################

    # Backward pass: compute gradients
    grads = {}
    #############################################################################
    # TODO: Compute the backward pass                                           #
    #############################################################################
    probs = np.exp(scores) / sum_exp[:, None]
    dscores = probs
    dscores[xrange(N), y] -= 1
    dscores /= N

    # W2 and b2
    grads['W2'] = np.dot(a1.T, dscores)
    grads['b2'] = np.sum(dscores, axis=0)
    # next backprop into hidden layer
    dhidden = np.dot(dscores, W2.T)
    # backprop the ReLU non-linearity
    dhidden[a1 <= 0] = 0
    # finally into W,b
    grads['W1'] = np.dot(X.T, dhidden)
    grads['b1'] = np.sum(dhidden, axis=0)

    # add regularization gradient contribution
    grads['W2'] += reg * W2
    grads['W1'] += reg * W1
    #############################################################################
    #                              END OF YOUR CODE                             #
    #############################################################################

    return loss, grads

  def train(self, X, y, X_val, y_val,
            learning_rate=1e-3, learning_rate_decay=0.95,
            reg=1e-5, num_iters=100,
            batch_size=200, verbose=False):
    num_train = X.shape[0]
    iterations_per_epoch = max(num_train // batch_size, 1)

    # Use SGD to optimize the parameters in self.model
    loss_history = []
    train_acc_history = []
    val_acc_history = []

    for it in xrange(num_iters):
      X_batch = None
      y_batch = None

      batch_inx = np.random.choice(num_train, batch_size)
      X_batch = X[batch_inx, :]
      y_batch = y[batch_inx]

      # Compute loss and gradients using the current minibatch
      loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
      loss_history.append(loss)

      for param_name in self.params.keys():
        self.params[param_name] += (- learning_rate) * grads[param_name]

      if verbose and it % 100 == 0:
        print('iteration %d / %d: loss %f' % (it, num_iters, loss))
        sys.stdout.flush()

      # Every epoch, check train and val accuracy and decay learning rate.
      if it % iterations_per_epoch == 0:
        # Check accuracy
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
    y_pred = None
    a1 = np.maximum(0, X.dot(self.params['W1']) + self.params['b1'])
    scores = a1.dot(self.params['W2']) + self.params['b2']
    y_pred = np.argmax(scores, axis=1)
    return y_pred


best_hyperparameters = dict(
  hidden_size=50, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=400, batch_size=50)

if __name__ == '__main__':
  print('python', sys.version)
  net = TwoLayerNet(4, 10, 3)
  plt.plot(net.train(np.random.randn(5, 4), np.array([0, 1, 2, 2, 1]), np.random.randn(5, 4), np.array([0, 1, 2, 2, 1]), batch_size=5)['loss_history'])
  plt.savefig(os.path.join(os.path.dirname(__file__), 'loss.png'))
