import numpy as np


def with_ones(A):
    return np.hstack([A, np.ones((A.shape[0], 1))])


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {'W1': std * np.random.randn(input_size, hidden_size),
                       'b1': np.zeros(hidden_size),
                       'W2': std * np.random.randn(hidden_size, output_size),
                       'b2': np.zeros(output_size)}

    def loss(self, X, y=None, reg=0.0):
        # bias trick: the bias is the last row of the weight matrix
        T1 = np.vstack([self.params['W1'], self.params['b1']])
        T2 = np.vstack([self.params['W2'], self.params['b2']])
        X1 = with_ones(X)
        Z1 = X1 @ T1
        A1 = with_ones(np.maximum(Z1, 0))
        S = A1 @ T2
        if y is None:
            return S

        n = X.shape[0]
        S = S - S.max(axis=1, keepdims=True)
        P = np.exp(S)
        P /= P.sum(axis=1, keepdims=True)
        Y = np.eye(S.shape[1])[y]
        loss = -np.sum(Y * (S - np.log(np.exp(S).sum(axis=1, keepdims=True)))) / n
        loss += reg * np.sum(T1[:-1] ** 2)
        loss += reg * np.sum(T2[:-1] ** 2)

        dS = (P - Y) / n
        G2 = A1.T @ dS
        dA1 = dS @ T2.T
        dZ1 = dA1[:, :-1] * (Z1 > 0)
        G1 = X1.T @ dZ1
        G1[:-1] += 2 * reg * T1[:-1]
        G2[:-1] += 2 * reg * T2[:-1]
        grads = {'W1': G1[:-1], 'b1': G1[-1], 'W2': G2[:-1], 'b2': G2[-1]}
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        num_train = len(y)
        iterations_per_epoch = int(max(num_train / batch_size, 1))
        history = {'loss_history': [], 'train_acc_history': [], 'val_acc_history': []}

        for it in range(num_iters):
            pick = np.random.permutation(num_train)[:batch_size]
            loss, grads = self.loss(X[pick], y=y[pick], reg=reg)
            history['loss_history'].append(loss)
            self.params = {k: v - learning_rate * grads[k] for k, v in self.params.items()}
            if verbose and it % 100 == 0:
                print('iteration', it, 'loss', loss)
            if it % iterations_per_epoch == 0:
                history['train_acc_history'].append((self.predict(X[pick]) == y[pick]).mean())
                history['val_acc_history'].append((self.predict(X_val) == y_val).mean())
                learning_rate *= learning_rate_decay
        return history

    def predict(self, X):
        hidden = np.maximum(with_ones(X) @ np.vstack([self.params['W1'], self.params['b1']]), 0)
        scores = with_ones(hidden) @ np.vstack([self.params['W2'], self.params['b2']])
        return np.argmax(scores, axis=1)


best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
