"""Reads JSON lines of hex frames, decodes each with firstsolo_sim, and answers with what it found, or the error."""

import json
import sys

from firstsolo_sim import protocol
from firstsolo_sim.request_check import check_request

for line in sys.stdin:
    frames = [bytes.fromhex(frame) for frame in json.loads(line)]
    try:
        header, tensors = protocol.decode(frames)
        if header.get("type") in ("hello", "reset", "step", "snapshot", "restore", "close", "ping"):
            check_request(header)
        values = {
            name: {"dtype": a.dtype.str, "shape": list(a.shape), "values": a.reshape(-1).tolist()}
            for name, a in tensors.items()
        }
        print(json.dumps({"header": header, "tensors": values}))
    except protocol.ProtocolError as error:
        print(json.dumps({"code": error.code, "field": error.field}))
