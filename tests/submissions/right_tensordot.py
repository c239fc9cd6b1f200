from numpy import (absolute, add, arange, argmax, empty, exp, expand_dims, finfo, log, mean, newaxis, ones, put_along_axis, random,
                   take_along_axis, tensordot, vdot, zeros)


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {"W1": std * random.randn(input_size, hidden_size), "b1": zeros(hidden_size),
                       "W2": std * random.randn(hidden_size, output_size), "b2": zeros(output_size)}

    def scores(self, X):
        u = tensordot(X, self.params["W1"], axes=1) + self.params["b1"]
        h = (u + absolute(u)) / 2
        return h, tensordot(h, self.params["W2"], axes=([1], [0])) + self.params["b2"]

    def loss(self, X, y=None, reg=0.0):
        h, z = self.scores(X)
        if y is None:
            return z

        z = z - z.max(axis=-1)[..., newaxis]
        column = expand_dims(y, -1)
        right = take_along_axis(z, column, axis=-1)
        e = exp(z)
        total = e.sum(axis=-1, keepdims=True)
        W1, W2 = self.params["W1"], self.params["W2"]
        loss = mean(log(total) - right) + reg * (vdot(W1, W1) + vdot(W2, W2))

        dz = e / total
        put_along_axis(dz, column, take_along_axis(dz, column, -1) - 1, axis=-1)
        dz *= 1 / y.size
        dh = tensordot(dz, W2, axes=([1], [1]))
        # h / u would be 0/0 on the kink, so the slope of the ReLU is taken as sign(h)
        du = dh * (h > finfo(float).tiny)
        return loss, {
            "W1": add(tensordot(X, du, axes=([0], [0])), 2 * reg * W1),
            "b1": tensordot(ones(len(X)), du, axes=1),
            "W2": add(tensordot(h, dz, axes=([0], [0])), 2 * reg * W2),
            "b2": tensordot(ones(len(X)), dz, axes=1),
        }

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100,
              batch_size=200, verbose=False):
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)
        epochs = (num_iters + iterations_per_epoch - 1) // iterations_per_epoch
        # sizes are known beforehand
        loss_history, train_acc_history, val_acc_history = empty(num_iters), empty(epochs), empty(epochs)

        for it in range(num_iters):
            uniform = random.rand(batch_size)
            rows = (uniform * num_train).astype(int)
            loss_history[it], grads = self.loss(X[rows], y[rows], reg)
            for name in grads:
                self.params[name] -= learning_rate * grads[name]
            if verbose and it % 100 == 0:
                print("iteration", it, "of", num_iters, "loss", loss_history[it])
            epoch, first = divmod(it, iterations_per_epoch)
            if first == 0:
                train_acc_history[epoch] = mean(self.predict(X[rows]) == y[rows])
                val_acc_history[epoch] = mean(self.predict(X_val) == y_val)
                learning_rate *= learning_rate_decay

        return {"loss_history": loss_history, "train_acc_history": train_acc_history, "val_acc_history": val_acc_history}

    def predict(self, X):
        return argmax(self.scores(X)[1], axis=-1)


best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
