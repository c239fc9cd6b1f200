"""What the arrays that flow are called.

They are numpy arrays in the assignment's own shapes: X (N, D), y (N,), W1 (D, H), b1 (H,), W2 (H, C), b2 (C,).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Params = Mapping[str, Array]
