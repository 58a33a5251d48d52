import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { distillation } from "../../src/algorithms/distillation/algorithm.ts";
import type { DistillationConfig } from "../../src/algorithms/distillation/settings.ts";
import { keysOf } from "../../src/config/algorithm-keys.ts";
import type { ConfigError } from "../../src/config/config-error.ts";
import { parseValue } from "../../src/config/overrides.ts";
import { type Resolved, type ResolveInput, resolveConfig } from "../../src/config/resolve.ts";
import { toYaml } from "../../src/config/to-yaml.ts";
import fc from "../properties.ts";

const folder = mkdtempSync(join(tmpdir(), "firstsolo-config-"));
let files = 0;

function yamlFile(text: string): string {
  files += 1;
  const path = join(folder, `${files}.yaml`);
  writeFileSync(path, text);
  return path;
}

function attempt(input: ResolveInput): Resolved | Error {
  try {
    return resolveConfig(input);
  } catch (error) {
    return error as Error;
  }
}

function refused(input: ResolveInput): ConfigError {
  const outcome = attempt(input);
  if (outcome instanceof Error) return outcome as ConfigError;
  throw new Error("nothing was refused");
}

describe("the configuration", () => {
  it("has defaults: the student flies from the start, as in rsl_rl", () => {
    const { config, notices, sources } = resolveConfig();
    expect(config).toMatchObject({
      task: "quadcopter-noisy",
      num_envs: 100,
      num_steps_per_env: 24,
      experiment_name: "quadcopter_noisy_distillation",
      policy: { student_hidden_dims: [128, 128, 128], activation: "elu", init_noise_std: 0.1 },
      algorithm: {
        num_learning_epochs: 4,
        gradient_length: 15,
        learning_rate: 1e-3,
        max_grad_norm: 1,
        use_two_stage_training: false,
        phase1_iterations: null,
      },
      env: {},
    });
    expect(notices).toEqual([]);
    expect(sources).toEqual({});
  });

  it("is frozen to its last value", () => {
    const { config } = resolveConfig({ overrides: ["env.ranges=[1,2]"] });
    const open = (value: unknown): boolean =>
      typeof value === "object" && value !== null
        ? !Object.isFrozen(value) || Object.values(value).some(open)
        : false;
    expect(open(config)).toBe(false);
    expect(() => {
      ((config as DistillationConfig).policy.student_hidden_dims as number[])[0] = 1;
    }).toThrow(TypeError);
  });

  it("is never shared between two calls", () => {
    const first = resolveConfig().config as DistillationConfig;
    const second = resolveConfig().config as DistillationConfig;
    expect(first.policy.student_hidden_dims).not.toBe(second.policy.student_hidden_dims);
  });

  it("takes later sources over earlier ones and remembers where each value came from", () => {
    const input = {
      base: yamlFile("num_envs: 1000\nseed: 1\nmax_iterations: 111\nsave_interval: 7\n"),
      file: yamlFile("# a comment\nnum_envs: 200\nseed: 2\nmax_iterations: 222\n"),
      flags: [
        { name: "num_envs", value: 300, raw: "300", origin: "--num_envs" },
        { name: "seed", value: 3, raw: "3", origin: "--seed" },
      ],
      overrides: ["agent.num_envs=400"],
    };
    const { config, sources } = resolveConfig(input);
    expect(config).toMatchObject({ num_envs: 400, seed: 3, max_iterations: 222, save_interval: 7 });
    expect(sources).toEqual({
      num_envs: "agent.num_envs=400",
      seed: "--seed",
      max_iterations: expect.stringMatching(/^\d+\.yaml:4$/),
      save_interval: expect.stringMatching(/^\d+\.yaml:4$/),
    });
  });

  it("names no source for a value that is the default", () => {
    const file = yamlFile(toYaml(resolveConfig({ overrides: ["num_envs=7"] }).config));
    const { sources } = resolveConfig({ base: file, overrides: ["seed=42"] });
    expect(Object.keys(sources)).toEqual(["num_envs", "experiment_name"]);
  });

  it.each([
    ["Isaac-Quadcopter-Direct-v0", "Isaac_Quadcopter_Direct_v0_distillation"],
    ["distillation", "distillation"],
    ["a/../../b c", "b_c_distillation"],
  ])("names the experiment of task %s", (task, name) => {
    const flags = [{ name: "task", value: task, origin: "--task" }];
    expect(resolveConfig({ flags }).config.experiment_name).toBe(name);
  });

  it("reads back what it writes, with or without remarks", () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
    );
    const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/).filter((word) => word !== "__proto__");
    const entries = fc.dictionary(
      fc.array(name, { minLength: 1, maxLength: 3 }).map((words) => words.join(".")),
      fc.oneof(value, fc.array(value, { maxLength: 3 })),
      { maxKeys: 5 },
    );
    fc.assert(
      fc.property(
        entries,
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (env, threads, remarks) => {
          const flags = Object.entries({ ...prefixed(env), threads }).map(([key, value]) => {
            return { name: key, value, origin: "a test # with: signs" };
          });
          const { config, sources } = resolveConfig({ flags });
          const text = toYaml(config, remarks ? sources : {});
          expect(resolveConfig({ file: yamlFile(text) }).config).toEqual(config);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("puts the origin behind what is not a default", () => {
    const { config, sources } = resolveConfig({ overrides: ["policy.init_noise_std=0.2"] });
    const text = toYaml(config, sources);
    expect(text).toContain("  init_noise_std: 0.2 # policy.init_noise_std=0.2\n");
    expect(text).toContain("  student_hidden_dims: [ 128, 128, 128 ]\n");
    expect(text.match(/#/g)).toHaveLength(1);
  });
});

function prefixed(env: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [`env.${name}`, value]));
}

describe("overrides", () => {
  it.each([
    ["1e-4", 1e-4],
    ["-3", -3],
    [".5", 0.5],
    ["True", true],
    ["false", false],
    ["None", null],
    ["null", null],
    ["[1, 2e1, None, True, x]", [1, 20, null, true, "x"]],
    ["'1'", "1"],
    ['"a b"', "a b"],
    ["", ""],
    ["/path/cf2x.usd", "/path/cf2x.usd"],
    ["C: not a map # nor a remark", "C: not a map # nor a remark"],
    ["2026-01-01", "2026-01-01"],
    ["&a", "&a"],
    ["*a", "*a"],
    ["!!python/object:os.system", "!!python/object:os.system"],
  ])("reads %s", (raw, value) => {
    expect(parseValue(raw, raw)).toEqual(value);
  });

  it("hands env.* to the simulator by dotted name", () => {
    const overrides = [
      "env.robot.spawn.usd_path=/path/cf2x.usd",
      "++env.sim.dt=0.005",
      "env.a=[1,2]",
    ];
    expect(resolveConfig({ overrides }).config.env).toEqual({
      "robot.spawn.usd_path": "/path/cf2x.usd",
      "sim.dt": 0.005,
      a: [1, 2],
    });
  });

  it("takes Isaac Lab's env.scene.num_envs for num_envs", () => {
    const { config } = resolveConfig({ overrides: ["env.scene.num_envs=64"] });
    expect(config).toMatchObject({ num_envs: 64, env: {} });
  });

  it("keeps text that looks like a number, where text is expected", () => {
    const { config } = resolveConfig({ overrides: ["run_name=007", "experiment_name=true"] });
    expect(config).toMatchObject({ run_name: "007", experiment_name: "true" });
  });

  it.each([
    ["word", "bad-override"],
    ["task={}", "bad-value"],
    ["foo={}", "unknown-key"],
    ["=3", "bad-override"],
    ["~policy", "bad-override"],
    ["a b=3", "bad-override"],
    ["env..x=3", "bad-override"],
    ["policy.student_hidden_dims=[64", "bad-override"],
    ["env.__proto__.x=3", "unknown-key"],
    ["__proto__.x=3", "unknown-key"],
    ["constructor=3", "unknown-key"],
    ["env.x={a: 1}", "bad-value"],
    ["env.x=[[1]]", "bad-value"],
    ["env=3", "bad-value"],
    ["env.x=.inf", "bad-value"],
    ["policy=3", "bad-value"],
  ])("refuses %s", (override, code) => {
    expect(refused({ overrides: [override] })).toMatchObject({ name: "ConfigError", code });
  });

  it.each([
    ["learning_rate=1e-4", "algorithm.learning_rate"],
    ["algorithm.learning_rat=1", "algorithm.learning_rate"],
    ["algoritm.learning_rate=1", "algorithm.learning_rate"],
    ["agent.num_env=3", "num_envs"],
    ["max_iteration=3", "max_iterations"],
  ])("names the key that %s means, and the argument", (override, meant) => {
    const error = refused({ overrides: [override] });
    expect(error).toMatchObject({ code: "unknown-key", hint: `Did you mean ${meant}?` });
    expect(error.message).toContain(`(${override})`);
  });

  it("lists a block's keys where none is near", () => {
    expect(refused({ overrides: ["algorithm.lr=1"] }).hint).toContain("algorithm.learning_rate");
  });
});

describe("a wrong value", () => {
  it.each([
    ["num_envs=0", "num_envs is 0 (num_envs=0); expected a whole number from 1 to 1000000"],
    ["num_envs=1.5", "num_envs is 1.5"],
    ["num_envs=", 'num_envs is ""'],
    ["seed=null", "seed is null"],
    ["algorithm.learning_rate=.nan", "algorithm.learning_rate is NaN"],
    ["algorithm.learning_rate=1e400", "algorithm.learning_rate is Infinity"],
    ["algorithm.loss_type=l1", "expected one of mse, huber"],
    ["policy.student_hidden_dims=128", "expected a list of 1 to 32 whole numbers"],
    ["policy.student_hidden_dims=[128, x]", 'is [128,"x"]'],
    ["policy.student_obs_normalization=1", "expected true or false"],
    ["run_name=../elsewhere", "expected up to 128 letters"],
    ["experiment_name=.hidden", "expected up to 128 letters"],
    ["evaluation.env_share=1", "expected a number from 0 to below 1"],
  ])("%s is refused with what was got and what was expected", (override, message) => {
    const error = refused({ overrides: [override] });
    expect(error.code).toBe("bad-value");
    expect(error.message).toContain(message);
  });

  it.each(["task", "agent.task", "algorithm.class_name", "run_name", "num_envs"])(
    "of %s that can't be made a text is refused as any other",
    (name) => {
      for (const value of [{ toString: false }, [{ toString: null }], { toJSON: 1 }]) {
        const flags = [{ name, value, origin: "a test" }];
        expect(refused({ flags }).name).toBe("ConfigError");
      }
    },
  );

  it("is never accepted in silence, whatever it is and whichever key it is for", () => {
    const names = [...keysOf(distillation).keys.keys()].filter((name) => name !== "env");
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
        const flags = [{ name, value, origin: "a test" }];
        const outcome = attempt({ flags });
        if (outcome instanceof Error) {
          expect(outcome.name).toBe("ConfigError");
          return;
        }
        const words = name.split(".") as never[];
        const got = words.reduce((at, word) => at[word], outcome.config as never);
        expect(got).toEqual(name === "experiment_name" && value === "" ? got : value);
      }),
      { numRuns: 500 },
    );
  });
});

describe("values that contradict each other", () => {
  it.each([
    [["num_envs=2"], "no-training-rows"],
    [["algorithm.drop_leftover_steps=true", "algorithm.gradient_length=97"], "never-learns"],
    [["algorithm.drop_leftover_steps=true", "algorithm.buffer_size=1"], "two-references"],
    [["num_envs=1", "evaluation.env_share=0"], "no-comparison"],
    [["sim.listen=true"], "no-endpoint"],
    [["sim.endpoint=localhost:5555"], "bad-endpoint"],
    [["sim.endpoint=tcp://h:1", "sim.curve_server_key_file=k"], "half-a-key"],
    [["sim.curve_server_key_file=k", "sim.curve_client_key_file=k"], "no-endpoint"],
  ])("%s is refused", (overrides, code) => {
    expect(refused({ overrides })).toMatchObject({ code, hint: expect.stringMatching(/.{10}/) });
  });

  it("windows longer than a rollout are fine", () => {
    const overrides = ["algorithm.gradient_length=50", "num_steps_per_env=24"];
    expect(resolveConfig({ overrides }).notices).toEqual([]);
    resolveConfig({
      overrides: ["algorithm.drop_leftover_steps=true", "algorithm.gradient_length=96"],
    });
  });

  it("two environments fly where nothing is measured", () => {
    const overrides = ["num_envs=2", "evaluation.env_share=0"];
    expect(resolveConfig({ overrides }).config.num_envs).toBe(2);
  });
});
