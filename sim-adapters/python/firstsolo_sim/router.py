"""Opens the server's socket: where it may listen, and who may come in."""

from __future__ import annotations

import re
import socket as sockets
import time
from dataclasses import dataclass
from typing import Any, Optional, Sequence

import zmq
import zmq.auth.thread

from . import protocol
from .session_order import ServeError


@dataclass(frozen=True)
class Curve:
    """CURVE keys in Z85: the server's own, and the public keys of the clients that may come in."""

    public_key: bytes
    secret_key: bytes
    allowed_clients: Sequence[bytes]

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether a client may come in; called by pyzmq's authenticator."""
        return key in [_bytes(allowed) for allowed in self.allowed_clients]


def _bytes(key: Any) -> bytes:
    return key.encode() if isinstance(key, str) else bytes(key)


def open_guard(context: zmq.Context, curve: Optional[Curve]) -> Any:
    """Without it, CURVE encrypts but admits anyone who knows the server's public key."""
    if curve is None:
        return None
    guard = zmq.auth.thread.ThreadAuthenticator(context)
    guard.start()
    guard.configure_curve_callback(domain="*", credentials_provider=curve)
    return guard


def open_router(
    context: zmq.Context, bind: Optional[str], connect: Optional[str], curve: Optional[Curve]
) -> zmq.Socket:
    if (bind is None) == (connect is None):
        raise ServeError("bad-endpoint", "exactly one of bind and connect is needed", "Give one.")
    router = context.socket(zmq.ROUTER)
    router.linger = 0
    router.rcvhwm = router.sndhwm = protocol.HIGH_WATER_MARK
    router.sndtimeo = 0  # a peer that has gone or does not read costs nobody time
    router.maxmsgsize = protocol.MAX_FRAME_BYTES
    router.router_mandatory = 1
    router.reconnect_ivl, router.reconnect_ivl_max = 100, 2000
    if curve is not None:
        router.curve_server = 1
        router.curve_publickey = _bytes(curve.public_key)
        router.curve_secretkey = _bytes(curve.secret_key)
    if connect is not None:
        router.connect(connect)
        return router
    _refuse_open_door(bind, curve)
    _refuse_taken_file(bind)
    try:
        router.bind(re.sub(":0$", ":*", bind))
    except zmq.ZMQError as error:
        hint = "Choose another address, or stop the process that listens there."
        raise ServeError("bind-failed", f"{bind}: {error}", hint) from error
    return router


def is_local(endpoint: str) -> bool:
    """Whether only this machine reaches it: a socket file, or TCP on 127.0.0.0/8, ::1 or localhost."""
    host = re.sub(r":[^:]*$", "", endpoint.replace("tcp://", "", 1))
    if endpoint.startswith(("ipc://", "inproc://")) or host in ("localhost", "[::1]"):
        return True
    return re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def _refuse_open_door(bind: str, curve: Optional[Curve]) -> None:
    if is_local(bind) or (curve is not None and curve.allowed_clients):
        return
    message = f"{bind} can be reached from the network, and nothing says who may come in"
    hint = "Bind to ipc:// or 127.0.0.1, or give a Curve with the clients' public keys."
    raise ServeError("unprotected-endpoint", message, hint)


def _refuse_taken_file(bind: str) -> None:
    """ZeroMQ takes over a socket file that another process listens on, without a word; this asks first.

    A server that was just closed lets go a moment later, so it asks a few times.
    """
    if not bind.startswith("ipc://"):
        return
    for _ in range(5):
        with sockets.socket(sockets.AF_UNIX) as probe:
            probe.settimeout(1)
            try:
                probe.connect(bind[len("ipc://") :])
            except OSError:
                return
        time.sleep(0.2)
    raise ServeError("address-in-use", f"{bind}: another process listens there", "Stop it first.")
