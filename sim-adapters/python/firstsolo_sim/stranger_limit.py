"""How much of a server's time, and of its log, those may take who do not drive it. Times in seconds."""

from __future__ import annotations

from collections import OrderedDict
from typing import Callable

_ONE = (100.0, 50.0)
"""Messages of one peer on end, and per second after that."""
_ALL = (500.0, 200.0)
"""Of all of them together, beyond the first few of each."""
_GREETINGS = 5
_MOST_PEERS = 4096


class _Purse:
    def __init__(self, limit: tuple[float, float], now: float) -> None:
        self._burst, self._rate = limit
        self._left, self._at = self._burst, now
        self.seen = 0

    def spend(self, now: float) -> bool:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class StrangerLimit:
    """What is beyond it is dropped unread; a new driver's first messages always pass."""

    def __init__(self) -> None:
        self._purses: OrderedDict[bytes, _Purse] = OrderedDict()
        self._common = _Purse(_ALL, 0.0)

    def admits(self, peer: bytes, now: float) -> bool:
        purse = self._purses.get(peer)
        if purse is None:
            purse = self._purses[peer] = _Purse(_ONE, now)
            if len(self._purses) > _MOST_PEERS:
                self._purses.popitem(last=False)
        purse.seen += 1
        if not purse.spend(now):
            return False
        return purse.seen <= _GREETINGS or self._common.spend(now)


class QuietLog:
    """Lines that a stranger can cause at will: 20 in 10 s, then one that says how many more there were."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._since = float("-inf")
        self._count = 0

    def say(self, line: str, now: float) -> None:
        if now - self._since > 10:
            if self._count > 20:
                self._write(f"{self._count - 20} more lines like these")
            self._since, self._count = now, 0
        self._count += 1
        if self._count <= 20:
            self._write(line)
