import numpy as np


def affine(x, w, b):
    return x.dot(w) + b


def relu(x):
    return np.maximum(0, x)


if __name__ == "__main__":
    print(relu(np.array([-1.0, 1.0])))
