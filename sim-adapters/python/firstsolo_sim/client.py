"""Drives any Firstsolo simulator from Python: hello, reset, step, close.

``FirstsoloVectorEnv`` (Gymnasium) and ``FirstsoloVecEnv`` (rsl_rl) are here too; what they need besides is
imported when they are asked for.
"""

from __future__ import annotations

from typing import Any

from .driver import Client, Step

__all__ = ["Client", "Step"]


def __getattr__(name: str) -> Any:
    """Gymnasium and torch are loaded for those who ask, and need not be there for others."""
    if name == "FirstsoloVectorEnv":
        from .gymnasium_client import FirstsoloVectorEnv

        return FirstsoloVectorEnv
    if name == "FirstsoloVecEnv":
        from .rsl_rl_client import FirstsoloVecEnv

        return FirstsoloVecEnv
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
