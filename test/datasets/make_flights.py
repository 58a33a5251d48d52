"""Writes recorded flights as others write them: python make_flights.py FOLDER.

Component c of the observation at step t of episode e is 1000 e + t + c / 8: exact in float32, so that a
test can tell from a value which step it belongs to. The action is the observation's first two components,
negated; the reward is 1 + t.
"""

import json
import pathlib
import pickle
import sys

import gymnasium as gym
import h5py
import minari
import numpy as np
from minari.data_collector import EpisodeBuffer

folder = pathlib.Path(sys.argv[1])
WIDTH = 3
# Length and ending of each episode: death, time-out, and one that the recording cut.
EPISODES = [(5, "death"), (7, "clock"), (4, "cut")]


def observations(episode, rows, width=WIDTH, dtype="f4"):
    step = np.arange(rows)[:, None]
    return (1000 * episode + step + np.arange(width)[None] / 8).astype(dtype)


def flags(length, ending, kind):
    out = np.zeros(length, bool)
    out[-1] = ending == kind
    return out


def d4rl(name, *, following=True, timeouts=True, dtype="f4", episodes=EPISODES, tree=False, **storage):
    parts = {k: [] for k in ["observations", "actions", "rewards", "terminals", "timeouts", "next_observations", "teacher"]}
    for e, (n, ending) in enumerate(episodes):
        o = observations(e, n + 1, dtype=dtype)
        parts["observations"].append(o[:-1])
        parts["next_observations"].append(o[1:])
        parts["actions"].append(-o[:-1, :2])
        parts["rewards"].append(1.0 + np.arange(n))
        parts["terminals"].append(flags(n, ending, "death"))
        parts["timeouts"].append(flags(n, ending, "clock"))
        parts["teacher"].append(o[:-1, :2] * 2)
    flat = {k: np.concatenate(v) for k, v in parts.items()}
    with h5py.File(folder / name, "w") as f:
        for key in ["observations", "actions", "rewards", "terminals"]:
            if key == "observations" and tree:
                f.create_dataset("observations/policy", data=flat[key], **storage)
                f.create_dataset("observations/camera/rgb", data=np.arange(len(flat[key]) * 12, dtype="u1").reshape(-1, 2, 2, 3), **storage)
            else:
                f.create_dataset(key, data=flat[key], **storage)
        if timeouts:
            f.create_dataset("timeouts", data=flat["timeouts"], **storage)
        if not following:
            f.create_dataset("next_observations", data=flat["next_observations"], **storage)
        f.create_dataset("infos/teacher_actions", data=flat["teacher"], **storage)
        f.create_dataset("metadata/policy/weight", data=np.zeros((3, 3)))


def robomimic(name, *, dones="last", next_obs=False, truncated=False, success=None, horizon=None, rewards=True, lengths=(5, 7)):
    with h5py.File(folder / name, "w") as f:
        data = f.create_group("data")
        args = {"env_name": "Lift", "type": 2, "env_kwargs": {} if horizon is None else {"horizon": horizon}}
        data.attrs["env_args"] = json.dumps(args)
        data.attrs["total"] = sum(lengths)
        # demo_10 comes after demo_2, whatever the alphabet says.
        for e, (number, n) in enumerate(zip([2, 10], lengths)):
            g = data.create_group(f"demo_{number}")
            g.attrs["num_samples"] = n
            if success is not None:
                g.attrs["success"] = success[e]
            o = observations(e, n + 1, dtype="f8")
            g["actions"] = -o[:-1, :2]
            g["obs/policy"] = o[:-1]
            g["obs/eef_pos"] = o[:-1, :1] * 10
            g["states/robot/joint_pos"] = o[:-1] * 3
            if next_obs:
                g["next_obs/policy"] = o[1:]
                g["next_obs/eef_pos"] = o[1:, :1] * 10
            if rewards:
                g["rewards"] = 1.0 + np.arange(n)
            if dones == "last":
                g["dones"] = (np.arange(n) == n - 1).astype("i8")
            if truncated:
                g["truncated"] = flags(n, "clock" if e == 1 else "", "clock")
        f.create_group("mask")["train"] = np.array([b"demo_2"])


def real_minari(name, space, pick):
    """By the package itself."""
    buffers = []
    for e, (n, ending) in enumerate(EPISODES):
        o = observations(e, n + 1)
        buffers.append(
            EpisodeBuffer(
                id=e,
                seed=None,
                observations=pick(o),
                actions=-o[:-1, :2],
                rewards=list(1.0 + np.arange(n)),
                terminations=list(flags(n, ending, "death")),
                truncations=list(flags(n, ending, "clock")),
                infos={"teacher_actions": o[:, :2] * 2, "deep": {"driver": np.arange(n + 1)}},
            )
        )
    data = folder / name / "data"
    data.mkdir(parents=True)
    storage = minari.dataset.minari_storage.MinariStorage.new(
        data,
        observation_space=space,
        action_space=gym.spaces.Box(-2, np.array([1, np.inf], "f4"), (2,), "f4"),
    )
    storage.update_episodes(buffers)
    storage.update_metadata({"dataset_id": f"{name}-v0", "minari_version": minari.__version__})


box = gym.spaces.Box(-np.inf, np.inf, (WIDTH,), "f4")
d4rl("d4rl.hdf5")
d4rl("d4rl-next.hdf5", following=False, dtype="f8", compression="gzip", chunks=True)
d4rl("d4rl-half.hdf5", dtype="f2", episodes=[(5, "death"), (7, "clock")])
d4rl("d4rl-big-endian.hdf5", dtype=">f8", following=False, timeouts=False)
d4rl("d4rl-no-timeouts.hdf5", timeouts=False)
d4rl("d4rl-tree.hdf5", tree=True)
d4rl("d4rl-lzf.hdf5", compression="lzf")
d4rl("d4rl-long.hdf5", episodes=[(37 + 5 * (e % 9), ["death", "clock"][e % 2]) for e in range(400)], compression="gzip", chunks=True, shuffle=True)
d4rl("d4rl-one.hdf5", episodes=[(3, "clock")])
robomimic("robomimic.hdf5")
robomimic("robomimic-next.hdf5", next_obs=True)
robomimic("robomimic-truncated.hdf5", next_obs=True, truncated=True)
robomimic("robomimic-failed.hdf5", success=[True, False])
robomimic("robomimic-horizon.hdf5", horizon=7)
robomimic("robomimic-bare.hdf5", dones=None, rewards=False)
real_minari("plain", box, lambda o: o)
real_minari("tree", gym.spaces.Dict({"policy": box, "inner": gym.spaces.Dict({"goal": box})}), lambda o: {"policy": o, "inner": {"goal": o + 0.5}})

# What is wrong with a file.
good = (folder / "d4rl.hdf5").read_bytes()


def spoiled(name, change):
    (folder / name).write_bytes(good)
    with h5py.File(folder / name, "r+") as f:
        change(f)


def replace(key, value):
    def change(f):
        del f[key]
        f[key] = value

    return change


def drop(key):
    def change(f):
        del f[key]

    return change


def put(key, index, value):
    def change(f):
        f[key][index] = value

    return change


spoiled("no-terminals.hdf5", drop("terminals"))
spoiled("short-actions.hdf5", replace("actions", np.zeros((9, 2))))
spoiled("wide-rewards.hdf5", replace("rewards", np.zeros((16, 2))))
spoiled("text-actions.hdf5", replace("actions", np.array([b"left"] * 16)))
spoiled("nan-observation.hdf5", put("observations", (7, 1), np.nan))
spoiled("inf-action.hdf5", put("actions", (2, 0), np.inf))
spoiled("nan-reward.hdf5", put("rewards", 6, np.nan))
spoiled("soft-link.hdf5", replace("rewards", h5py.SoftLink("/infos/teacher_actions")))
spoiled("external-link.hdf5", replace("rewards", h5py.ExternalLink("d4rl.hdf5", "/rewards")))


def outside(f):
    del f["rewards"]
    (folder / "secret.bin").write_bytes(b"s" * 128)
    f.create_dataset("rewards", shape=(16,), dtype="f8", external=[(str(folder / "secret.bin"), 0, 128)])


def virtual(f):
    del f["rewards"]
    layout = h5py.VirtualLayout((16,), "f8")
    layout[:] = h5py.VirtualSource(folder / "d4rl.hdf5", "rewards", (16,))
    f.create_virtual_dataset("rewards", layout)


def endless(f):
    for key, shape, dtype in [("observations", (3,), "f4"), ("actions", (2,), "f4"), ("rewards", (), "f4"), ("terminals", (), bool), ("timeouts", (), bool)]:
        del f[key]
        f.create_dataset(key, shape=(10**13, *shape), dtype=dtype, chunks=(1024, *shape), compression="gzip")


def huge_chunk(f):
    del f["observations"]
    f.create_dataset("observations", shape=(16, 3), maxshape=(None, 3), dtype="f4", chunks=(200_000_000, 3), compression="gzip")


spoiled("external-data.hdf5", outside)
spoiled("virtual.hdf5", virtual)
spoiled("endless.hdf5", endless)
spoiled("huge-chunk.hdf5", huge_chunk)
(folder / "torn.hdf5").write_bytes((folder / "d4rl-long.hdf5").read_bytes()[:30_000])
damaged = bytearray((folder / "d4rl-long.hdf5").read_bytes())
with h5py.File(folder / "d4rl-long.hdf5") as f:
    chunk = f["observations"].id.get_chunk_info(0)
    damaged[chunk.byte_offset + 20 : chunk.byte_offset + 220] = b"\0" * 200
(folder / "damaged.hdf5").write_bytes(damaged)
(folder / "empty.hdf5").write_bytes(b"")
(folder / "pointer.hdf5").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234\n")
(folder / "pickle.hdf5").write_bytes(pickle.dumps({"observations": [1, 2]}))
np.savez(folder / "arrays.npz", observations=np.zeros(3))
with h5py.File(folder / "nothing.hdf5", "w"):
    pass
with h5py.File(folder / "unknown.hdf5", "w") as f:
    f["trajectories"] = np.zeros(3)
    f["labels"] = np.zeros(3)
with h5py.File(folder / "no-steps.hdf5", "w") as f:
    for key, shape in [("observations", (0, 3)), ("actions", (0, 2)), ("rewards", (0,)), ("terminals", (0,))]:
        f[key] = np.zeros(shape)
with h5py.File(folder / "odd-episode.hdf5", "w") as f:
    for e, width in enumerate([3, 4]):
        g = f.create_group(f"episode_{e}")
        g["observations"] = observations(e, 6, width)
        g["actions"] = np.zeros((5, 2))
        for key in ["rewards", "terminations", "truncations"]:
            g[key] = np.zeros(5)
with h5py.File(folder / "short-episode.hdf5", "w") as f:
    g = f.create_group("episode_0")
    g["observations"] = observations(0, 9)
    g["actions"] = np.zeros((5, 2))
    for key in ["rewards", "terminations", "truncations"]:
        g[key] = np.zeros(5)

# What NumPy says of the long file.
with h5py.File(folder / "d4rl-long.hdf5") as f:
    o, a, r = (f[k][()].astype("f8") for k in ["observations", "actions", "rewards"])
    ends = np.flatnonzero(f["terminals"][()] | f["timeouts"][()]) + 1
    runs = np.split(r, ends[:-1])
    discounted = [float(np.sum(x * 0.99 ** np.arange(len(x)))) for x in runs]
    togo = [float(np.sum(x[i:] * 0.99 ** np.arange(len(x) - i))) for x in runs for i in range(len(x))]
    stats = {
        "obs_mean": o.mean(0).tolist(), "obs_std": o.std(0).tolist(),
        "action_std": a.std(0).tolist(), "action_min": a.min(0).tolist(),
        "reward_mean": r.mean(), "reward_std": r.std(),
        "mean_return": float(np.mean([x.sum() for x in runs])), "mean_discounted": float(np.mean(discounted)),
        "largest": max(togo), "smallest": min(togo), "steps": len(r),
        "best_tenth": sorted(sorted(range(len(runs)), key=lambda e: (-discounted[e], e))[:40]),
    }
(folder / "stats.json").write_text(json.dumps(stats))
