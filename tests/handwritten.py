"""The network in eight hands: programs as students write them, for tests of where its statements stand."""

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
