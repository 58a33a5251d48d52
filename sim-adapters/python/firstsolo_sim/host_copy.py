"""Tensors of a simulator as NumPy arrays of our own, by the shortest way; knows torch by its methods alone."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Optional

import numpy as np

_TURNS = 3
"""Copies in turn: the reply of before is kept for a driver that asks again while the next one is made."""


class HostCopy:
    """Copies many tensors at once; on a GPU into pinned memory, with one wait for all of them.

    ``torch`` is the module; without it every tensor is taken to live on the CPU. What ``take`` gives stays as
    it is until it was called two more times.
    """

    def __init__(self, torch: Optional[Any] = None) -> None:
        self._torch = torch
        self._turn = 0
        self._pinned: dict[tuple[int, str], Any] = {}

    def take(self, tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
        self._turn = (self._turn + 1) % _TURNS
        arrays: dict[str, np.ndarray] = {}
        waits: Optional[Callable[[], None]] = None
        for name, tensor in tensors.items():
            if self._torch is not None and getattr(tensor, "is_cuda", False):
                pinned = self._buffer(name, tensor)
                pinned.copy_(tensor.detach(), non_blocking=True)
                arrays[name] = pinned.numpy()
                waits = self._torch.cuda.current_stream(tensor.device).synchronize
            else:
                here = tensor.detach().cpu() if hasattr(tensor, "detach") else tensor
                # First a view: an __array__ of its own may take "a copy" lightly.
                arrays[name] = np.array(np.asarray(here))
        if waits is not None:
            waits()
        return arrays

    def _buffer(self, name: str, tensor: Any) -> Any:
        """Pinned memory is dear to get: kept as long as the shape stays."""
        key = (self._turn, name)
        found = self._pinned.get(key)
        if found is None or found.shape != tensor.shape or found.dtype != tensor.dtype:
            found = self._torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._pinned[key] = found
        return found
