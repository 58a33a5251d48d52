"""The adapter for rsl_rl's environments against classes that behave as its VecEnv is documented to, by version."""

import types
import unittest

import numpy as np
from firstsolo_sim.rsl_rl import Opener, RslRlEnv
from firstsolo_sim.session_order import ServeError
from firstsolo_sim.spec import check_spec


class VecEnv:
    """Row i ends after i + 2 steps, odd rows by the clock; keeps no last observation."""

    num_envs, num_actions, max_episode_length, step_dt = 4, 2, 9, 0.04

    def __init__(self, form="groups"):
        self.form, self.ages, self.seeds = form, np.zeros(4, int), []

    def seed(self, seed):
        self.seeds.append(seed)

    def reset(self):
        self.ages[:] = 0
        return self.shown()

    def step(self, actions):
        self.taken = actions
        self.ages += 1
        dones = self.ages >= np.arange(4) + 2
        late = dones & (np.arange(4) % 2 == 1)
        self.ages[dones] = 0
        extras = {"time_outs": late, "log": {"mean": np.float32(3), "rows": np.ones(4)}}
        reward = np.arange(4, dtype="f8")
        if self.form == "five":
            return self.shown()[0], np.zeros((4, 1), "f4"), reward, dones, extras
        observations, more = self.shown()
        return observations, reward, dones.astype("i8"), {**extras, **more}

    def shown(self):
        policy = np.stack([self.ages, self.ages], 1).astype("f4")
        if self.form == "groups":
            return {"policy": policy, "critic": np.ones((4, 5), "f4")}, {}
        if self.form == "beside":
            return policy, {"observations": {"critic": np.ones((4, 5), "f4")}}
        return policy, {}


def served(form="groups", **options):
    env = VecEnv(form)
    return env, RslRlEnv(env, "t", to_tensor=lambda actions: actions, **options)


class Served(unittest.TestCase):
    def test_a_specification_that_may_travel(self):
        for form, groups in (("groups", {"policy", "critic"}), ("beside", {"policy", "critic"}), ("five", {"policy"})):
            _, env = served(form, action_bound=1.5)
            check_spec(env.spec)
            self.assertEqual(set(env.spec["observations"]), groups, form)
            self.assertEqual(env.spec["control_period"], 0.04)
            self.assertEqual(env.spec["action"]["high"], [1.5, 1.5])

    def test_ends_by_the_clock_are_told_from_deaths_and_no_last_observation_is_made_up(self):
        for form in ("groups", "beside", "five"):
            raw, env = served(form, action_bound=1.0)
            env.reset(7)
            self.assertEqual(raw.seeds, [7])
            env.step(np.full((4, 2), 9.0, "f4"))
            self.assertEqual(raw.taken.max(), 1.0)
            step = env.step(np.zeros((4, 2), "f4"))
            self.assertEqual(step["terminated"].tolist(), [True, False, False, False])
            step = env.step(np.zeros((4, 2), "f4"))
            self.assertEqual(step["truncated"].tolist(), [False, True, False, False])
            self.assertEqual(step["log"], {"mean": 3.0, "rows": 1.0})
            self.assertEqual(step["obs/policy"][:, 0].tolist(), [1, 0, 3, 3])
            self.assertEqual(step["reward"].dtype.str, "<f4")
            self.assertNotIn("final/rows", step)

    def test_what_nobody_says_is_said_to_be_missing(self):
        _, env = served()
        self.assertIn("--action_bound", " ".join(env.notices))
        raw = VecEnv()
        raw.step_dt = None
        with self.assertRaises(ServeError) as caught:
            RslRlEnv(raw, "t", to_tensor=lambda actions: actions)
        self.assertIn("--control_period", caught.exception.hint)

    def test_an_environment_is_made_once_and_keeps_its_size(self):
        import sys

        made = []
        sys.modules["torch"] = types.SimpleNamespace(from_numpy=lambda array: np.asarray(array))
        make = lambda num_envs=4: made.append(num_envs) or VecEnv()  # noqa: E731
        sys.modules["makers"] = types.SimpleNamespace(make=make, teach=lambda seen: seen["policy"])
        args = dict(env="makers:make", task=None, num_envs=None, control_period=None)
        opener = Opener(types.SimpleNamespace(**args, action_bound=1.0, teacher="makers:teach"))
        env = opener({}, 4, None)
        self.assertIs(opener({}, None, None), env)
        self.assertEqual((made, env.spec["task"], env.spec["capabilities"]), ([4], "make", ["teacher_actions"]))
        with self.assertRaises(ServeError) as caught:
            opener({}, 5, None)
        self.assertEqual(caught.exception.code, "num-envs-refused")
        with self.assertRaises(ServeError):
            opener({"a": 1}, 4, None)


if __name__ == "__main__":
    unittest.main()
