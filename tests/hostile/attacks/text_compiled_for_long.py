"""Nests nine try statements whose finally blocks Python's compiler writes out again and again: 2 to the ninth copies."""


def attack(X):
    try:
        X.sum()
    finally:
        try:
            X.sum()
        finally:
            try:
                X.sum()
            finally:
                try:
                    X.sum()
                finally:
                    try:
                        X.sum()
                    finally:
                        try:
                            X.sum()
                        finally:
                            try:
                                X.sum()
                            finally:
                                try:
                                    X.sum()
                                finally:
                                    try:
                                        X.sum()
                                    finally:
                                        X.sum()
    return 0.0, {}


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(X)
