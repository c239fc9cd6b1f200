import numpy as np

class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = dict(W1=std * np.random.randn(input_size, hidden_size), b1=np.zeros(hidden_size),
                           W2=std * np.random.randn(hidden_size, output_size), b2=np.zeros(output_size))

    def loss(self, X, y=None, reg=0.0):
        W1, b1, W2, b2 = self.params['W1'], self.params['b1'], self.params['W2'], self.params['b2']
        layer1 = X.dot(W1) + b1
        relu1 = np.where(layer1 > 0, layer1, 0)
        layer2 = relu1.dot(W2) + b2
        if y is None:
            return layer2
        n = len(X)
        layer2 = layer2 - layer2.max(axis=1)[:, None]
        logp = layer2 - np.log(np.exp(layer2).sum(axis=1))[:, None]
        loss = -logp[np.arange(n), y].sum() / n + reg * ((W1 * W1).sum() + (W2 * W2).sum())
        dlayer2 = np.exp(logp)
        dlayer2[np.arange(n), y] -= 1
        dlayer2 = dlayer2 / n
        drelu1 = dlayer2.dot(W2.T)
        dlayer1 = np.where(layer1 > 0, drelu1, 0)
        return loss, {'W2': relu1.T.dot(dlayer2) + 2 * reg * W2, 'b2': dlayer2.sum(axis=0),
                      'W1': X.T.dot(dlayer1) + 2 * reg * W1, 'b1': dlayer1.sum(axis=0)}

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        n = X.shape[0]
        every = max(n // batch_size, 1)
        losses, tr, va = [], [], []
        for i in range(num_iters):
            ix = np.random.choice(n, batch_size)
            l, g = self.loss(X[ix], y[ix], reg)
            losses.append(l)
            for p in g:
                self.params[p] -= learning_rate * g[p]
            if i % every == 0:
                tr.append(np.mean(self.loss(X[ix]).argmax(axis=1) == y[ix]))
                va.append(np.mean(self.loss(X_val).argmax(axis=1) == y_val))
                learning_rate *= learning_rate_decay
        return {'loss_history': losses, 'train_acc_history': tr, 'val_acc_history': va}

    def predict(self, X):
        """ Give the label of each row. """
        y_pred = np.zeros(X.shape[0], dtype=int)
        # Implement this function; it should be VERY simple!
        return y_pred

best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
