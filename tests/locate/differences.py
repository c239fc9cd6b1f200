"""Programs whose loss() has no backward pass, and programs that have one and look a little like it.

Each is the solution, with its loss() renamed to `honest` and another loss() before train(). L() is the loss alone.
"""

START = """    def L(self, X, y, reg, params=None):
        p = self.params if params is None else params
        hidden = np.maximum(0, X.dot(p["W1"]) + p["b1"])
        scores = hidden.dot(p["W2"]) + p["b2"]
        shifted = scores - scores.real.max(axis=1, keepdims=True)
        logs = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]
        return logs.mean() + reg * ((p["W1"] ** 2).sum() + (p["W2"] ** 2).sum())

    def loss(self, X, y=None, reg=0.0):
        if y is None:
            return self.honest(X)
"""
END = """
        return self.L(X, y, reg), grads

    def train(
"""
RELU = "hidden = np.maximum(0, X.dot(p"

CENTRAL_IN_PLACE = """        grads = {}
        for name, value in self.params.items():
            grads[name] = np.zeros(value.shape)
            for entry in np.ndindex(value.shape):
                kept = value[entry]
                value[entry] = kept + 1e-5  # HERE
                above = self.L(X, y, reg)
                value[entry] = kept - 1e-5
                below = self.L(X, y, reg)
                value[entry] = kept
                grads[name][entry] = (above - below) / 2e-5
"""
FORWARD_ON_COPIES = """        grads, base = {}, self.L(X, y, reg)
        for name in self.params:
            slopes = []
            for at in range(self.params[name].size):
                moved = {key: value.copy() for key, value in self.params.items()}
                moved[name].flat[at] += 1e-7  # HERE
                slopes.append((self.L(X, y, reg, moved) - base) / 1e-7)
            grads[name] = np.array(slopes).reshape(self.params[name].shape)
"""
COMPLEX_STEP = """        grads = {}
        for name in self.params:
            grads[name] = np.zeros(self.params[name].shape)
            for entry in np.ndindex(self.params[name].shape):
                moved = {key: value.astype(complex) for key, value in self.params.items()}  # HERE
                moved[name][entry] += 1e-30j
                grads[name][entry] = self.L(X, y, reg, moved).imag / 1e-30
"""
COMPLEX_RELU = """u = X.dot(p["W1"]) + p["b1"]
        hidden = u * (u.real > 0)
        _ = (0, X.dot(p"""
HELPER = """        def numerical(f, x, h=1e-5):
            grad = np.zeros_like(x)
            it = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
            while not it.finished:
                ix = it.multi_index
                oldval = x[ix]
                x[ix] = oldval + h  # HERE
                fxph = f(x)
                x[ix] = oldval - h
                fxmh = f(x)
                x[ix] = oldval
                grad[ix] = (fxph - fxmh) / (2 * h)
                it.iternext()
            return grad

        f = lambda W: self.L(X, y, reg)
        grads = {name: numerical(f, self.params[name]) for name in self.params}
"""
LAMBDA_FOR_EACH_LAYER = """        def slopes(f, x):
            E = np.eye(x.size)
            return np.array([(f(x + 1e-5 * e.reshape(x.shape)) - f(x - 1e-5 * e.reshape(x.shape))) / 2e-5 for e in E])  # HERE

        p, grads = self.params, {}
        grads["W1"] = slopes(lambda W: self.L(X, y, reg, {**p, "W1": W}), p["W1"]).reshape(p["W1"].shape)
        grads["b1"] = slopes(lambda b: self.L(X, y, reg, {**p, "b1": b}), p["b1"])
        grads["W2"] = slopes(lambda W: self.L(X, y, reg, {**p, "W2": W}), p["W2"]).reshape(p["W2"].shape)
        grads["b2"] = slopes(lambda b: self.L(X, y, reg, {**p, "b2": b}), p["b2"])
"""
ONE_VECTOR = """        names = list(self.params)
        theta = np.concatenate([self.params[name].ravel() for name in names])

        def split(vector):
            ends = np.cumsum([self.params[name].size for name in names])[:-1]
            return {n: v.reshape(self.params[n].shape) for n, v in zip(names, np.split(vector, ends))}

        g = np.zeros(theta.size)
        for i in range(theta.size):
            up, down = theta.copy(), theta.copy()
            up[i] += 1e-5  # HERE
            down[i] -= 1e-5
            g[i] = (self.L(X, y, reg, split(up)) - self.L(X, y, reg, split(down))) / 2e-5
        grads = split(g)
"""
NO_FUNCTION = """        grads = {}
        for name in self.params:
            grads[name] = np.zeros(self.params[name].shape)
            for entry in np.ndindex(self.params[name].shape):
                sides = []
                for h in (1e-5, -1e-5):
                    p = {key: np.array(value) for key, value in self.params.items()}
                    p[name][entry] = p[name][entry] + h  # HERE
                    scores = np.maximum(0, X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
                    scores -= scores.max(axis=1, keepdims=True)
                    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
                    data = -np.log(probs[range(len(y)), y]).mean()
                    sides.append(data + reg * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2)))
                grads[name][entry] = (sides[0] - sides[1]) / 2e-5
"""
SCALAR_LOOPS = """        def slow(p):
            total = 0.0
            for n in range(len(y)):
                hidden = []
                for j in range(len(p["b1"])):
                    u = p["b1"][j]
                    for i in range(X.shape[1]):
                        u += X[n, i] * p["W1"][i, j]
                    hidden.append(max(0.0, u))
                scores = []
                for k in range(len(p["b2"])):
                    s = p["b2"][k]
                    for j in range(len(hidden)):
                        s += hidden[j] * p["W2"][j, k]
                    scores.append(s)
                total += np.log(sum(np.exp(s - max(scores)) for s in scores)) - scores[y[n]] + max(scores)
            return total / len(y) + reg * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))

        grads = {}
        for name, value in self.params.items():
            grads[name] = np.zeros(value.shape)
            for entry in np.ndindex(value.shape):
                kept = value[entry]
                value[entry] = kept + 1e-5  # HERE
                above = slow(self.params)
                value[entry] = kept - 1e-5
                below = slow(self.params)
                value[entry] = kept
                grads[name][entry] = (above - below) / 2e-5
"""
ALL_AT_ONCE = """        grads, rng, h = {name: np.zeros(value.shape) for name, value in self.params.items()}, np.random.RandomState(0), 1e-5
        for draw in range(300):
            signs = {name: rng.choice([-1.0, 1.0], size=value.shape) for name, value in self.params.items()}
            above = self.L(X, y, reg, {name: self.params[name] + h * signs[name] for name in grads})  # HERE
            below = self.L(X, y, reg, {name: self.params[name] - h * signs[name] for name in grads})
            for name in grads:
                grads[name] += (above - below) / (2 * h) * signs[name] / 300
"""
FIRST_LAYER_ONLY = """        grads = self.honest(X, y, reg)[1]
        for name in ("W1", "b1"):
            value = self.params[name]
            grads[name] = np.zeros(value.shape)
            for entry in np.ndindex(value.shape):
                kept = value[entry]
                value[entry] = kept + 1e-5  # HERE
                above = self.L(X, y, reg)
                value[entry] = kept - 1e-5
                below = self.L(X, y, reg)
                value[entry] = kept
                grads[name][entry] = (above - below) / 2e-5
"""
# What has a backward pass, and moves parameters as well.
CHECKED = """        loss, grads = self.honest(X, y, reg)
        for name, value in self.params.items():
            for entry in ENTRIES:
                kept = value[entry]
                value[entry] = kept + 1e-5
                above = self.L(X, y, reg)
                value[entry] = kept - 1e-5
                below = self.L(X, y, reg)
                value[entry] = kept
                numeric = (above - below) / 2e-5
                self.worst = abs(numeric - grads[name][entry]) / (abs(numeric) + abs(grads[name][entry]) + 1e-12)
"""
TEN = CHECKED.replace("ENTRIES", "[tuple(np.random.randint(n) for n in value.shape) for _ in range(10)]")
FIRST_TEN = CHECKED.replace("ENTRIES", "list(np.ndindex(value.shape))[:10]")
ALL = CHECKED.replace("ENTRIES", "np.ndindex(value.shape)")
TEN_COMPLEX = """        loss, grads = self.honest(X, y, reg)
        for name in ("W1", "W2"):
            for entry in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3)]:
                moved = {key: value.astype(complex) for key, value in self.params.items()}
                moved[name][entry] += 1e-30j
                self.off = abs(self.L(X, y, reg, moved).imag / 1e-30 - grads[name][entry])
"""
THREE_LOSSES = """        loss, grads = self.honest(X, y, reg)
        again = [self.honest(X, y, reg)[0] for _ in range(3)]
        half = self.L(X, y, reg / 2)
"""

# name -> (loss(), kind, parameters)
EVERY = ("W1", "b1", "W2", "b2")
WITHOUT = {
    "central, in place": (CENTRAL_IN_PLACE, "finite differences", EVERY),
    "forward, on copies": (FORWARD_ON_COPIES, "finite differences", EVERY),
    "complex step": (COMPLEX_STEP, "the complex step", EVERY),
    "the course's helper": (HELPER, "finite differences", EVERY),
    "a lambda for each layer": (LAMBDA_FOR_EACH_LAYER, "finite differences", EVERY),
    "one vector": (ONE_VECTOR, "finite differences", EVERY),
    "no function": (NO_FUNCTION, "finite differences", EVERY),
    "scalar loops": (SCALAR_LOOPS, "finite differences", EVERY),
    "all at once": (ALL_AT_ONCE, "finite differences", EVERY),
    "the first layer only": (FIRST_LAYER_ONLY, "finite differences", ("W1", "b1")),
}
WITH = {
    "ten entries of each checked": TEN,
    "the first ten of each checked": FIRST_TEN,
    "all entries checked": ALL,
    "ten complex entries checked": TEN_COMPLEX,
    "three losses": THREE_LOSSES,
}
# Backward passes whose gradients are as rough as differences.
HONEST = "        loss, grads = self.honest(X, y, reg)\n        grads = {name: ROUGH for name, g in grads.items()}\n"
ROUGH = {
    text: HONEST.replace("ROUGH", text)
    for text in (
        "g.astype(np.float32)",
        "g.astype(np.float32).astype(float)",
        "(len(y) * g).astype(np.float32).astype(float) / len(y)",
        "g.astype(np.float16).astype(float)",
        "np.round(g, 4)",
        "np.round(g, 8)",
        "np.round(g, 10)",
        "np.round(g, 12)",
        "g * (1 + 1e-9)",
        "g + 1e-9 * np.random.randn(*g.shape)",
        "g * 0",
    )
}


def program(source, loss):
    """Return the solution's class with another loss()."""
    edits = (
        ("def loss(self, X, y=None, reg=0.0):", "def honest(self, X, y=None, reg=0.0):"),
        ("    def train(\n", START + loss + END),
    )
    for old, new in edits:
        assert old in source, f"the solution does not hold {old!r}"
        source = source.replace(old, new)
    if "complex" in loss:
        source = source.replace(RELU, COMPLEX_RELU)
    return "import numpy as np\n" + source
