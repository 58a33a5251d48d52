"""The adapter for Gymnasium on real environments: whatever their autoreset, the same flight."""

import sys
import types
import unittest
import unittest.mock

import gymnasium
import numpy as np
from firstsolo_sim import gymnasium as program
from firstsolo_sim.actions import actions_of
from firstsolo_sim.env_calls import EnvCalls
from firstsolo_sim.gymnasium import GymnasiumEnv
from firstsolo_sim.kept import Kept
from firstsolo_sim.protocol import PROTOCOL_VERSION, ProtocolError
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

    def test_one_whose_rows_cannot_be_reset_alone_tells_ends_one_step_later(self):
        def maskless():
            makers = [
                lambda i=i: gymnasium.make("Pendulum-v1", max_episode_steps=5 + 3 * i) for i in range(3)
            ]
            inner = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.NEXT_STEP)
            honest = inner.reset
            inner.reset = lambda seed=None, options=None: honest(seed=seed)
            return inner

        env = GymnasiumEnv(maskless(), task="Pendulum-v1", max_episode_steps=11)
        self.assertEqual(env.spec["max_episode_steps"], 12)
        self.assertIn("one step later", " ".join(env.notices))
        raw = maskless()
        raw.reset(seed=5)
        env.reset(5)
        rng, ended, last, told = np.random.default_rng(1), np.zeros(3, bool), None, 0
        for _ in range(40):
            actions = rng.uniform(-2, 2, (3, 1)).astype("f4")
            seen, reward, terminated, truncated, _ = raw.step(actions)
            step = env.step(actions)
            np.testing.assert_array_equal(step["obs/policy"], seen)
            np.testing.assert_allclose(step["reward"], reward, rtol=1e-6)
            np.testing.assert_array_equal(step["truncated"], ended)
            if ended.any():
                told += int(ended.sum())
                np.testing.assert_array_equal(step["final/policy"], last[ended])
                np.testing.assert_array_equal(step["final/rows"], np.flatnonzero(ended))
                self.assertTrue((reward[ended] == 0).all())
            ended, last = terminated | truncated, seen.copy()
        self.assertGreater(told, 8)

    def test_one_that_does_not_say_its_mode_is_refused_until_told(self):
        inner = SyncVectorEnv([lambda: gymnasium.make("Pendulum-v1")])
        del inner.metadata["autoreset_mode"]
        with self.assertRaises(ServeError) as caught:
            GymnasiumEnv(inner, task="p", max_episode_steps=200)
        self.assertIn("--autoreset_mode", caught.exception.hint)


class OwnVector(gymnasium.vector.VectorEnv):
    """One that makes many of itself, and has no maker of a single one."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs=1, speed=2.0, agent_hz=None):
        self.num_envs, self.speed = num_envs, speed
        self.single_observation_space = spaces.Box(-9, 9, (2,), np.float32)
        self.single_action_space = spaces.Box(-1, 1, (1,), np.float32)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed=None, options=None):
        return np.zeros((self.num_envs, 2), "f4"), {}

    def step(self, actions):
        none = np.zeros(self.num_envs, bool)
        return np.full((self.num_envs, 2), self.speed, "f4"), none * 0.0, none, none, {}


def opened(name, *words):
    args = ["x", "--env", name, "--bind", "ipc:///x", *words]
    with unittest.mock.patch.object(sys, "argv", args):
        parsed, rest = program._arguments()
    return program.Opener(parsed, program.split_overrides(rest))


class Program(unittest.TestCase):
    def test_an_environment_with_a_vector_entry_point_alone(self):
        gymnasium.register("Own-v0", vector_entry_point=OwnVector)
        limit = ["--max_episode_steps", "30", "--control_period", "0.1"]
        env = opened("Own-v0", *limit, "speed=3.0")({}, 4, None)
        check_spec(env.spec)
        self.assertEqual((env.spec["num_envs"], env.settings), (4, {"num_envs": 1, "speed": 3.0, "agent_hz": None}))
        env.reset(1)
        self.assertEqual(env.step(np.zeros((4, 1), "f4"))["obs/policy"].tolist(), [[3.0, 3.0]] * 4)

        rated = opened("Own-v0", "--max_episode_steps", "30", "agent_hz=40")({}, 2, None)
        self.assertEqual(rated.spec["control_period"], 0.025)

    def test_a_controller_teaches_without_a_subclass(self):
        sys.modules["controllers"] = types.SimpleNamespace(
            swing=lambda seen: -seen["policy"][:, 2:], bad=lambda seen: seen["policy"]
        )
        env = opened("Pendulum-v1", "--teacher", "controllers:swing")({}, 3, None)
        check_spec(env.spec)
        self.assertIn("teacher_actions", env.spec["capabilities"])
        for step in (env.reset(2), env.step(np.zeros((3, 1), "f4"))):
            np.testing.assert_array_equal(step["teacher/actions"], -step["obs/policy"][:, 2:])
        with self.assertRaises(ServeError) as caught:
            opened("Pendulum-v1", "--teacher", "controllers:bad")({}, 3, None).reset(1)
        self.assertEqual(caught.exception.code, "bad-teacher")
        with self.assertRaises(ServeError):
            opened("Pendulum-v1", "--teacher", "controllers:none")({}, 3, None)


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
            action_spec(spaces.Text(2), None)
        self.assertIn("Box", caught.exception.hint)

    def test_choices_travel_as_options_or_as_their_number(self):
        class Vector:
            single_action_space = spaces.MultiDiscrete([2, 3], start=[0, 5])
            action_space = spaces.MultiDiscrete([[2, 3]] * 2)

        hot = actions_of(Vector, bound=None, form="one_hot")
        self.assertEqual((hot.spec["shape"], hot.spec["low"]), ([5], [-1.0] * 5))
        rows = np.array([[0.1, 0.9, -1, 0, 1], [0, 0, 0.2, 0.1, 0.1]], "f4")
        self.assertEqual(hot.taken(rows).tolist(), [[1, 7], [0, 5]])
        index = actions_of(Vector, bound=None, form="index")
        self.assertEqual((index.spec["low"], index.spec["high"]), ([0.0, 5.0], [1.0, 7.0]))
        self.assertEqual(index.taken(np.array([[0.6, 9], [-3, 5.4]], "f4")).tolist(), [[1, 7], [0, 5]])

    def test_an_environment_of_choices_flies(self):
        env = gymnasium.make_vec("CartPole-v1", num_envs=3, vectorization_mode="sync")
        served = GymnasiumEnv(env, task="CartPole-v1")
        check_spec(served.spec)
        served.reset(3)
        step = served.step(np.array([[1, -1], [-1, 1], [0.2, 0.1]], "f4"))
        self.assertEqual(step["reward"].tolist(), [1.0, 1.0, 1.0])
        served.close()

    def test_one_that_cannot_be_closed_costs_the_server_nothing(self):
        class Broken(GymnasiumEnv):
            def close(self):
                raise RuntimeError("it is gone already")

        def make(settings, num_envs, groups):
            return Broken(gymnasium.make_vec("Pendulum-v1", num_envs=2), task="Pendulum-v1")

        calls = EnvCalls(make, "broken", "1")
        hello = {"type": "hello", "settings": {}, "groups": None, "num_envs": None, "capabilities": []}
        hello["protocol"] = PROTOCOL_VERSION
        calls.answer(hello, {})
        with self.assertLogs("firstsolo_sim", "ERROR"):
            welcome, _ = calls.answer(hello, {})
        self.assertEqual(welcome["spec"]["num_envs"], 2)

    def test_a_setting_that_the_opening_function_did_not_take_is_refused(self):
        env = types.SimpleNamespace(spec={}, step=None, close=lambda: None)
        calls = EnvCalls(lambda settings, num_envs, groups: env, "deaf", "1")
        hello = {"type": "hello", "groups": None, "num_envs": None, "protocol": PROTOCOL_VERSION}
        with self.assertRaises(ProtocolError) as refused:
            calls.answer({**hello, "settings": {"gravity": 3}, "capabilities": []}, {})
        self.assertEqual(refused.exception.code, "unknown-setting")

    def test_one_that_is_kept_is_made_again_for_other_wishes_alone(self):
        made = []

        def make(settings, num_envs, groups):
            made.append(unittest.mock.Mock(num_envs=num_envs, steps=7))
            return made[-1]

        kept = Kept(make)
        first = kept({}, 4, None)
        first.close()
        self.assertEqual((first.num_envs, kept({}, 4, ["policy"]).steps, len(made)), (4, 7, 1))
        made[0].close.assert_not_called()
        self.assertEqual(kept({"g": 1.0}, 4, None).num_envs, 4)
        made[0].close.assert_called_once_with()
        self.assertEqual(len(made), 2)

    def test_one_bound_counts_for_all_components(self):
        class Scalar:
            shape, low, high, dtype = (3,), np.float32(-2), np.float32(2), np.dtype("f4")

        Scalar.__name__ = "Box"
        spec, _ = action_spec(Scalar(), None)
        self.assertEqual((spec["low"], spec["high"]), ([-2.0] * 3, [2.0] * 3))

    def test_a_control_period_is_taken_from_the_environment_or_said_to_be_guessed(self):
        def served(**attributes):
            class Env(gymnasium.Env):
                metadata = {"render_fps": 30}
                observation_space = action_space = spaces.Box(-1, 1, (1,), np.float32)

            for name, value in attributes.items():
                setattr(Env, name, value)
            return GymnasiumEnv(SyncVectorEnv([Env, Env]), task="t", max_episode_steps=5)

        self.assertEqual(served(agent_hz=40, dt=0.5).spec["control_period"], 0.025)
        self.assertEqual(served(dt=0.5).spec["control_period"], 0.5)
        self.assertFalse(any("guessed" in line for line in served(dt=0.5).notices))
        guessed = served()
        self.assertAlmostEqual(guessed.spec["control_period"], 1 / 30)
        self.assertIn("--control_period", " ".join(guessed.notices))

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
        taken.clear()
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
