"""Right programs in several hands, short ones, and how a test makes a wrong one of them."""

from __future__ import annotations

INIT = """    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {
            'W1': std * np.random.randn(input_size, hidden_size), 'b1': np.zeros(hidden_size),
            'W2': std * np.random.randn(hidden_size, output_size), 'b2': np.zeros(output_size),
        }
"""
LOSS = """    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params['W1'], self.params['b1']
        W2, b2 = self.params['W2'], self.params['b2']
        N = X.shape[0]
        z1 = X.dot(W1) + b1
        a1 = np.maximum(0, z1)
        scores = a1.dot(W2) + b2
        if y is None:
            return scores
        most = np.max(scores, axis=1, keepdims=True)
        shifted = scores - most
        e = np.exp(shifted)
        sums = np.sum(e, axis=1, keepdims=True)
        probs = e / sums
        correct = np.log(sums[:, 0]) - shifted[np.arange(N), y]
        data_loss = np.sum(correct) / N
        reg_loss = reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        loss = data_loss + reg_loss
        grads = {}
        dscores = probs.copy()
        dscores[np.arange(N), y] -= 1
        dscores /= N
        grads['W2'] = a1.T.dot(dscores)
        grads['b2'] = np.sum(dscores, axis=0)
        dhidden = dscores.dot(W2.T)
        dhidden[z1 <= 0] = 0
        grads['W1'] = X.T.dot(dhidden)
        grads['b1'] = np.sum(dhidden, axis=0)
        grads['W2'] += 2 * reg * W2
        grads['W1'] += 2 * reg * W1
        return loss, grads
"""
TRAIN = """    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        num_train = X.shape[0]
        per_epoch = max(num_train // batch_size, 1)
        loss_history, train_acc_history, val_acc_history = [], [], []
        for it in range(num_iters):
            rows = np.random.choice(num_train, batch_size)
            X_batch = X[rows]
            y_batch = y[rows]
            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)
            loss_history.append(loss)
            self.params['W1'] -= learning_rate * grads['W1']
            self.params['b1'] -= learning_rate * grads['b1']
            self.params['W2'] -= learning_rate * grads['W2']
            self.params['b2'] -= learning_rate * grads['b2']
            if it % per_epoch == 0:
                train_acc = (self.predict(X_batch) == y_batch).mean()
                val_acc = (self.predict(X_val) == y_val).mean()
                train_acc_history.append(train_acc)
                val_acc_history.append(val_acc)
                learning_rate *= learning_rate_decay
        return {
            'loss_history': loss_history,
            'train_acc_history': train_acc_history,
            'val_acc_history': val_acc_history,
        }
"""
PREDICT = """    def predict(self, X):
        z1 = X.dot(self.params['W1']) + self.params['b1']
        a1 = np.maximum(0, z1)
        scores = a1.dot(self.params['W2']) + self.params['b2']
        labels = np.argmax(scores, axis=1)
        return labels
"""
HEAD = "import numpy as np\n\n"


def _class(loss: str) -> str:
    """Write the class with this loss()."""
    return f"class TwoLayerNet:\n{INIT}\n{loss}\n{TRAIN}\n{PREDICT}"


CLASSIC = HEAD + _class(LOSS)

LAYERS = """def affine(x, w, b):
    out = x.dot(w) + b
    return out

def affine_back(d, x, w):
    dx = d.dot(w.T)
    dw = x.T.dot(d)
    db = d.sum(axis=0)
    return dx, dw, db

def softmax(scores, y):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(y)), y]).mean()
    d = p.copy()
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    return loss, d
"""
SHARED_LOSS = """    def loss(self, X, y=None, reg=0.0):
        W1, b1, W2, b2 = (self.params[name] for name in ('W1', 'b1', 'W2', 'b2'))
        u = affine(X, W1, b1)
        h = np.maximum(0, u)
        scores = affine(h, W2, b2)
        if y is None:
            return scores
        loss, d = softmax(scores, y)
        loss += reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
        grads = {}
        dh, grads['W2'], grads['b2'] = affine_back(d, h, W2)
        du = dh * (u > 0)
        dx, grads['W1'], grads['b1'] = affine_back(du, X, W1)
        grads['W2'] += 2 * reg * W2
        grads['W1'] += 2 * reg * W1
        return loss, grads
"""
SHARED = HEAD + LAYERS + "\n" + _class(SHARED_LOSS)
IN_TWO_FILES = "import numpy as np\nfrom layers import affine, affine_back, softmax\n\n" + _class(SHARED_LOSS)

LOOPED_LOSS = """    def loss(self, X, y=None, reg=0.0):
        W1, b1, W2, b2 = self.params['W1'], self.params['b1'], self.params['W2'], self.params['b2']
        N, H = X.shape[0], W1.shape[1]
        hidden = np.zeros((N, H))
        for i in range(N):
            for j in range(H):
                hidden[i, j] = max(0.0, X[i].dot(W1[:, j]) + b1[j])
        scores = hidden.dot(W2) + b2
        if y is None:
            return scores
        total = 0.0
        dW1, db1 = np.zeros_like(W1), np.zeros_like(b1)
        dW2, db2 = np.zeros_like(W2), np.zeros_like(b2)
        for i in range(N):
            f = scores[i] - scores[i].max()
            p = np.exp(f) / np.exp(f).sum()
            total -= np.log(p[y[i]])
            d = p.copy()
            d[y[i]] -= 1
            dW2 += np.outer(hidden[i], d)
            db2 += d
            dh = W2.dot(d)
            for j in range(H):
                if hidden[i, j] > 0:
                    dW1[:, j] += X[i] * dh[j]
                    db1[j] += dh[j]
        loss = total / N + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        grads = {'W1': dW1 / N + 2 * reg * W1, 'b1': db1 / N}
        grads['W2'] = dW2 / N + 2 * reg * W2
        grads['b2'] = db2 / N
        return loss, grads
"""
LOOPED = HEAD + _class(LOOPED_LOSS)

OBJECTS_TOP = """class Affine:
    def forward(self, x, w, b):
        self.x, self.w = x, w
        return x.dot(w) + b

    def backward(self, d):
        self.dw = self.x.T.dot(d)
        self.db = d.sum(axis=0)
        return d.dot(self.w.T)

class Relu:
    def forward(self, x):
        self.on = x > 0
        return x * self.on

    def backward(self, d):
        return d * self.on
"""
OBJECTS_LOSS = """    def loss(self, X, y=None, reg=0.0):
        p, N = self.params, len(X)
        one, relu, two = Affine(), Relu(), Affine()
        h = relu.forward(one.forward(X, p['W1'], p['b1']))
        scores = two.forward(h, p['W2'], p['b2'])
        if y is None:
            return scores
        scores = scores - scores.max(axis=1)[:, None]
        logp = scores - np.log(np.exp(scores).sum(axis=1))[:, None]
        loss = -logp[range(N), y].mean() + reg * sum(np.sum(p[w] ** 2) for w in ('W1', 'W2'))
        d = np.exp(logp)
        d[range(N), y] -= 1
        d = d / N
        one.backward(relu.backward(two.backward(d)))
        return loss, {
            'W1': one.dw + 2 * reg * p['W1'],
            'b1': one.db,
            'W2': two.dw + 2 * reg * p['W2'],
            'b2': two.db,
        }
"""
OBJECTS = HEAD + OBJECTS_TOP + "\n" + _class(OBJECTS_LOSS)

TERSE_LOSS = """    def loss(self, X, y=None, reg=0.0):
        p, n = self.params, len(X)
        h = np.maximum(X @ p['W1'] + p['b1'], 0); s = h @ p['W2'] + p['b2']
        if y is None: return s
        q = np.exp(s - s.max(1)[:, None]); q = q / q.sum(1)[:, None]
        l = -np.log(q[range(n), y]).mean() + reg * ((p['W1'] ** 2).sum() + (p['W2'] ** 2).sum())
        d = (q - np.eye(s.shape[1])[y]) / n; g = {'W2': h.T @ d + 2 * reg * p['W2'], 'b2': d.sum(0)}
        d = d @ p['W2'].T * (h > 0)
        g.update(W1=X.T @ d + 2 * reg * p['W1'], b1=d.sum(0))
        return l, g
"""
TERSE = HEAD + _class(TERSE_LOSS)


def _outside(*methods: str) -> str:
    """Write methods as functions that the class gets afterwards."""
    functions = "\n".join("\n".join(line[4:] for line in method.splitlines()) + "\n" for method in methods)
    names = ("loss", "train", "predict")
    return functions + "\n" + "\n".join(f"TwoLayerNet.{name} = {name}" for name in names) + "\n"


ATTACHED = HEAD + "class TwoLayerNet:\n" + INIT + "\n" + _outside(LOSS, TRAIN, PREDICT)
RIGHT = {
    "classic": CLASSIC,
    "shared": SHARED,
    "looped": LOOPED,
    "objects": OBJECTS,
    "terse": TERSE,
    "attached": ATTACHED,
}


def changed(program: str, *pairs: tuple[str, str]) -> str:
    """Return a program with some text in the place of other; each stands there once."""
    for old, new in pairs:
        assert program.count(old) == 1, (old, program.count(old))
        program = program.replace(old, new)
    return program


def line_of(program: str, text: str) -> int:
    """Return the one line that holds a text."""
    found = [number for number, line in enumerate(program.splitlines(), 1) if text in line]
    assert len(found) == 1, (text, found)
    return found[0]
