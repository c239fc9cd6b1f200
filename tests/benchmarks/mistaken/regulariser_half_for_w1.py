# -*- coding: utf-8 -*-
"""Réseau à deux couches. J'ai gardé les lettres du cours : λ, η, δ, Θ."""
import numpy as np
import random as rd


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        σ = std
        self.params = {}
        self.params['W1'] = σ * np.random.randn(input_size, hidden_size)
        self.params['b1'] = np.zeros(hidden_size)
        self.params['W2'] = σ * np.random.randn(hidden_size, output_size)
        self.params['b2'] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        Θ1, β1 = self.params['W1'], self.params['b1']
        Θ2, β2 = self.params['W2'], self.params['b2']
        λ = reg
        n = X.shape[0]

        # propagation avant
        u = np.inner(X, Θ1.T) + β1
        φ = np.select([u > 0], [u], default=0.)
        z = np.inner(φ, Θ2.T) + β2
        if y is None:
            return z

        # une ligne de marges par exemple : z_j - z_y ; la perte est log(somme(exp(marges)))
        marges = z - z[np.arange(n), y][:, None]
        μ = np.maximum.reduce(marges, axis=1)
        ε = np.exp(marges - μ[:, None])
        Σ = np.add.reduce(ε, axis=1)
        L = (μ + np.log(Σ)).mean() + λ * ((Θ1 * Θ1).sum() + (Θ2 * Θ2).sum())

        # rétropropagation ; chaque marge pousse sa classe et tire la bonne
        δ = ε / Σ[:, None] / n
        δ[np.arange(n), y] -= δ.sum(axis=1)
        dΘ2 = np.inner(φ.T, δ.T) + 2 * λ * Θ2
        dβ2 = np.add.reduce(δ, axis=0)
        δ1 = np.inner(δ, Θ2)
        δ1 = np.select([u > 0], [δ1], default=0.)
        dΘ1 = np.inner(X.T, δ1.T) + λ * Θ1
        dβ1 = np.add.reduce(δ1, axis=0)
        return L, {'W1': dΘ1, 'b1': dβ1, 'W2': dΘ2, 'b2': dβ2}

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        η = learning_rate
        n = len(y)
        par_époque = max(n // batch_size, 1)
        pertes, précision, validation = [], [], []
        lignes = range(n)
        for t in range(num_iters):
            lot = rd.choices(lignes, k=batch_size)
            L, g = self.loss(X[lot], y[lot], reg)
            pertes.append(L)
            for nom in self.params:
                self.params[nom] -= η * g[nom]
            if verbose and t % 100 == 0:
                print('itération', t, 'sur', num_iters, ': perte', L)
            if t % par_époque == 0:
                précision.append((self.predict(X[lot]) == y[lot]).mean())
                validation.append((self.predict(X_val) == y_val).mean())
                η *= learning_rate_decay
        return {'loss_history': pertes, 'train_acc_history': précision, 'val_acc_history': validation}

    def predict(self, X):
        return self.loss(X).argmax(axis=1)


best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50
)
