"""A finding points at the statement that plays the part it speaks of, however the student writes it, or nowhere."""

import ast
from pathlib import Path

import pytest

from grader.records import Segment, Submission
from grader.submission import load, statement_place

SUBMISSIONS = Path(__file__).parent / "submissions"
NAMES = ("W1", "b1", "W2", "b2")


def written(text):
    """Give a submission of one file, all of which is run."""
    return Submission(
        "student", "net.py", "", "net.py", segments=(Segment("net.py", text, tuple(range(len(ast.parse(text).body)))),)
    )


def quoted(submission, about, **more):
    """Give the text of the line that is found, or None."""
    place = statement_place(submission, "TwoLayerNet", about, **more)
    return place.text.strip() if place else None


CLASSIC = """
class TwoLayerNet(object):
    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params['W1'], self.params['b1']
        W2, b2 = self.params['W2'], self.params['b2']
        N, D = X.shape
        scores = None
        z1 = X.dot(W1) + b1
        a1 = np.maximum(0, z1)
        scores = a1.dot(W2)
        scores += b2
        if y is None:
            return scores
        loss = None
        scores -= np.max(scores, axis=1, keepdims=True)
        exp_scores = np.exp(scores)
        probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
        correct_logprobs = -np.log(probs[range(N), y])
        data_loss = np.sum(correct_logprobs) / N
        reg_loss = 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
        loss = data_loss + reg_loss
        grads = {}
        dscores = probs
        dscores[range(N), y] -= 1
        dscores /= N
        dW2 = np.dot(a1.T, dscores)
        db2 = np.sum(dscores, axis=0)
        dhidden = np.dot(dscores, W2.T)
        dhidden[a1 <= 0] = 0
        dW1 = np.dot(X.T, dhidden)
        db1 = np.sum(dhidden, axis=0)
        dW2 += reg * W2
        dW1 += reg * W1
        grads['W1'], grads['b1'] = dW1, db1
        grads['W2'] = dW2
        grads['b2'] = db2
        return loss, grads
    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=1e-5, num_iters=100,
              batch_size=200, verbose=False):
        loss_history, train_acc_history, val_acc_history = [], [], []
        for it in range(num_iters):
            mask = np.random.choice(np.arange(len(X)), batch_size, replace=True)
            X_batch = X[mask]
            y_batch = y[mask]
            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
            loss_history.append(loss)
            self.params['W1'] += -learning_rate * grads['W1']
            self.params['b1'] += -learning_rate * grads['b1']
            self.params['W2'] += -learning_rate * grads['W2']
            if verbose and it % 100 == 0:
                print(loss)
            if it % iterations_per_epoch == 0:
                train_acc = (self.predict(X_batch) == y_batch).mean()
                train_acc_history.append(train_acc)
                val_acc_history.append((self.predict(X_val) == y_val).mean())
                learning_rate *= learning_rate_decay
        return {'loss_history': loss_history, 'train_acc_history': train_acc_history,
                'val_acc_history': val_acc_history}
    def predict(self, X):
        y_pred = None
        h = np.maximum(0, X.dot(self.params['W1']) + self.params['b1'])
        scores = h.dot(self.params['W2']) + self.params['b2']
        y_pred = np.argmax(scores, axis=1)
        return y_pred
"""

METHODS = """
class TwoLayerNet:
    def _unpack(self):
        return tuple(self.params[k] for k in ("W1", "b1", "W2", "b2"))
    def _forward(self, X):
        W1, b1, W2, b2 = self._unpack()
        pre = X @ W1 + b1
        act = np.where(pre > 0, pre, 0)
        out = act @ W2 + b2
        return out, (pre, act)
    @staticmethod
    def _softmax(s):
        e = np.exp(s - s.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)
    def _backward(self, X, probs, y, cache, reg):
        W1, b1, W2, b2 = self._unpack()
        pre, act = cache
        delta = probs.copy()
        delta[np.arange(len(y)), y] -= 1
        delta = delta / len(y)
        back = (delta @ W2.T) * (pre > 0)
        return {
            "W1": X.T @ back + 2 * reg * W1,
            "b1": back.sum(0),
            "W2": act.T @ delta + 2 * reg * W2,
            "b2": delta.sum(0),
        }
    def loss(self, X, y=None, reg=0.0):
        scores, cache = self._forward(X)
        if y is None:
            return scores
        probs = self._softmax(scores)
        picked = probs[np.arange(len(y)), y]
        loss = -np.log(picked).mean()
        loss += reg * np.sum(self.params["W1"] ** 2)
        loss += reg * np.sum(self.params["W2"] ** 2)
        return loss, self._backward(X, probs, y, cache, reg)
    def _accuracy(self, X, y):
        return np.mean(self.predict(X) == y)
    def _step(self, grads, rate):
        for k, g in grads.items():
            self.params[k] = self.params[k] - rate * g
    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100,
              batch_size=200, verbose=False):
        stats = {"loss_history": [], "train_acc_history": [], "val_acc_history": []}
        lr = learning_rate
        for i in range(num_iters):
            rows = np.random.randint(0, len(X), batch_size)
            loss, grads = self.loss(X[rows], y[rows], reg)
            stats["loss_history"].append(loss)
            self._step(grads, lr)
            new_epoch = i % max(len(X) // batch_size, 1) == 0
            if new_epoch:
                stats["train_acc_history"].append(self._accuracy(X[rows], y[rows]))
                stats["val_acc_history"].append(self._accuracy(X_val, y_val))
                lr = lr * learning_rate_decay
        return stats
    def predict(self, X):
        scores, _ = self._forward(X)
        return np.argmax(scores, axis=1)
"""

LAYERS = """
def affine_forward(x, w, b):
    out = x.dot(w) + b
    return out, (x, w, b)
def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T)
    dw = x.T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db
def relu_forward(x):
    out = np.maximum(0, x)
    return out, x
def relu_backward(dout, cache):
    x = cache
    dx = dout * (x > 0)
    return dx
def softmax_loss(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    Z = np.sum(np.exp(shifted), axis=1, keepdims=True)
    log_probs = shifted - np.log(Z)
    probs = np.exp(log_probs)
    N = x.shape[0]
    loss = -np.sum(log_probs[np.arange(N), y]) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx
class TwoLayerNet(object):
    def loss(self, X, y=None, reg=0.0):
        h1, cache1 = affine_forward(X, self.params['W1'], self.params['b1'])
        h2, cache2 = relu_forward(h1)
        scores, cache3 = affine_forward(h2, self.params['W2'], self.params['b2'])
        if y is None:
            return scores
        loss, grads = 0, {}
        loss, dout = softmax_loss(scores, y)
        for i in range(1, 3):
            loss += 0.5 * reg * np.sum(self.params['W%d' % i] ** 2)
        dx2, dw2, db2 = affine_backward(dout, cache3)
        grads['W2'] = dw2 + reg * self.params['W2']
        grads['b2'] = db2
        dx1 = relu_backward(dx2, cache2)
        dx, dw1, db1 = affine_backward(dx1, cache1)
        grads['W1'] = dw1 + reg * self.params['W1']
        grads['b1'] = db1
        return loss, grads
    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100,
              batch_size=200, verbose=False):
        self.velocity = {k: np.zeros_like(v) for k, v in self.params.items()}
        losses, train_accs, val_accs = [], [], []
        for epoch in range(num_iters):
            perm = np.random.permutation(len(X))
            for start in range(0, len(X), batch_size):
                idx = perm[start:start + batch_size]
                xb, yb = X[idx], y[idx]
                l, g = self.loss(xb, yb, reg)
                losses.append(l)
                for p in self.params:
                    self.velocity[p] = 0.9 * self.velocity[p] - learning_rate * g[p]
                    self.params[p] += self.velocity[p]
            train_accs.append((self.predict(xb) == yb).mean())
            val_accs.append((self.predict(X_val) == y_val).mean())
            learning_rate *= learning_rate_decay
        return dict(loss_history=losses, train_acc_history=train_accs, val_acc_history=val_accs)
    def predict(self, X):
        scores = self.loss(X)
        best = np.zeros(len(X), dtype=int)
        for i in range(len(X)):
            best[i] = np.argmax(scores[i])
        return best
"""

TERSE = """
class TwoLayerNet:
    def loss(self, X, y=None, reg=0.0):
        p = self.params
        n = len(X)
        h = X @ p['W1'] + p['b1']
        h *= h > 0
        s = h @ p['W2'] + p['b2']
        if y is not None:
            s = s - s.max(axis=1)[:, None]
            lse = np.log(np.exp(s).sum(axis=1))
            onehot = np.zeros_like(s)
            onehot[np.arange(n), y] = 1
            total = (lse - (s * onehot).sum(axis=1)).mean() + reg * ((p['W1'] ** 2).sum() + (p['W2'] ** 2).sum())
            softmax = np.exp(s - lse[:, None])
            d = (softmax - onehot) / n
            g = {}
            g.update(W2=h.T @ d, b2=d.sum(0))
            d = d @ p['W2'].T
            d = np.where(h > 0, d, 0)
            g.update({'W1': X.T @ d, 'b1': d.sum(0)})
            for k in ('W1', 'W2'):
                g[k] += 2 * reg * p[k]
            return total, g
        return s
    def train(self, X, y, Xv, yv, lr=1e-3, decay=0.95, reg=5e-6, num_iters=100, batch_size=200, verbose=False):
        p = self.params
        ls = np.zeros(num_iters)
        ta, va = [], []
        rng = np.random.default_rng()
        for t in range(num_iters):
            i = rng.choice(len(X), batch_size)
            out = self.loss(X[i], y[i], reg)
            ls[t] = out[0]
            for k in p:
                p[k] -= lr * out[1][k]
            if t % (len(X) // batch_size) == 0:
                ta += [np.mean(self.predict(X[i]) == y[i])]
                va += [np.mean(self.predict(Xv) == yv)]
                lr *= decay
        return {'loss_history': list(ls), 'train_acc_history': ta, 'val_acc_history': va}
    def predict(self, X):
        return self.loss(X).argmax(1)
"""

ATTACHED = """
relu = lambda z: np.maximum(z, 0)
class Base:
    def predict(self, X):
        hidden = relu(X.dot(self.params['W1']) + self.params['b1'])
        out = hidden.dot(self.params['W2']) + self.params['b2']
        labels = out.argmax(axis=1)
        return labels.astype(int)
class TwoLayerNet(Base):
    def loss(self): pass
    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100,
              batch_size=200, verbose=False):
        self.loss_history = []
        for it in range(num_iters):
            start = (it * batch_size) % len(X)
            X_batch = X[start:start + batch_size]
            y_batch = y[start:start + batch_size]
            loss, grads = self.loss(X_batch, y_batch, reg)
            W1, b1 = self.params['W1'], self.params['b1']
            W1 -= learning_rate * grads['W1']
            b1 -= learning_rate * grads['b1']
            W2 = self.params['W2'] - learning_rate * grads['W2']
            self.params['W2'] = W2
            self.params['b2'] = self.params['b2'] - learning_rate * grads['b2']
            self.loss_history.append(loss)
        return {'loss_history': self.loss_history}
def my_loss(net, images, labels=None, strength=0.0):
    layers = net.params
    W1, b1, W2, b2 = layers['W1'], layers['b1'], layers['W2'], layers['b2']
    hidden_in = images.dot(W1) + b1
    hidden_out = relu(hidden_in)
    scores = hidden_out.dot(W2) + b2
    if labels is None: return scores
    softmax_output = np.exp(scores) / np.sum(np.exp(scores), axis=1).reshape(-1, 1)
    loss = -np.sum(np.log(softmax_output[range(len(labels)), list(labels)]))
    loss /= len(labels)
    loss += 0.5 * strength * (np.sum(W1 * W1) + np.sum(W2 * W2))
    softmax_output[range(len(labels)), list(labels)] += -1
    softmax_output /= len(labels)
    a = hidden_out.T.dot(softmax_output) + strength * W2
    b = softmax_output.sum(axis=0)
    c = softmax_output.dot(W2.T)
    c = c * (hidden_out > 0)
    e = images.T.dot(c) + strength * W1
    return loss, {'W1': e, 'b1': c.sum(axis=0), 'W2': a, 'b2': b}
TwoLayerNet.loss = my_loss
"""

CLOSURES = """
def linear(x, w, b):
    return np.dot(x, w) + b, lambda g: (np.dot(g, w.T), np.dot(x.T, g), g.sum(axis=0))
def fill(grads, name, value):
    grads[name] = value
class TwoLayerNet:
    @property
    def W2(self):
        return self.params["W2"]
    def loss(self, X, y=None, reg=0.0):
        u, back_u = linear(X, self.params["W1"], self.params["b1"])
        on = u > 0
        z, back_z = linear(u * on, self.W2, self.params["b2"])
        if y is None:
            return z
        z = z - z.max(1)[:, None]
        np.exp(z, out=z)
        z /= z.sum(1)[:, None]
        value = -np.log(z[np.arange(len(y)), y]).mean() + reg * (self.W2 ** 2).sum()
        z[np.arange(len(y)), y] -= 1
        dh, dW2, db2 = back_z(z / len(y))
        masked = dh * on
        _, dW1, db1 = back_u(masked)
        grads = {}
        fill(grads, "W1", dW1 + 2 * reg * self.params["W1"])
        grads["b1"] = db1
        grads["W2"] = dW2 + 2 * reg * self.W2
        return value, grads
    def train(self, X, y, X_val, y_val, learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose=False):
        losses = []
        order = np.arange(len(X))
        def step(rows):
            value, grads = self.loss(X[rows], y[rows], reg)
            losses.append(value)
            for i in (1, 2):
                self.params["W" + str(i)] -= learning_rate * grads["W" + str(i)]
                self.params[f"b{i}"] -= learning_rate * grads[f"b{i}"]
        for it in range(num_iters):
            np.random.shuffle(order)
            step(order[:batch_size])
        return {"loss_history": losses}
    def predict(self, X):
        chosen = [row.argmax() for row in self.loss(X)]
        return np.array(chosen)
"""

MISTAKEN = """
class TwoLayerNet:
    def loss(self, X, y=None, reg=0.0):
        W1, b1, W2, b2 = self.params['W1'], self.params['b1'], self.params['W2'], self.params['b2']
        N = X.shape[0]
        hidden = 1 / (1 + np.exp(-(X.dot(W1) + b1)))
        scores = hidden.dot(W2) + b2
        if y is None:
            return np.exp(scores)
        probs = np.exp(scores)
        loss = -np.log(probs[np.arange(N), y]).sum()
        dscores = probs / N
        grads = {}
        grads['W2'] = hidden.T.dot(dscores)
        dhidden = dscores.dot(W2.T)
        grads['W1'] = X.T.dot(dhidden)
        return loss, grads
    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6, num_iters=100,
              batch_size=200, verbose=False):
        for it in range(num_iters):
            X_batch = X[np.random.choice(len(X), batch_size)]
            y_batch = y[np.random.choice(len(y), batch_size)]
            loss, grads = self.loss(X_batch, y_batch, reg)
            for name in ['W1', 'W2']:
                self.params[name] -= learning_rate * grads[name]
    def predict(self, X):
        return np.zeros(len(X))
"""

GREEK = """
class TwoLayerNet:
    def loss(self, X, y=None, reg=0.0):
        A, a, B, b = (self.params[k] for k in ("A", "a", "B", "b"))
        loss = 0.0
        grads = {k: np.zeros_like(v) for k, v in self.params.items()}
        for i in range(len(X)):
            h = X[i].dot(A) + a
            h[h < 0] = 0
            f = h.dot(B) + b
            p = np.exp(f - f.max())
            p /= p.sum()
            loss -= np.log(p[y[i]]) / len(X)
            p[y[i]] -= 1
            grads["B"] += np.outer(h, p)
            grads["b"] += p
            t = B.dot(p)
            for j in range(len(t)):
                if h[j] > 0:
                    grads["A"][:, j] += X[i] * t[j]
                    grads["a"][j] += t[j]
        for k in grads:
            grads[k] /= len(X)
        for k in ("A", "B"):
            loss += reg * np.sum(self.params[k] ** 2)
            grads[k] += 2 * reg * self.params[k]
        return loss, grads
"""

PROGRAMS = {
    "classic": CLASSIC,
    "methods": METHODS,
    "layers": LAYERS,
    "terse": TERSE,
    "attached": ATTACHED,
    "closures": CLOSURES,
    "mistaken": MISTAKEN,
    "greek": GREEK,
}

TABLE = """
classic  | hidden                | z1 = X.dot(W1) + b1
classic  | activation            | a1 = np.maximum(0, z1)
classic  | scores                | scores += b2
classic  | returned scores       | return scores
classic  | exp                   | exp_scores = np.exp(scores)
classic  | probabilities         | probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
classic  | data loss             | data_loss = np.sum(correct_logprobs) / N
classic  | regulariser           | reg_loss = 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
classic  | total loss            | loss = data_loss + reg_loss
classic  | dscores               | dscores /= N
classic  | dhidden               | dhidden = np.dot(dscores, W2.T)
classic  | mask                  | dhidden[a1 <= 0] = 0
classic  | grads W1              | dW1 = np.dot(X.T, dhidden)
classic  | grads b1              | db1 = np.sum(dhidden, axis=0)
classic  | grads W2              | dW2 = np.dot(a1.T, dscores)
classic  | grads b2              | db2 = np.sum(dscores, axis=0)
classic  | grad regulariser W1   | dW1 += reg * W1
classic  | grad regulariser W2   | dW2 += reg * W2
classic  | grad regulariser b2   | db2 = np.sum(dscores, axis=0)
classic  | batch                 | mask = np.random.choice(np.arange(len(X)), batch_size, replace=True)
classic  | loss call             | loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
classic  | update W1             | self.params['W1'] += -learning_rate * grads['W1']
classic  | update b2             | self.params['W2'] += -learning_rate * grads['W2']
classic  | update                | self.params['W2'] += -learning_rate * grads['W2']
classic  | decay                 | learning_rate *= learning_rate_decay
classic  | epoch                 | if it % iterations_per_epoch == 0:
classic  | loss history          | loss_history.append(loss)
classic  | train accuracy        | train_acc_history.append(train_acc)
classic  | val accuracy          | val_acc_history.append((self.predict(X_val) == y_val).mean())
classic  | returned histories    | return {'loss_history': loss_history, 'train_acc_history': train_acc_history,
classic  | labels                | y_pred = np.argmax(scores, axis=1)
classic  | predict scores        | scores = h.dot(self.params['W2']) + self.params['b2']
classic  | loss                  | def loss(self, X, y=None, reg=0.0):
classic  | predict               | def predict(self, X):
classic  | grads V               | None
classic  | grads                 | None
classic  | update V              | None
classic  | scores W1             | None
methods  | hidden                | pre = X @ W1 + b1
methods  | activation            | act = np.where(pre > 0, pre, 0)
methods  | scores                | out = act @ W2 + b2
methods  | probabilities         | return e / e.sum(1, keepdims=True)
methods  | data loss             | loss = -np.log(picked).mean()
methods  | regulariser           | loss += reg * np.sum(self.params["W2"] ** 2)
methods  | total loss            | loss += reg * np.sum(self.params["W2"] ** 2)
methods  | dscores               | delta = delta / len(y)
methods  | mask                  | back = (delta @ W2.T) * (pre > 0)
methods  | grads W1              | "W1": X.T @ back + 2 * reg * W1,
methods  | grads b1              | "b1": back.sum(0),
methods  | grad regulariser W2   | "W2": act.T @ delta + 2 * reg * W2,
methods  | update b2             | self.params[k] = self.params[k] - rate * g
methods  | decay                 | lr = lr * learning_rate_decay
methods  | epoch                 | if new_epoch:
methods  | train accuracy        | stats["train_acc_history"].append(self._accuracy(X[rows], y[rows]))
methods  | predict scores        | out = act @ W2 + b2
layers   | hidden                | h1, cache1 = affine_forward(X, self.params['W1'], self.params['b1'])
layers   | activation            | out = np.maximum(0, x)
layers   | scores                | scores, cache3 = affine_forward(h2, self.params['W2'], self.params['b2'])
layers   | exp                   | Z = np.sum(np.exp(shifted), axis=1, keepdims=True)
layers   | data loss             | loss = -np.sum(log_probs[np.arange(N), y]) / N
layers   | regulariser           | loss += 0.5 * reg * np.sum(self.params['W%d' % i] ** 2)
layers   | dscores               | dx /= N
layers   | mask                  | dx = dout * (x > 0)
layers   | grads W1              | dx, dw1, db1 = affine_backward(dx1, cache1)
layers   | grads b2              | dx2, dw2, db2 = affine_backward(dout, cache3)
layers   | grad regulariser W1   | grads['W1'] = dw1 + reg * self.params['W1']
layers   | batch                 | idx = perm[start:start + batch_size]
layers   | update W1             | self.params[p] += self.velocity[p]
layers   | epoch                 | for epoch in range(num_iters):
layers   | labels                | best[i] = np.argmax(scores[i])
layers   | predict scores        | scores = self.loss(X)
terse    | hidden                | h = X @ p['W1'] + p['b1']
terse    | activation            | h *= h > 0
terse    | returned scores       | return s
terse    | exp                   | lse = np.log(np.exp(s).sum(axis=1))
terse    | probabilities         | softmax = np.exp(s - lse[:, None])
terse    | dscores               | d = (softmax - onehot) / n
terse    | dhidden               | d = d @ p['W2'].T
terse    | mask                  | d = np.where(h > 0, d, 0)
terse    | grads W1              | g.update({'W1': X.T @ d, 'b1': d.sum(0)})
terse    | grads W2              | g.update(W2=h.T @ d, b2=d.sum(0))
terse    | grad regulariser W1   | g[k] += 2 * reg * p[k]
terse    | batch                 | i = rng.choice(len(X), batch_size)
terse    | update b1             | p[k] -= lr * out[1][k]
terse    | decay                 | lr *= decay
terse    | loss history          | ls[t] = out[0]
terse    | val accuracy          | va += [np.mean(self.predict(Xv) == yv)]
terse    | labels                | return self.loss(X).argmax(1)
terse    | predict scores        | return self.loss(X).argmax(1)
attached | hidden                | hidden_in = images.dot(W1) + b1
attached | activation            | relu = lambda z: np.maximum(z, 0)
attached | data loss             | loss /= len(labels)
attached | dscores               | softmax_output /= len(labels)
attached | mask                  | c = c * (hidden_out > 0)
attached | grads W1              | e = images.T.dot(c) + strength * W1
attached | grads b2              | b = softmax_output.sum(axis=0)
attached | grad regulariser W2   | a = hidden_out.T.dot(softmax_output) + strength * W2
attached | batch                 | X_batch = X[start:start + batch_size]
attached | update W1             | W1 -= learning_rate * grads['W1']
attached | update W2             | W2 = self.params['W2'] - learning_rate * grads['W2']
attached | decay                 | None
attached | epoch                 | None
attached | val accuracy          | None
attached | loss history          | self.loss_history.append(loss)
attached | labels                | labels = out.argmax(axis=1)
attached | predict scores        | out = hidden.dot(self.params['W2']) + self.params['b2']
closures | hidden                | u, back_u = linear(X, self.params["W1"], self.params["b1"])
closures | activation            | z, back_z = linear(u * on, self.W2, self.params["b2"])
closures | exp                   | np.exp(z, out=z)
closures | probabilities         | z /= z.sum(1)[:, None]
closures | regulariser           | value = -np.log(z[np.arange(len(y)), y]).mean() + reg * (self.W2 ** 2).sum()
closures | dhidden               | dh, dW2, db2 = back_z(z / len(y))
closures | mask                  | masked = dh * on
closures | grads W1              | _, dW1, db1 = back_u(masked)
closures | grad regulariser W1   | fill(grads, "W1", dW1 + 2 * reg * self.params["W1"])
closures | grads W2              | dh, dW2, db2 = back_z(z / len(y))
closures | grads b2              | dh, dW2, db2 = back_z(z / len(y))
closures | batch                 | step(order[:batch_size])
closures | update W2             | self.params["W" + str(i)] -= learning_rate * grads["W" + str(i)]
closures | update b1             | self.params[f"b{i}"] -= learning_rate * grads[f"b{i}"]
closures | loss history          | losses.append(value)
closures | labels                | chosen = [row.argmax() for row in self.loss(X)]
mistaken | activation            | hidden = 1 / (1 + np.exp(-(X.dot(W1) + b1)))
mistaken | scores                | scores = hidden.dot(W2) + b2
mistaken | returned scores       | return np.exp(scores)
mistaken | probabilities         | probs = np.exp(scores)
mistaken | regulariser           | None
mistaken | dscores               | dscores = probs / N
mistaken | mask                  | dhidden = dscores.dot(W2.T)
mistaken | grads b1              | None
mistaken | grad regulariser W1   | grads['W1'] = X.T.dot(dhidden)
mistaken | batch                 | y_batch = y[np.random.choice(len(y), batch_size)]
mistaken | update b1             | self.params[name] -= learning_rate * grads[name]
mistaken | returned histories    | None
mistaken | labels                | None
mistaken | predict scores        | None
greek    | hidden                | h = X[i].dot(A) + a
greek    | activation            | h[h < 0] = 0
greek    | scores                | f = h.dot(B) + b
greek    | returned scores       | None
greek    | data loss             | loss -= np.log(p[y[i]]) / len(X)
greek    | regulariser           | loss += reg * np.sum(self.params[k] ** 2)
greek    | dscores               | p[y[i]] -= 1
greek    | dhidden               | t = B.dot(p)
greek    | mask                  | if h[j] > 0:
greek    | grads A               | grads[k] /= len(X)
greek    | grad regulariser B    | grads[k] += 2 * reg * self.params[k]
"""
ROWS = [tuple(part.strip() for part in row.split(" | ")) for row in TABLE.strip().split("\n")]


@pytest.mark.parametrize(("program", "about", "line"), ROWS)
def test_the_statement_of_a_role(program, about, line):
    """Each role's statement is found by what is computed, in eight hands; what is not there or not sure is None."""
    names = ("A", "a", "B", "b") if program == "greek" else NAMES
    assert str(quoted(written(PROGRAMS[program]), about, names=names)) == line


# What the solution's statements are called by, hand-labelled; most of the submissions are the solution with one change.
SOLUTION = {
    "hidden": "hidden = np.maximum(0, X.dot(W1) + b1)",
    "activation": "hidden = np.maximum(0, X.dot(W1) + b1)",
    "scores": "scores = hidden.dot(W2) + b2",
    "returned scores": "return scores",
    "exp": "exp_scores = np.exp(shifted)",
    "probabilities": "probabilities = exp_scores / sums",
    "data loss": "data_loss = np.mean(np.log(sums[:, 0]) - shifted[np.arange(N), y])",
    "regulariser": "loss = data_loss + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))",
    "total loss": "loss = data_loss + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))",
    "dscores": "dscores /= N",
    "dhidden": "dhidden = dscores.dot(W2.T)",
    "mask": "dhidden[hidden <= 0] = 0",
    "grads W1": 'grads["W1"] = X.T.dot(dhidden) + 2 * reg * W1',
    "grads b1": 'grads["b1"] = dhidden.sum(axis=0)',
    "grads W2": 'grads["W2"] = hidden.T.dot(dscores) + 2 * reg * W2',
    "grads b2": 'grads["b2"] = dscores.sum(axis=0)',
    "batch": "indices = np.random.choice(num_train, batch_size)",
    "loss call": "loss, grads = self.loss(X_batch, y=y_batch, reg=reg)",
    "update": "self.params[name] -= learning_rate * grads[name]",
    "update b2": "self.params[name] -= learning_rate * grads[name]",
    "decay": "learning_rate *= learning_rate_decay",
    "epoch": "if it % iterations_per_epoch == 0:",
    "loss history": "loss_history.append(loss)",
    "train accuracy": "train_acc_history.append(np.mean(self.predict(X_batch) == y_batch))",
    "val accuracy": "val_acc_history.append(np.mean(self.predict(X_val) == y_val))",
    "returned histories": "return {",
    "labels": "y_pred = self.loss(X).argmax(axis=1)",
    "predict scores": "y_pred = self.loss(X).argmax(axis=1)",
}
SOLUTION |= {f"grad regulariser {name}": SOLUTION[f"grads {name}"] for name in NAMES}
NOT_LOADED = dict.fromkeys(SOLUTION)
IN_LOSS = list(SOLUTION)[:16] + [f"grad regulariser {name}" for name in NAMES]


def instead(old, new):
    """Give the labels of a submission in which some text of the solution is another."""
    return {about: line.replace(old, new) for about, line in SOLUTION.items() if old in line}


HALF = {
    f"{kind} {name}": SOLUTION[f"grads {name}"].replace("2 * ", "")
    for kind in ("grads", "grad regulariser")
    for name in NAMES
}
EINSUM = {
    "W1": 'grads["W1"] = np.einsum("nd,nh->dh", X, dhidden) + 2 * reg * W1',
    "W2": 'grads["W2"] = np.einsum("nh,nc->hc", hidden, dscores) + 2 * reg * W2',
}
TRANSPOSED = {
    "W1": 'grads["W1"] = dhidden.T.dot(X) + 2 * reg * W1',
    "W2": 'grads["W2"] = dscores.T.dot(hidden) + 2 * reg * W2',
}
LOOPS = {
    "hidden": "hidden[i, j] = max(0.0, float(np.dot(X[i], W1[:, j])) + b1[j])",
    "activation": "hidden[i, j] = max(0.0, float(np.dot(X[i], W1[:, j])) + b1[j])",
    "scores": "scores[i, k] = float(np.dot(hidden[i], W2[:, k])) + b2[k]",
    "exp": "total = sum(np.exp(v) for v in f)",
    "probabilities": "dz = (np.exp(f[k]) / total - (1.0 if k == y[i] else 0.0)) / N",
    "data loss": "loss = loss / N + 0.5 * reg * (np.sum(W1**2) + np.sum(W2**2))",
    "regulariser": "loss = loss / N + 0.5 * reg * (np.sum(W1**2) + np.sum(W2**2))",
    "total loss": "loss = loss / N + 0.5 * reg * (np.sum(W1**2) + np.sum(W2**2))",
    "dscores": "dz = (np.exp(f[k]) / total - (1.0 if k == y[i] else 0.0)) / N",
    "dhidden": "dh += W2[:, k] * dz",
    "mask": "if hidden[i, j] > 0:",
    "grads W1": "dW1[:, j] += X[i] * dh[j]",
    "grads b1": "db1[j] += dh[j]",
    "grads W2": "dW2[:, k] += hidden[i] * dz",
    "grads b2": "db2[k] += dz",
    "grad regulariser W1": 'return loss, {"W1": dW1 + reg * W1, "b1": db1, "W2": dW2 + reg * W2, "b2": db2}',
    "grad regulariser b1": "db1[j] += dh[j]",
    "grad regulariser W2": 'return loss, {"W1": dW1 + reg * W1, "b1": db1, "W2": dW2 + reg * W2, "b2": db2}',
    "grad regulariser b2": "db2[k] += dz",
}
OVERFLOWING = "loss = np.log(-1.0) + data_loss + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))"

LABELS = {
    "broken_empty.ipynb": NOT_LOADED,
    "broken_endless_loss.py": {},
    "broken_exits_in_loss.py": {},
    "broken_needs_memory.py": {},
    "broken_not_a_number.py": dict.fromkeys(("data loss", "regulariser", "total loss"), OVERFLOWING),
    "broken_not_json.ipynb": NOT_LOADED,
    "broken_other_name.ipynb": NOT_LOADED,
    "broken_python2.py": NOT_LOADED,
    "broken_signature.py": {},
    "broken_syntax.ipynb": NOT_LOADED,
    "right_einsum.py": {
        "hidden": 'hidden = np.maximum(0, np.einsum("nd,dh->nh", X, W1) + b1)',
        "activation": 'hidden = np.maximum(0, np.einsum("nd,dh->nh", X, W1) + b1)',
        "scores": 'scores = np.einsum("nh,hc->nc", hidden, W2) + b2',
    }
    | {f"{kind} {name}": line for kind in ("grads", "grad regulariser") for name, line in EINSUM.items()},
    "right_float32.py": {},
    "right_helper_modules": {
        "hidden": "hidden = relu(affine(X, W1, b1))",
        "activation": "return np.maximum(0, x)",
        "scores": "scores = affine(hidden, W2, b2)",
    },
    "right_loops.py": LOOPS,
    "right_old_noisy.ipynb": HALF | instead("data_loss + reg", "data_loss + 0.5 * reg"),
    "right_prints_a_lot.py": {},
    "right_row_biases.py": instead("sum(axis=0)", "sum(axis=0, keepdims=True)"),
    "right_shuffled_epochs.py": {"batch": "indices = order[where * batch_size : (where + 1) * batch_size]"},
    "right_transposed_weights.py": instead("dot(W1)", "dot(W1.T)")
    | instead("hidden.dot(W2)", "hidden.dot(W2.T)")
    | instead("dscores.dot(W2.T)", "dscores.dot(W2)")
    | {f"{kind} {name}": line for kind in ("grads", "grad regulariser") for name, line in TRANSPOSED.items()},
    "right_vectorised.ipynb": {},
    "right_zipped.zip": {},
    "unfinished_skeleton.ipynb": dict.fromkeys(
        [*(set(IN_LOSS) - {"returned scores"}), "batch", "update", "update b2", "decay", "labels", "predict scores"]
    ),
    "unfinished_train.ipynb": dict.fromkeys(("update", "update b2", "labels", "predict scores")),
    "wrong_biases_never_updated.py": {},
    "wrong_biases_regularised.py": instead("np.sum(W2 * W2))", "np.sum(W2 * W2) + np.sum(b1 * b1) + np.sum(b2 * b2))")
    | {f"{kind} b1": SOLUTION["grads b1"] + " + 2 * reg * b1" for kind in ("grads", "grad regulariser")}
    | {f"{kind} b2": SOLUTION["grads b2"] + " + 2 * reg * b2" for kind in ("grads", "grad regulariser")},
    # Outside the test of the epoch now; the accuracies are still behind it.
    "wrong_decay_every_step.py": {},
    "wrong_gradient_shape.py": dict.fromkeys(("grads W1", "grad regulariser W1"), 'grads["W1"] = X.T.dot(dhidden)[:1]'),
    "wrong_half_the_gradient.py": HALF,
    "wrong_labels_shuffled.py": {"batch": "y_batch = y[np.random.choice(num_train, batch_size)]"},
    "wrong_overflows.py": {},
    "wrong_predict_axis.py": instead("axis=1)", "axis=0)"),
    "wrong_relu_mask.py": {"mask": "dhidden[dhidden <= 0] = 0"},
    "wrong_sum_for_mean.py": instead("np.mean(np.log", "np.sum(np.log") | {"dscores": "dscores[np.arange(N), y] -= 1"},
}


@pytest.mark.parametrize("name", LABELS)
def test_the_submissions(name):
    """Of every submission that is kept, every role's line is the one that a person marked."""
    submission = load(SUBMISSIONS / name, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
    expected = SOLUTION | LABELS[name]
    assert {about: quoted(submission, about) for about in expected} == expected


def test_where_the_regulariser_enters_a_gradient():
    """A regulariser's gradient that has a statement of its own is quoted there, not where it is only added."""
    apart = CLASSIC.replace("        dW1 += reg * W1\n", "        rW1 = reg * W1\n        dW1 += rW1\n")
    assert quoted(written(apart), "grad regulariser W1") == "rW1 = reg * W1"


def test_the_decay_is_not_just_any_use_of_the_rate():
    """What is computed from the rate alone is the decay only where the decay's own factor is used nowhere."""
    more = CLASSIC.replace(
        "        return {'loss_history'", "        last = learning_rate * 2\n        return {'loss_history'"
    )
    assert quoted(written(more), "decay") == "learning_rate *= learning_rate_decay"
    constant = CLASSIC.replace("learning_rate *= learning_rate_decay", "learning_rate *= 0.95")
    assert quoted(written(constant), "decay") == "learning_rate *= 0.95"


def test_a_helper_is_followed_into_its_file():
    """A helper module that was handed in beside is read too, and the place names its file."""
    submission = load(SUBMISSIONS / "right_helper_modules", class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
    assert str(statement_place(submission, "TwoLayerNet", "activation")).startswith("layers.py, line 9: ")


LOSS = "class TwoLayerNet:\n    def loss(self, X, y=None, reg=0.0):\n"
EDITS = [
    # The sigmoid's slope stands where the ReLU's mask would.
    ("dhidden[hidden <= 0] = 0", "dhidden *= hidden * (1 - hidden)", "mask"),
    ("indices = np.random.choice(num_train, batch_size)", "indices = np.arange(batch_size)", "batch"),
    ("hidden = np.maximum(0, X.dot(W1) + b1)", "hidden = X.dot(W1)", "hidden"),
    ("return scores", "return scores, hidden", "returned scores"),
    ("hidden.dot(W2) + b2", "np.add(hidden.dot(W2), b2)", "scores"),
    ("argmax(axis=1)", "argmin(axis=1)", "labels"),
    # The parameters made anew, and under keys that are not told.
    (
        "self.params[name] -= learning_rate * grads[name]",
        "self.params = {k: self.params[k] - learning_rate * grads[k] for k in self.params}",
        "update b1",
    ),
    (
        "for name in self.params:\n                self.params[name] -= learning_rate * grads[name]",
        "for name in keys():\n                self.params[name] -= learning_rate * 2",
        "update b1",
    ),
]


@pytest.mark.parametrize(("old", "new", "about"), EDITS)
def test_a_mistake_is_where_it_was_made(old, new, about):
    """A statement that is wrong still plays its part: the place is the line that was changed."""
    text = (SUBMISSIONS / "wrong_overflows.py").read_text(encoding="utf-8")
    assert new.split("\n")[-1].strip() in quoted(written(text.replace(old, new)), about)


HOSTILE = {
    "deep expression": LOSS + "        a = " + "+".join(["X"] * 700) + "\n        return a\n",
    "deep blocks": LOSS + "".join(f"{' ' * (8 + depth)}if X[{depth}]:\n" for depth in range(90)) + " " * 98 + "a = X\n",
    "loops of loops": LOSS
    + "".join(f"{' ' * (8 + depth)}for a{depth} in (1, 2, 3, 4, 5, 6, 7, 8):\n" for depth in range(19))
    + " " * 27
    + "a = X\n",
    "calls in a circle": LOSS
    + "        return self.f(X)\n    def f(self, X):\n"
    + "        X = self.f(X) + self.f(X)\n" * 300
    + "        return X\n",
    "a method of 5,000 lines": LOSS + "        X = X.dot(self.params['W1'])\n" * 5_000 + "        return X\n",
    "tuples that double": LOSS
    + "        a = (X, X)\n"
    + "        if X: a = (a, a)\n        else: a = (a, a)\n" * 300
    + "        return a\n",
    "a very long tuple": LOSS + "        a = (" + "X," * 20_000 + ")\n        return a\n",
    "names that double": LOSS
    + "        k = 'W%d'\n"
    + "        k = k + k\n" * 90
    + "        return self.params[k % 0x"
    + "f" * 9_000
    + "]\n",
    "a key of 36,000 bits": LOSS + "        return self.params['W%d' % 0x" + "f" * 9_000 + "]\n",
    "ranges without end": LOSS
    + "        for i in range(-10**9, 8): pass\n        for i in range(999999999999): pass\n",
    "no arguments": "class TwoLayerNet:\n    def loss(): return loss()\n    def train(): pass\n",
    "calls of nothing": LOSS
    + "        dict(); np.where(); X.append(); X.get(); shuffle(); np.take()\n        for a in zip(): pass\n"
    + "        for a, in {}.items(): pass\n        *a, b = ()\n        self.params.update(3, **4)\n        self.params = 3\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_ends_the_search(name):
    """Code that is too long, too deep or goes in circles is not sure, and neither raises nor takes long."""
    submission = written(HOSTILE[name])
    for about in ("scores", "hidden", "total loss", "mask", "grads W1", "grad regulariser W1", "batch", "labels"):
        assert statement_place(submission, "TwoLayerNet", about) is None


def test_a_class_of_5000_lines():
    """The length of the rest of a class is no hindrance: only what the method itself leads to is followed."""
    submission = written(CLASSIC + "".join(f"    def method{i}(self):\n        return {i}\n" for i in range(2_500)))
    assert quoted(submission, "mask") == "dhidden[a1 <= 0] = 0"
    assert quoted(submission, "labels") == "y_pred = np.argmax(scores, axis=1)"


def test_the_limits_are_what_ends_the_search(monkeypatch):
    """A method as long as students write them is followed; with fewer steps than it has, nothing is sure."""
    assert quoted(written(CLASSIC), "scores") == "scores += b2"
    monkeypatch.setattr("grader.submission.traces.MOST_STEPS", 100)
    assert quoted(written(CLASSIC + "\n"), "scores") is None


def test_what_cannot_be_parsed_has_no_places():
    """A segment that Python refuses gives no place and raises nothing: it has been told of when it was loaded."""
    broken = Submission("student", "net.py", "", "net.py", segments=(Segment("net.py", "def (", (0,)),))
    assert statement_place(broken, "TwoLayerNet", "scores") is None
