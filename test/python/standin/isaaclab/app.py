"""The launcher's contract: adds its flags to a parser, starts the application, and closes it."""

import argparse
import types


class AppLauncher:
    def __init__(self, args):
        print(f"launched headless={args.headless} device={args.device}", flush=True)
        self.app = types.SimpleNamespace(close=lambda: print("app closed", flush=True))

    @staticmethod
    def add_app_launcher_args(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--headless", action="store_true")
        parser.add_argument("--device", default="cpu")
