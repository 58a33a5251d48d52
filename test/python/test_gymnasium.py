"""The adapter for Gymnasium on real environments: whatever their autoreset, the same flight."""

import unittest

import gymnasium
import numpy as np
from firstsolo_sim.gymnasium import GymnasiumEnv
from firstsolo_sim.session_order import ServeError
from firstsolo_sim.spaces import action_spec, group_specs
from firstsolo_sim.spec import check_spec
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv


def pendulums(mode, count=3, steps=7):
    """With limits of different lengths, so that the rows end at different steps."""
    makers = [
        lambda i=i: gymnasium.make("Pendulum-v1", max_episode_steps=steps + 2 * i)
        for i in range(count)
    ]
    env = SyncVectorEnv(makers, autoreset_mode=mode)
    return GymnasiumEnv(env, task="Pendulum-v1", max_episode_steps=steps + 2 * count)


def flight(env, seed=5, steps=40):
    rng = np.random.default_rng(1)
    seen = [env.reset(seed)]
    for _ in range(steps):
        seen.append(env.step(rng.uniform(-2, 2, (env.spec["num_envs"], 1)).astype("<f4")))
    return seen


class Autoreset(unittest.TestCase):
    def test_every_mode_is_served_as_same_step_with_the_same_numbers(self):
        flights = [flight(pendulums(mode)) for mode in AutoresetMode]
        self.assertGreater(sum("final/rows" in step for step in flights[0]), 5)
        for other in flights[1:]:
            for a, b in zip(flights[0], other):
                self.assertEqual(a.keys(), b.keys())
                for name in a.keys() - {"log"}:
                    np.testing.assert_array_equal(a[name], b[name], err_msg=name)

    def test_the_last_observation_continues_the_episode_and_the_next_begins_another(self):
        for mode in AutoresetMode:
            for step in flight(pendulums(mode)):
                if "final/rows" in step:
                    rows = step["final/rows"]
                    np.testing.assert_array_equal(rows, np.flatnonzero(step["truncated"]))
                    self.assertFalse(np.array_equal(step["final/policy"], step["obs/policy"][rows]))
                    self.assertEqual(set(step["log"]), {"episode_return", "episode_length"})

    def test_one_that_moves_other_rows_on_a_partial_reset_is_refused_by_name(self):
        env = pendulums(AutoresetMode.NEXT_STEP)
        honest = env._env.reset
        env._env.reset = lambda seed=None, options=None: honest(seed=seed)
        with self.assertRaises(ServeError) as caught:
            flight(env)
        self.assertEqual(caught.exception.code, "unsupported-autoreset")

    def test_one_that_does_not_say_its_mode_is_refused_until_told(self):
        inner = SyncVectorEnv([lambda: gymnasium.make("Pendulum-v1")])
        del inner.metadata["autoreset_mode"]
        with self.assertRaises(ServeError) as caught:
            GymnasiumEnv(inner, task="p", max_episode_steps=200)
        self.assertIn("--autoreset_mode", caught.exception.hint)


class Spaces(unittest.TestCase):
    def test_dicts_become_groups_and_what_is_nested_one_row(self):
        space = spaces.Dict(
            {
                "pose": spaces.Box(-1, 1, (2, 3)),
                "body parts": spaces.Dict(
                    {"a": spaces.Box(-1, 1, (2,)), "b": spaces.MultiBinary(3)}
                ),
                "0": spaces.Box(-1, 1, ()),
            }
        )
        shapes = {name: spec["shape"] for name, spec in group_specs(space).items()}
        self.assertEqual(shapes, {"pose": [2, 3], "body_parts": [5], "g0": [1]})

    def test_what_is_no_number_is_refused_with_a_hint(self):
        for space in (spaces.Discrete(3), spaces.Text(4), spaces.Dict({"a": spaces.Discrete(2)})):
            with self.assertRaises(ServeError) as caught:
                group_specs(space)
            self.assertIn("wrap", caught.exception.hint.lower())
        with self.assertRaises(ServeError) as caught:
            action_spec(spaces.Discrete(2), None)
        self.assertIn("Box", caught.exception.hint)

    def test_actions_without_bounds_need_them_said(self):
        space = spaces.Box(np.array([-np.inf, -2.0, 0.0]), np.array([np.inf, 2.0, np.inf]))
        with self.assertRaises(ServeError) as caught:
            action_spec(space, None)
        self.assertIn("--action_bound", caught.exception.hint)
        spec, open_ends = action_spec(space, 5.0)
        self.assertEqual(
            (spec["low"], spec["high"], open_ends), ([-5.0, -2.0, 0.0], [5.0, 2.0, 5.0], 2)
        )

    def test_a_fixed_component_is_served_and_always_has_its_value(self):
        taken = []

        class Fixed(gymnasium.Env):
            metadata = {"render_fps": 50}
            observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
            action_space = spaces.Box(np.array([-1, 0.5], "f4"), np.array([1, 0.5], "f4"))

            def reset(self, *, seed=None, options=None):
                super().reset(seed=seed)
                return np.zeros(2, "f4"), {}

            def step(self, action):
                taken.append(action.tolist())
                return np.zeros(2, "f4"), 0.0, False, False, {}

        env = gymnasium.vector.SyncVectorEnv([Fixed, Fixed])
        served = GymnasiumEnv(env, task="fixed", max_episode_steps=20)
        check_spec(served.spec)
        self.assertIn("component 1 is always 0.5", " ".join(served.notices))
        served.reset(2**31 - 1)
        served.step(np.array([[2.0, 9.0], [-0.25, -9.0]], "f4"))
        self.assertEqual(taken, [[1.0, 0.5], [-0.25, 0.5]])

    def test_specifications_of_real_environments_may_travel(self):
        for name, width in (("Pendulum-v1", 3), ("InvertedPendulum-v5", 4)):
            env = gymnasium.make_vec(name, num_envs=2, vectorization_mode="sync")
            served = GymnasiumEnv(env, task=name, max_episode_steps=100)
            check_spec(served.spec)
            self.assertEqual(served.spec["observations"]["policy"]["shape"], [width])
            served.close()


if __name__ == "__main__":
    unittest.main()
