import numpy as np

from cs231n.layer_utils import affine_relu_backward, affine_relu_forward
from cs231n.layers import *
from cs231n.solver import Solver


class TwoLayerNet(object):
    """
    Same as in assignment 2, fc_net.py: the network only has loss(), the training is done by a Solver.
    """

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {
            "W1": np.random.normal(scale=std, size=(input_size, hidden_size)),
            "b1": np.zeros(hidden_size),
            "W2": np.random.normal(scale=std, size=(hidden_size, output_size)),
            "b2": np.zeros(output_size),
        }

    def loss(self, X, y=None, reg=0.0):
        hidden, hidden_cache = affine_relu_forward(X, self.params["W1"], self.params["b1"])
        scores, scores_cache = affine_forward(hidden, self.params["W2"], self.params["b2"])

        # If y is None then we are in test mode so just return scores
        if y is None:
            return scores

        loss, grads = 0, {}
        loss, dscores = softmax_loss(scores, y)
        loss += 0.5 * reg * (np.sum(self.params["W1"] ** 2) + np.sum(self.params["W2"] ** 2))
        dhidden, grads["W2"], grads["b2"] = affine_backward(dscores, scores_cache)
        _, grads["W1"], grads["b1"] = affine_relu_backward(dhidden, hidden_cache)
        grads["W1"] += reg * self.params["W1"]
        grads["W2"] += reg * self.params["W2"]
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        data = {"X_train": X, "y_train": y, "X_val": X_val, "y_val": y_val}
        solver = Solver(self, data, update_rule="sgd", optim_config={"learning_rate": learning_rate},
                        lr_decay=learning_rate_decay, num_iters=num_iters, batch_size=batch_size, reg=reg,
                        verbose=verbose)
        solver.train()
        return {name: getattr(solver, name) for name in ("loss_history", "train_acc_history", "val_acc_history")}

    def predict(self, X):
        return np.argmax(self.loss(X), axis=1)


best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=2e-3, num_iters=330, batch_size=50)
