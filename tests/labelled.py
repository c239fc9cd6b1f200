"""Which line plays which role, as a person marked it: in the handwritten programs and in the submissions that are kept."""

NAMES = ("W1", "b1", "W2", "b2")

# program | role | line
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
