"""The array types that all numerical code shares."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Tensor = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

_Array = TypeVar("_Array", bound=NDArray[np.generic])


def read_only(array: _Array) -> _Array:
    """Return the array with writing switched off, as every array inside a value is."""
    array.flags.writeable = False
    return array
