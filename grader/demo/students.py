"""Forty students who never were, and what each of them hands in."""

from collections.abc import Mapping

# Each hands in a program with these mistakes, named as `reference.catalogue.Way.name` does; the first eight are right.
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "abara_chidi": (),
    "andersson_elin": ("relu_otherwise_1",),
    "banerjee_anik": ("by_one_hot",),
    "castillo_ines": ("without_replacement",),
    "chen_wei": ("decay_at_the_end",),
    "dubois_margaux": ("regulariser_as_trace",),
    "eriksen_jonas": ("argmax_of_probabilities",),
    "farouk_nadia": ("small_epsilon",),
    "garcia_lucia": ("regulariser_gradient_halved",),
    "haddad_sami": ("regulariser_gradient_halved",),
    "ivanova_daria": ("biases_regularised",),
    "jansen_bram": ("biases_never_updated",),
    "kaya_deniz": ("gradient_cut_off",),
    "kim_minseo": ("mask_left_out",),
    "kowalska_zofia": ("bias_gradient_averaged_layer2",),
    "lindqvist_axel": ("gradient_not_divided",),
    "mbeki_thandi": ("minus_one_forgotten",),
    "moreau_hugo": ("relu_on_the_scores",),
    "nakamura_yui": ("bias_forgotten_layer1",),
    "novak_petr": ("nothing_subtracted",),
    "obrien_saoirse": ("nothing_subtracted",),
    "okafor_adaeze": ("nothing_subtracted", "decay_every_iteration"),
    "patel_rohan": ("decay_forgotten",),
    "quispe_mayu": ("labels_of_other_rows_1",),
    "rossi_giulia": ("whole_set_each_time",),
    "schmidt_lena": ("regulariser_gradient_left_out_layer1", "one_parameter_updated_twice_1"),
    "silva_tiago": ("loss_summed_1",),
    "tanaka_ren": ("softmax_over_examples_1", "predict_over_examples_1"),
    "usman_bilal": ("momentum_0.9",),
    "vargas_camila": ("predict_without_second_bias",),
    "weber_finn": ("hinge_for_cross_entropy_1",),
}

_PYTHON_2 = """import numpy as np


class TwoLayerNet(object):
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        print "making the network"
        self.params = {}
"""
_ENDLESS = """import numpy as np


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {"W1": std * np.random.randn(input_size, hidden_size), "b1": np.zeros(hidden_size)}
        self.params |= {"W2": std * np.random.randn(hidden_size, output_size), "b2": np.zeros(output_size)}

    def loss(self, X, y=None, reg=0.0):
        i = 0
        while i < len(X):
            scores = X[i] @ self.params["W1"]
        return scores
"""
_HOSTILE = """import os
import numpy as np


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {"W1": np.zeros((input_size, hidden_size)), "b1": np.zeros(hidden_size)}
        self.params |= {"W2": np.zeros((hidden_size, output_size)), "b2": np.zeros(output_size)}

    def loss(self, X, y=None, reg=0.0):
        # the answers must be somewhere
        for folder in ("reference", "/home", "/etc"):
            for name in os.listdir(folder):
                exec(open(os.path.join(folder, name)).read())
        return 0.0, {}

    def predict(self, X):
        os._exit(0)
"""
_SYNTAX = """import numpy as np


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        scores = np.maximum(0, X.dot(self.params["W1"]) + self.params["b1"]
        return scores
"""
_PLOTS = """import matplotlib.pyplot as plt

plt.plot([1, 2, 3])
"""


# Files that are handed in as they stand.
SHEETS: Mapping[str, str] = {
    "aalto_mika.py": _PYTHON_2,
    "bakker_sanne.py": _ENDLESS,
    "diallo_awa.py": _SYNTAX,
    "hughes_owen.ipynb": "",
    "mallory_eve.py": _HOSTILE,
    "nguyen_linh.py": _PLOTS,
}
# Who hands in the skeleton as it was given out, and who wrote loss() and predict() and nothing else.
UNTOUCHED, WITHOUT_TRAIN = ("young_harper.ipynb", "zhou_mei.ipynb"), "yilmaz_emre.py"
