"""The adapter for Isaac Lab against a class that behaves as DirectRLEnv is documented to."""

import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "standin"))

import torch  # noqa: E402  (the stand-in)
from firstsolo_sim.isaaclab_env import IsaacEnv  # noqa: E402
from firstsolo_sim.isaaclab_settings import apply_settings, shown_settings  # noqa: E402
from firstsolo_sim.protocol import ProtocolError, check_plain  # noqa: E402
from firstsolo_sim.spec import check_spec  # noqa: E402
from isaaclab_tasks.direct import HopperEnv, HopperEnvCfg  # noqa: E402

TASK = "Isaac-Quadcopter-Direct-v0"


def fleet(count=6, final=True, task=TASK, **options):
    cfg = HopperEnvCfg()
    cfg.scene.num_envs = count
    cfg.compute_final_obs = final
    raw = HopperEnv(cfg)
    return raw, IsaacEnv(raw, task, to_tensor=torch.from_numpy, **options)


class Served(unittest.TestCase):
    def test_a_specification_that_may_travel_with_the_names_of_the_known_task(self):
        _, env = fleet()
        check_spec(env.spec)
        self.assertEqual(env.spec["control_period"], 0.02)
        self.assertEqual(env.spec["max_episode_steps"], 20)
        policy = env.spec["observations"]["policy"]
        self.assertEqual(
            policy["names"][9:], ["desired_pos_b.x", "desired_pos_b.y", "desired_pos_b.z"]
        )
        self.assertEqual(env.spec["observations"]["critic"]["shape"], [4])
        self.assertEqual(env.spec["action"]["low"], [-1.0] * 4)

    def test_bounds_that_no_one_states_are_wide_and_said_aloud(self):
        _, env = fleet(task="Isaac-Other-v0")
        self.assertEqual(env.spec["action"]["high"], [100.0] * 4)
        self.assertIn("--clip_actions", "".join(env.notices))
        _, env = fleet(task="Isaac-Other-v0", clip_actions=2.0)
        self.assertEqual((env.spec["action"]["high"], env.notices), ([2.0] * 4, []))

    def test_what_was_handed_over_is_never_written_again(self):
        _, env = fleet()
        given = [env.reset(1)] + [env.step(np.full((6, 4), 0.5, "<f4")) for _ in range(3)]
        kept = [
            {name: np.array(value) for name, value in one.items() if _array(value)} for one in given
        ]
        for _ in range(25):
            env.step(np.full((6, 4), -1.0, "<f4"))
        for one, before in zip(given, kept):
            for name, value in before.items():
                np.testing.assert_array_equal(one[name], value)

    def test_a_stale_log_is_dropped_on_steps_without_a_reset(self):
        raw, env = fleet()
        env.reset(1)
        quiet = loud = 0
        for _ in range(40):
            result = env.step(np.zeros((6, 4), "<f4"))
            self.assertIn("log", raw.extras)  # it is always there
            ended = (result["terminated"] | result["truncated"]).any()
            self.assertEqual("log" in result, bool(ended))
            if ended:
                loud += 1
                self.assertGreaterEqual(result["log"]["Metrics/final_distance_to_goal"], 0.0)
            else:
                quiet += 1
        self.assertTrue(quiet and loud)

    def test_final_observations_are_the_last_ones_of_exactly_the_ended_rows(self):
        raw, env = fleet()
        before = env.reset(3)
        endings = 0
        for _ in range(40):
            result = env.step(np.zeros((6, 4), "<f4"))
            rows = np.flatnonzero(result["terminated"] | result["truncated"])
            if len(rows) == 0:
                self.assertNotIn("final/rows", result)
            else:
                endings += 1
                np.testing.assert_array_equal(result["final/rows"], rows)
                # Without force nothing moves: the last observation is the one before.
                np.testing.assert_array_equal(result["final/policy"], before["obs/policy"][rows])
                self.assertEqual(result["final/critic"].shape, (len(rows), 4))
                self.assertFalse(np.array_equal(result["final/policy"], result["obs/policy"][rows]))
            before = result
        self.assertGreater(endings, 1)
        _, blind = fleet(final=False)
        self.assertIn("final observations", "".join(blind.notices))

    def test_actions_are_clamped_before_the_task_sees_them(self):
        seen = []
        raw, env = fleet(clip_actions=0.25)
        step = raw.step
        raw.step = lambda action: (seen.append(np.array(action.array)), step(action))[1]
        env.reset(1)
        env.step(np.full((6, 4), 9.0, "<f4"))
        np.testing.assert_array_equal(seen[0], np.full((6, 4), 0.25, "<f4"))

    def test_a_teacher_is_asked_for_each_frame_and_told_who_started(self):
        told = []

        def teacher(observations, started):
            told.append(started.copy())
            return torch.from_numpy(observations["policy"].array[:, 9:10].repeat(4, axis=1) * 2)

        _, env = fleet(teacher=teacher)
        self.assertEqual(env.spec["capabilities"], ["teacher_actions"])
        frame = env.reset(1)
        for _ in range(30):
            np.testing.assert_array_equal(
                frame["teacher/actions"][:, 0], frame["obs/policy"][:, 9] * 2
            )
            frame = env.step(np.zeros((6, 4), "<f4"))
            np.testing.assert_array_equal(told[-1], frame["terminated"] | frame["truncated"])
        self.assertTrue(told[0].all())


class Settings(unittest.TestCase):
    def test_reach_into_the_configuration_and_keep_its_types(self):
        cfg = HopperEnvCfg()
        apply_settings(
            cfg, {"sim.dt": 1, "robot.spawn.usd_path": "/a/b.usd", "robot.spawn.scale": [2, 1, 1]}
        )
        self.assertEqual((cfg.sim.dt, type(cfg.sim.dt)), (1.0, float))
        self.assertEqual(cfg.robot.spawn.usd_path, "/a/b.usd")
        self.assertEqual(cfg.robot.spawn.scale, (2.0, 1.0, 1.0))

    def test_an_unknown_path_is_refused_with_the_nearest_and_nothing_is_set(self):
        cfg = HopperEnvCfg()
        for path, near in [
            ("robot.usd_path", "env.robot.spawn.usd_path"),
            ("thrust_to_wieght", "env.thrust_to_weight"),
            ("sim.dtt", "env.sim.dt"),
            ("sim.dt.x", "env.sim.dt"),
            ("__class__.x", ""),
        ]:
            with self.assertRaises(ProtocolError) as caught:
                apply_settings(cfg, {"decimation": 9, path: 1})
            self.assertEqual(
                (caught.exception.code, caught.exception.field), ("unknown-setting", f"env.{path}")
            )
            self.assertIn(near, caught.exception.hint)
        self.assertEqual(cfg.decimation, 2)

    def test_a_value_of_another_kind_is_refused_with_what_is_there(self):
        for path, value in [
            ("decimation", "two"),
            ("decimation", 1.5),
            ("robot.spawn", 1),
            ("robot.spawn.scale", 2),
        ]:
            with self.assertRaises(ProtocolError) as caught:
                apply_settings(HopperEnvCfg(), {path: value})
            self.assertEqual(caught.exception.code, "bad-setting")

    def test_what_is_in_effect_can_travel(self):
        cfg = HopperEnvCfg()
        cfg.episode_length_s = float("inf")
        shown = shown_settings(cfg, {"robot.spawn.scale": 1})
        check_plain(shown)
        self.assertEqual(shown["robot.spawn.scale"], [1.0, 1.0, 1.0])
        self.assertEqual(shown["sim.dt"], 0.01)


def _array(value):
    return isinstance(value, np.ndarray)


if __name__ == "__main__":
    unittest.main()
