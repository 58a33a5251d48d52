"""As much of torch as the adapter for Isaac Lab touches on the CPU: tensors that are written in place."""

import numpy as np


class Tensor:
    """Shares its memory with whoever holds it, as torch's tensors do."""

    is_cuda = False

    def __init__(self, array):
        self.array = np.asarray(array)

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)

    def detach(self):
        return self

    def cpu(self):
        return self

    def to(self, device):
        return self

    def __array__(self, dtype=None, copy=None):
        return self.array.astype(dtype) if dtype is not None else self.array


def from_numpy(array):
    return Tensor(array)
