"""Writes protocol/golden/v1.json.golden: messages packed by Python's msgpack, tensors laid out by struct.

Run: python make_golden.py > ../../protocol/golden/v1.json.golden. Uses nothing of Firstsolo, on purpose.
"""

import json
import struct
import sys

import msgpack

SESSION = "5f0c6a1e9b7d4c2f"
EPOCH = "e1d2c3b4a5968778"
FORMATS = {"<f4": "f", "|u1": "B", "<i4": "i"}

SPEC = {
    "task": "golden",
    "num_envs": 2,
    "control_period": 0.02,
    "max_episode_steps": 500,
    "autoreset": "same_step",
    "observations": {
        "policy": {
            "dtype": "<f4",
            "shape": [3],
            "names": ["lin_vel_b.x", "lin_vel_b.y", "höhe"],
            "units": ["m/s", "m/s", "m"],
        },
        "teacher": {"dtype": "<f4", "shape": [1, 2]},
    },
    "action": {"dtype": "<f4", "shape": [2], "low": [-1, -0.5], "high": [1, 0.5]},
    "capabilities": ["bitwise"],
}

FRAME = {
    "obs/policy": ("<f4", [2, 3], [0.0, -1.5, 3.25, 1e-40, 9.5e14, -0.0]),
    "obs/teacher": ("<f4", [2, 1, 2], [1, 2, 3, 4]),
}
RESULT = {
    **FRAME,
    "reward": ("<f4", [2], [0.5, -2]),
    "terminated": ("|u1", [2], [0, 1]),
    "truncated": ("|u1", [2], [0, 0]),
    "final/rows": ("<i4", [1], [1]),
    "final/policy": ("<f4", [1, 3], [9, 8, 7]),
    "final/teacher": ("<f4", [1, 1, 2], [6, 5]),
}

PICTURES = {
    **SPEC,
    "observations": {
        "camera": {"dtype": "|u1", "shape": [2, 3, 2], "names": ["depth", "goal"], "units": ["1", "1"]},
        "policy": SPEC["observations"]["policy"],
    },
}
CAMERA = [0, 255, 128, 1, 127, 64, *range(6), *range(200, 212)]
SHOWN = {
    "obs/camera": ("|u1", [2, 2, 3, 2], CAMERA),
    "obs/policy": FRAME["obs/policy"],
}

MESSAGES = [
    (
        "hello",
        {
            "type": "hello",
            "seq": 1,
            "session": SESSION,
            "protocol": {"major": 1, "minor": 0},
            "client": {"name": "golden", "version": "0.1.0"},
            "capabilities": [],
            "settings": {"robot.mass": 0.027, "noise": True, "start": [0, 0, 1.5], "usd_path": "/a/b.usd"},
            "groups": ["policy", "teacher"],
            "num_envs": 2,
        },
        {},
    ),
    (
        "hello of a named run",
        {
            "type": "hello",
            "seq": 1,
            "session": SESSION,
            "protocol": {"major": 1, "minor": 2},
            "client": {"name": "golden", "version": "0.2.0"},
            "capabilities": ["teacher_actions"],
            "settings": {},
            "run": "k3v9q0zd",
        },
        {},
    ),
    ("reset", {"type": "reset", "seq": 2, "session": SESSION, "seed": 4294967295}, {}),
    (
        "step",
        {"type": "step", "seq": 70000, "session": SESSION},
        {"actions": ("<f4", [2, 2], [0.25, -0.25, 1, -1])},
    ),
    ("snapshot", {"type": "snapshot", "seq": 4, "session": SESSION}, {}),
    (
        "restore",
        {"type": "restore", "seq": 5, "session": SESSION},
        {"state": ("|u1", [5], [0, 1, 127, 128, 255])},
    ),
    ("close", {"type": "close", "seq": 2**32, "session": SESSION}, {}),
    ("ping", {"type": "ping", "seq": 0, "session": SESSION}, {}),
    ("ping to a spare", {"type": "ping", "seq": 0, "spare": True}, {}),
    (
        "welcome",
        {
            "type": "welcome",
            "seq": 1,
            "epoch": EPOCH,
            "protocol": {"major": 1, "minor": 0},
            "server": {"name": "golden", "version": "0.1.0"},
            "capabilities": ["bitwise"],
            "spec": SPEC,
            "spec_hash": "sha256:0",
            "settings": {"robot.mass": 0.027},
            "notices": ["a notice — with a dash"],
            "limits": {"frame_bytes": 268435456, "frames": 65},
        },
        {},
    ),
    ("frame", {"type": "frame", "seq": 2, "epoch": EPOCH, "timing": {"total": 0.125}}, FRAME),
    (
        "welcome with pictures",
        {
            "type": "welcome",
            "seq": 1,
            "epoch": EPOCH,
            "protocol": {"major": 1, "minor": 2},
            "server": {"name": "golden", "version": "0.2.0"},
            "capabilities": ["bitwise"],
            "spec": PICTURES,
            "spec_hash": "sha256:1",
            "settings": {},
            "notices": [],
            "limits": {},
        },
        {},
    ),
    ("frame with pictures", {"type": "frame", "seq": 2, "epoch": EPOCH}, SHOWN),
    (
        "result with pictures",
        {"type": "result", "seq": 3, "epoch": EPOCH},
        {
            **SHOWN,
            **{name: RESULT[name] for name in ("reward", "terminated", "truncated", "final/rows")},
            "final/camera": ("|u1", [1, 2, 3, 2], [255, *range(11)]),
            "final/policy": RESULT["final/policy"],
        },
    ),
    (
        "frame after restore",
        {"type": "frame", "seq": 2, "epoch": EPOCH},
        {**FRAME, "started": ("|u1", [2], [0, 1])},
    ),
    (
        "result",
        {
            "type": "result",
            "seq": 3,
            "epoch": EPOCH,
            "log": {"Episode_Termination/died": 1.0, "mean length": 12.5},
            "timing": {"simulate": 0.001, "total": 0.002},
        },
        RESULT,
    ),
    ("state", {"type": "state", "seq": 4, "epoch": EPOCH}, {"state": ("|u1", [0], [])}),
    ("pong", {"type": "pong", "seq": 0, "epoch": EPOCH}, {}),
    ("closed", {"type": "closed", "seq": 6, "epoch": EPOCH}, {}),
    (
        "progress",
        {
            "type": "progress",
            "seq": 1,
            "epoch": EPOCH,
            "stage": "loading",
            "elapsed": 12.5,
            "message": "compiling shaders",
        },
        {},
    ),
    (
        "error",
        {
            "type": "error",
            "seq": 1,
            "epoch": EPOCH,
            "code": "unknown-setting",
            "message": "env.mas: this simulator has no such setting",
            "hint": "Known: env.mass. Did you mean env.mass?",
            "field": "env.mas",
            "retryable": False,
            "fatal": False,
        },
        {},
    ),
]


def frames_of(header, tensors):
    described = [{"name": n, "dtype": d, "shape": s} for n, (d, s, _) in tensors.items()]
    message = {**header, "tensors": described} if described else header
    yield msgpack.packb(message, use_bin_type=True)
    for dtype, _, values in tensors.values():
        yield struct.pack(f"<{len(values)}{FORMATS[dtype]}", *values)


def main():
    golden = [
        {
            "name": name,
            "header": header,
            "tensors": {n: {"dtype": d, "shape": s, "values": v} for n, (d, s, v) in tensors.items()},
            "frames": [frame.hex() for frame in frames_of(header, tensors)],
        }
        for name, header, tensors in MESSAGES
    ]
    json.dump(golden, sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
