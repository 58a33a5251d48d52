"""Serve a vectorised simulator to Firstsolo, or drive one: see README.md beside this package."""

from .driver import Client
from .protocol import PROTOCOL_VERSION, ProtocolError
from .server import Curve, ServeError, serve

__all__ = ["PROTOCOL_VERSION", "Client", "Curve", "ProtocolError", "ServeError", "serve"]
