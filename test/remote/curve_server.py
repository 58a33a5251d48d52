"""Serves the point mass behind CURVE at a free port; without keys it tries the open network and is refused."""

import sys

from firstsolo_sim import Curve, ServeError, serve
from firstsolo_sim.examples.point_mass import PointMass

if len(sys.argv) == 1:
    try:
        serve(PointMass(), bind="tcp://0.0.0.0:0")
    except ServeError as error:
        sys.exit(f"unprotected: {error.code}" if error.code == "unprotected-endpoint" else str(error))
curve = Curve(sys.argv[1], sys.argv[2], [sys.argv[3]])
serve(PointMass(), bind="tcp://127.0.0.1:0", curve=curve, on_ready=lambda at: print(at, flush=True))
