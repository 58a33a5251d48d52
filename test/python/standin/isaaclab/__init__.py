"""Stands in for Isaac Lab, which needs a GPU and an Omniverse Kit."""

__version__ = "stand-in"
