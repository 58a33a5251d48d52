"""The times of one request of a client, in seconds of a clock that never jumps."""

from __future__ import annotations

import time
from typing import Optional

from .session_order import ServeError

_STANDSTILL = 0.5
"""Seconds beyond what was waited for that mean: this process stood still, and that time does not count."""


class Patience:
    """The times of one request: when to repeat it, when to give it up."""

    def __init__(self, budget: float, patience: int) -> None:
        now = time.monotonic()
        self._budget, self._latest = budget, now + budget * patience
        self._deadline, self._resend, self._step = now + budget, now, 1.0
        self._due = now
        self._looked = False
        self.refused: Optional[ServeError] = None
        self.renumber = False

    def over(self) -> bool:
        """Asked twice before it says so: what lies in the socket is read between."""
        now = time.monotonic()
        gap = now - self._due
        if gap > _STANDSTILL:
            self._deadline += gap
            self._latest += gap
        self._due = now
        spent = now >= self._deadline
        again, self._looked = spent and self._looked, spent
        return again

    def pause(self) -> float:
        """Milliseconds until something is due."""
        now = time.monotonic()
        seconds = max(0.001, min(self._resend - now, self._deadline - now, 0.2))
        self._due = now + seconds
        return 1000 * seconds

    def beat(self) -> None:
        latest = min(self._latest, time.monotonic() + self._budget)
        self._deadline = max(self._deadline, latest)

    def resend_due(self) -> bool:
        now = time.monotonic()
        if now < self._resend:
            return False
        self._resend = now + self._step
        self.longer()
        return True

    def resend_in(self, seconds: float) -> None:
        self._resend = time.monotonic() + seconds

    def longer(self) -> float:
        self._step = min(self._step * 2, 5.0)
        return self._step
