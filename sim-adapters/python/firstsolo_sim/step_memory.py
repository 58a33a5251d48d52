"""Steps differ in their number and their actions alone: what else was read and checked once is not read again."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

from .protocol import ProtocolError, decode
from .request_check import check_request

_WIDTHS = {0xCC: 1, 0xCD: 2, 0xCE: 4}
"""Bytes of msgpack's unsigned numbers. Smaller ones are their own type: the first 127 requests are read each time."""


class StepMemory:
    """The header of the last step. ``frames`` are those of a message with the peer's name before them."""

    def __init__(self) -> None:
        self._head, self._tail, self._at, self._end = b"", b"", 0, 0
        self._request: dict[str, Any] = {}
        self._tensors: list[tuple[str, np.dtype, tuple[int, ...], int]] = []

    def recall(self, frames: Sequence[bytes]) -> Optional[tuple[dict[str, Any], dict[str, np.ndarray]]]:
        """Request and tensors, exactly as they would be read; None where any other byte of the header is new."""
        if not self._request or len(frames) != len(self._tensors) + 2:
            return None
        packed, at, end = frames[1], self._at, self._end
        if packed[:at] != self._head or packed[end:] != self._tail:
            return None
        tensors = {}
        for i, (name, dtype, shape, size) in enumerate(self._tensors):
            frame = frames[i + 2]
            if len(frame) != size:
                return None
            tensors[name] = np.ndarray(shape, dtype, frame)
        seq = int.from_bytes(packed[at:end], "big")
        return ({**self._request, "seq": seq}, tensors) if seq >= 1 else None

    def learn(self, frames: Sequence[bytes], request: dict[str, Any]) -> None:
        """After ``request`` was read from them and checked."""
        packed = bytes(frames[1])
        place = packed.find(b"\xa3seq") + 4
        width = _WIDTHS.get(packed[place]) if place >= 4 and place < len(packed) else None
        if request["type"] != "step" or width is None:
            return
        at, end = place + 1, place + 1 + width
        other = int.from_bytes(packed[at:end], "big") ^ 1
        changed = packed[:at] + other.to_bytes(width, "big") + packed[end:]
        # Those letters may stand elsewhere too: that they name the number is seen by changing it.
        try:
            header, tensors = decode([changed, *frames[2:]])
        except ProtocolError:
            return
        if header.get("seq") != other or check_request({**header, "seq": 1}) != {**request, "seq": 1}:
            return
        self._head, self._tail, self._at, self._end = packed[:at], packed[end:], at, end
        self._request = request
        self._tensors = [(name, a.dtype, a.shape, a.nbytes) for name, a in tensors.items()]
