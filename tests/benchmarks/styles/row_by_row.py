import numpy as np


class TwoLayerNet(object):
    # I did it with loops first because I understand loops

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params['W1'] = std * np.random.randn(input_size, hidden_size)
        self.params['b1'] = np.zeros(hidden_size)
        self.params['W2'] = std * np.random.randn(hidden_size, output_size)
        self.params['b2'] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        W1 = self.params['W1']
        b1 = self.params['b1']
        W2 = self.params['W2']
        b2 = self.params['b2']
        num_examples = X.shape[0]
        num_classes = W2.shape[1]

        hidden_rows = []
        score_rows = []
        for i in range(num_examples):
            hidden = np.dot(X[i], W1) + b1
            hidden[hidden < 0] = 0
            hidden_rows.append(hidden)
            score_rows.append(np.dot(hidden, W2) + b2)
        scores = np.array(score_rows)

        if y is None:
            return scores

        loss = 0.0
        dW1 = np.zeros(W1.shape)
        db1 = np.zeros(b1.shape)
        dW2 = np.zeros(W2.shape)
        db2 = np.zeros(b2.shape)
        for i in range(num_examples):
            row = scores[i] - scores[i].max()
            sum_exp = np.exp(row).sum()
            loss += np.log(sum_exp) - row[y[i]]
            dhidden = np.zeros(b1.shape)
            for c in range(num_classes):
                p = np.exp(row[c]) / sum_exp
                if c == y[i]:
                    p = p - 1
                dW2[:, c] += p * hidden_rows[i]
                db2[c] += p
                dhidden += p * W2[:, c]
            dhidden[hidden_rows[i] == 0] = 0
            dW1 += np.outer(X[i], dhidden)
            db1 += dhidden

        loss /= num_examples
        loss += reg * np.sum(W1 * W1)
        loss += reg * np.sum(W2 * W2)

        dW1 /= num_examples
        db1 /= num_examples
        dW2 /= num_examples
        db2 /= num_examples
        dW1 += 2 * reg * W1
        dW2 += 2 * reg * W2

        grads = {}
        grads['W1'] = dW1
        grads['b1'] = db1
        grads['W2'] = dW2
        grads['b2'] = db2
        return loss, grads

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100,
              batch_size=200, verbose=False):
        num_train = X.shape[0]
        iterations_per_epoch = max(num_train // batch_size, 1)
        loss_history = []
        train_acc_history = []
        val_acc_history = []
        for it in range(num_iters):
            X_batch = []
            y_batch = []
            for _ in range(batch_size):
                k = np.random.randint(0, num_train)
                X_batch.append(X[k])
                y_batch.append(y[k])
            X_batch = np.array(X_batch)
            y_batch = np.array(y_batch)
            loss, grads = self.loss(X_batch, y_batch, reg)
            loss_history.append(loss)
            for name in ['W1', 'b1', 'W2', 'b2']:
                self.params[name] -= learning_rate * grads[name]
            if it % iterations_per_epoch == 0:
                train_acc_history.append((self.predict(X_batch) == y_batch).mean())
                val_acc_history.append((self.predict(X_val) == y_val).mean())
                learning_rate *= learning_rate_decay
        return {'loss_history': loss_history, 'train_acc_history': train_acc_history, 'val_acc_history': val_acc_history}

    def predict(self, X):
        y_pred = np.zeros(X.shape[0], dtype=int)
        for i in range(X.shape[0]):
            hidden = np.dot(X[i], self.params['W1']) + self.params['b1']
            hidden = np.maximum(hidden, 0)
            s = np.dot(hidden, self.params['W2']) + self.params['b2']
            y_pred[i] = np.argmax(s)
        return y_pred


best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
