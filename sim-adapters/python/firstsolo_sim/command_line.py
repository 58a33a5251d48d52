"""What the programs of this package share: where to serve, with which keys, and how to end."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
from typing import Any, Callable, NoReturn, Optional

from .router import Curve
from .protocol import ProtocolError
from .server import serve
from .session_order import ServeError


def add_serving_arguments(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--bind", metavar="ENDPOINT", help="listen at ipc://PATH or tcp://127.0.0.1:PORT"
    )
    where.add_argument("--connect", metavar="ENDPOINT", help="dial out to a runner that listens")
    parser.add_argument("--once", action="store_true", help="end when the first runner has left")
    parser.add_argument("--curve_server_key_file", metavar="FILE", help="our own secret CURVE key")
    parser.add_argument(
        "--curve_client_key_file",
        metavar="FILE",
        action="append",
        default=[],
        help="public key of a runner that is let in; repeatable",
    )


def serve_from(args: argparse.Namespace, env: Any, name: str, version: str) -> None:
    """Serves until interrupted; prints ``ready ENDPOINT`` once it can be reached."""
    logging.basicConfig(level=logging.INFO, format="sim: %(message)s", stream=sys.stderr)
    serve(
        env,
        args.bind,
        args.connect,
        curve=_curve(args.curve_server_key_file, args.curve_client_key_file),
        name=name,
        version=version,
        once=args.once,
        on_ready=lambda endpoint: print(f"ready {endpoint}", flush=True),
    )


def run(main: Callable[[], None]) -> None:
    """A failure that explains itself is shown as that, in two lines."""
    try:
        main()
    except (ServeError, ProtocolError) as error:
        sys.exit(f"firstsolo_sim: {error}\n  → {error.hint}")


def split_overrides(words: list[str]) -> dict[str, Any]:
    """``env.a.b=1`` or ``a.b=1`` as settings by dotted name; values are read as JSON, else as text."""
    settings: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", name):
            hint = "Settings are written env.NAME=VALUE; --help lists the flags."
            raise ServeError("bad-argument", f"{word!r} is neither a flag nor a setting", hint)
        settings[name[4:] if name.startswith("env.") else name] = read_value(text)
    return settings


def read_value(text: str) -> Any:
    """As Hydra reads scalars and lists: JSON, ``True``, ``None``, tuples; anything else is text."""
    import ast
    import json

    if text.lower() in ("null", "none"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return list(value) if isinstance(value, tuple) else value
    return text


def refuse_other_size(asked: Optional[int], own: Optional[int]) -> None:
    """A server that was started with a number of environments keeps it."""
    if asked is None or own is None or asked == own:
        return
    message = f"{asked} environments were asked for, the simulator has {own}"
    hint = f"Ask for {own}, or start the simulator without --num_envs."
    raise ServeError("num-envs-refused", message, hint)


def _curve(own: Optional[str], clients: list[str]) -> Optional[Curve]:
    if own is None and not clients:
        return None
    if own is None or not clients:
        _refuse("CURVE needs --curve_server_key_file and a --curve_client_key_file per runner")
    _refuse_open_file(own)
    public, secret = _keys(own)
    if secret is None:
        _refuse(f"{own} has no secret key")
    return Curve(public, secret, [_keys(path)[0] for path in clients])


def _refuse_open_file(path: str) -> None:
    """A secret that others can read is none."""
    if os.path.exists(path) and os.name == "posix":
        mode = os.stat(path).st_mode & 0o777
        if mode & 0o077:
            message = f"{path} holds a secret key and others may read it (mode {mode:03o})"
            raise ServeError("bad-curve", message, f"chmod 600 {path}; and make a new pair if need be.")


def _keys(path: str) -> tuple[bytes, Optional[bytes]]:
    """A certificate file as zmq.auth writes it."""
    import zmq.auth

    try:
        return zmq.auth.load_certificate(path)
    except (OSError, ValueError) as error:
        _refuse(f"{path}: {error}")


def _refuse(message: str) -> NoReturn:
    raise ServeError("bad-curve", message, "Make keys with zmq.auth.create_certificates.")
