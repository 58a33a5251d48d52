"""The launcher's contract: of Isaac Lab 2 a class, of Isaac Lab 3 (STANDIN_ISAACLAB=3) functions."""

import argparse
import contextlib
import os
import types


def _old():
    class AppLauncher:
        def __init__(self, args):
            print(f"launched headless={args.headless} device={args.device}", flush=True)
            self.app = types.SimpleNamespace(close=lambda: print("app closed", flush=True))

        @staticmethod
        def add_app_launcher_args(parser: argparse.ArgumentParser) -> None:
            parser.add_argument("--headless", action="store_true")
            parser.add_argument("--device", default="cpu")

    return {"AppLauncher": AppLauncher}


def _new():
    def add_launcher_args(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--device", default="cpu")
        parser.add_argument("--viz", default="none")

    @contextlib.contextmanager
    def launch_simulation(cfg, launcher_args=None):
        print(f"launched for {type(cfg).__name__} viz={launcher_args.viz}", flush=True)
        try:
            yield None
        finally:
            print("runtime closed", flush=True)

    return {"add_launcher_args": add_launcher_args, "launch_simulation": launch_simulation}


globals().update(_new() if os.environ.get("STANDIN_ISAACLAB") == "3" else _old())
