"""Environments whose making takes long, because something is compiled, stay for the next driver."""

from __future__ import annotations

import json
from typing import Any, Callable, Mapping, Optional, Tuple

Make = Callable[[Mapping[str, Any], Optional[int], Any], Any]


class Kept:
    """``serve(Kept(make))``: ``make(settings, num_envs, groups)`` as ``serve`` calls it, once for the same wishes.

    The groups are not among them: what was made must show all, and the server sends those that were asked for.
    """

    def __init__(self, make: Make) -> None:
        self._make = make
        self._made: Optional[Tuple[str, Any]] = None

    def __call__(self, settings: Mapping[str, Any], num_envs: Optional[int], groups: Any) -> Any:
        wishes = json.dumps([dict(settings), num_envs], sort_keys=True)
        if self._made is None or self._made[0] != wishes:
            self.end()
            self._made = (wishes, self._make(settings, num_envs, groups))
        return _Lent(self._made[1])

    def end(self) -> None:
        """Closes the one that is kept."""
        if self._made is not None:
            made, self._made = self._made[1], None
            getattr(made, "close", lambda: None)()


class _Lent:
    """Whoever gets it does not close it."""

    def __init__(self, env: Any) -> None:
        self._env = env

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def close(self) -> None:
        """Left to whoever keeps it."""
