import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DistillationConfig } from "../../src/algorithms/distillation/settings.ts";
import type { ConfigError } from "../../src/config/config-error.ts";
import { readOverrides } from "../../src/config/overrides.ts";
import { type Resolved, resolveConfig } from "../../src/config/resolve.ts";
import { parseYaml } from "../../src/config/yaml-file.ts";

const path = join(mkdtempSync(join(tmpdir(), "firstsolo-yaml-")), "agent.yaml");

function distillationOf(text: string): DistillationConfig {
  return resolveText(text).config as DistillationConfig;
}

function resolveText(text: string): Resolved {
  writeFileSync(path, text);
  return resolveConfig({ file: path });
}

function refused(text: string): ConfigError {
  try {
    resolveText(text);
  } catch (error) {
    return error as ConfigError;
  }
  throw new Error("nothing was refused");
}

/** As Isaac Lab's dump of a v3 distillation run is laid out. */
const isaac3 = `seed: 7
device: cuda:0
num_steps_per_env: 120
max_iterations: 300
empirical_normalization: false
obs_groups:
  policy:
  - policy
  teacher:
  - policy
  - privileged
clip_actions: 1.0
save_interval: 25
experiment_name: anymal_d_flat
run_name: ''
logger: wandb
neptune_project: isaaclab
wandb_project: gliders
resume: false
load_run: .*
load_checkpoint: model_.*.pt
class_name: DistillationRunner
policy:
  class_name: StudentTeacher
  init_noise_std: 0.1
  noise_std_type: scalar
  student_obs_normalization: true
  teacher_obs_normalization: false
  student_hidden_dims: !!python/tuple
  - 64
  - 32
  teacher_hidden_dims:
  - 128
  activation: tanh
algorithm:
  class_name: Distillation
  num_learning_epochs: 2
  learning_rate: 1.0e-03
  gradient_length: 15
  max_grad_norm: null
  optimizer: adamw
  loss_type: huber
`;

describe("an agent.yaml of Isaac Lab", () => {
  it("of rsl_rl 3 is taken over key by key", () => {
    const { config, notices } = resolveText(isaac3);
    expect(config).toMatchObject({
      seed: 7,
      device: "auto",
      num_steps_per_env: 120,
      save_interval: 25,
      experiment_name: "anymal_d_flat",
      logger: "wandb",
      log_project_name: "gliders",
      obs_groups: { student: ["policy"], teacher: ["policy", "privileged"] },
      policy: {
        student_hidden_dims: [64, 32],
        activation: "tanh",
        student_obs_normalization: true,
        teacher_activation: null,
      },
      algorithm: {
        num_learning_epochs: 2,
        max_grad_norm: null,
        optimizer: "adamw",
        loss_type: "huber",
      },
    });
    expect(notices).toEqual([
      "agent.yaml:2: device cuda:0 is taken as auto: CUDA where there is a card",
      "No effect here: clip_actions (actions are clipped to the simulator's own range); policy.teacher_hidden_dims (the teacher's file says it)",
    ]);
  });

  it("of rsl_rl 5 gives the student's block to policy", () => {
    const { config, notices } = resolveText(`class_name: DistillationRunner
check_for_nan: true
empirical_normalization: {}
policy: {}
student:
  class_name: MLPModel
  hidden_dims: [96]
  activation: relu
  obs_normalization: true
  distribution_cfg: {class_name: GaussianDistribution, init_std: 0.3, std_type: scalar}
  stochastic: {}
  init_noise_std: {}
teacher:
  class_name: MLPModel
  hidden_dims: [256]
  activation: mish
  distribution_cfg: null
logger: {class_name: WandbLogWriter, project_name: nest}
`);
    expect(config).toMatchObject({
      logger: "wandb",
      log_project_name: "nest",
      policy: {
        student_hidden_dims: [96],
        activation: "relu",
        student_obs_normalization: true,
        init_noise_std: 0.3,
        teacher_activation: "mish",
      },
    });
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(/^No effect here: teacher\.class_name .*teacher\.hidden_dims/);
  });

  it.each([["distribution_cfg: null"], ["stochastic: false"]])(
    "with a student of %s has no noise",
    (line) => {
      expect(distillationOf(`student:\n  ${line}\n`).policy.init_noise_std).toBe(0);
    },
  );

  it("of rsl_rl 2 normalises the student where the runner did", () => {
    const of = (text: string) => distillationOf(text).policy.student_obs_normalization;
    expect(of("empirical_normalization: true\n")).toBe(true);
    expect(of("empirical_normalization: false\n")).toBe(false);
    const both = "empirical_normalization: true\npolicy:\n  student_obs_normalization: false\n";
    expect(of(both)).toBe(false);
  });

  it("takes a recurrent class for an LSTM, unless it names another memory", () => {
    const memory = (text: string) => distillationOf(text).policy;
    expect(memory("policy:\n  class_name: StudentTeacherRecurrent\n").rnn_type).toBe("lstm");
    const gru = "student:\n  class_name: RNNModel\n  rnn_type: gru\n  rnn_hidden_dim: 64\n";
    expect(memory(gru)).toMatchObject({ rnn_type: "gru", rnn_hidden_dim: 64, rnn_num_layers: 1 });
    expect(memory("policy:\n  class_name: StudentTeacher\n").rnn_type).toBeNull();
  });

  it("prefers our own word where both are there", () => {
    const text = "obs_groups:\n  policy: [a]\n  student: [b]\n";
    expect(distillationOf(text).obs_groups.student).toEqual(["b"]);
  });

  it.each([
    ["class_name: OnPolicyRunner", "not-distillation"],
    ["policy:\n  class_name: ActorCritic", "not-distillation"],
    ["student:\n  class_name: CNNModel", "not-distillation"],
    ["algorithm:\n  class_name: PPO", "unknown-algorithm"],
    ["logger: neptune", "bad-value"],
    ["device: cuda:1", "bad-value"],
    ["device: [{toString: false}]", "bad-value"],
    ["student:\n  hiden_dims: [3]", "unknown-key"],
  ])("that asks for what there isn't is refused: %s", (text, code) => {
    const error = refused(text);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/agent\.yaml:[12]\)/);
  });

  it("draws a seed for -1 and says which", () => {
    const { config, notices } = resolveText("seed: -1\n");
    expect(notices).toEqual([`agent.yaml:1: seed -1 asks for any seed; drew ${config.seed}`]);
    expect(config.seed).toBeGreaterThanOrEqual(0);
  });
});

describe("a YAML file", () => {
  it("names the line of an unknown key and of a wrong value", () => {
    expect(refused("seed: 1\nalgorithm:\n  learning_rte: 3\n")).toMatchObject({
      message: "Unknown key algorithm.learning_rte (agent.yaml:3)",
      hint: "Did you mean algorithm.learning_rate?",
    });
    expect(refused("seed: 1\n\nnum_envs: many\n").message).toBe(
      'num_envs is "many" (agent.yaml:3); expected a whole number from 1 to 1000000',
    );
  });

  it("is strict about text: an unquoted number is no name", () => {
    expect(refused("run_name: 42\n").message).toContain("run_name is 42 (agent.yaml:1)");
  });

  it.each(["", "# nothing\n", "null\n", "---\n"])("may say nothing: %j", (text) => {
    expect(resolveText(text).sources).toEqual({});
  });

  it("takes env as a tree, with dots, and through an anchor", () => {
    const text = "env:\n  robot: {mass: &m 0.03}\n  goal.range: [1, 2]\n  other: *m\n";
    expect(resolveText(text).config.env).toEqual({
      "robot.mass": 0.03,
      "goal.range": [1, 2],
      other: 0.03,
    });
  });

  it.each([
    ["a: [1", /^agent\.yaml:\d+: this is not a YAML configuration/],
    ["seed: 1\nseed: 2\n", /^agent\.yaml:2: .*unique/],
    ["- 1\n", /not a list of `key: value`/],
    ["just text", /not a list of `key: value`/],
    ["a: 1\n---\nb: 2\n", /^agent\.yaml:\d+: /],
    ["seed: *nowhere\n", /^agent\.yaml:1: /],
    ["\u0000\u0001\u0002", /this is not a YAML configuration/],
    [`env: ${"{a: ".repeat(40)}1${"}".repeat(40)}`, /blocks inside each other/],
    [`env: ${"[".repeat(20_000)}`, /this is not a YAML configuration/],
  ])("that is none is refused and says where: %#", (text, message) => {
    expect(refused(text)).toMatchObject({ code: "not-yaml" });
    expect(refused(text).message).toMatch(message);
  });

  it("can't grow without bound through anchors", () => {
    const rows = ["env:", "  a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
    for (let i = 1; i < 9; i += 1) {
      rows.push(
        `  a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(",")}]`,
      );
    }
    expect(refused(rows.join("\n")).name).toBe("ConfigError");
  });

  it("can't loop through anchors", () => {
    expect(refused("env: &e\n  x: *e\n").name).toBe("ConfigError");
    for (const text of ["seed: &a [*a]", "sim: &a\n  - {x: *a}\n"]) {
      expect(refused(text).message).toMatch(/^agent\.yaml:1: .* holds itself$/);
    }
    expect(() => readOverrides(["env.x=[&a [*a]]"])).toThrow("the value is not whole");
  });

  it.each([
    ["lines", (keys: readonly string[]) => keys.map((key) => `${key}: 1`).join("\n")],
    ["a line", (keys: readonly string[]) => `{${keys.map((key) => `${key}: 1`).join(", ")}}`],
  ])("of very many values, in %s, is refused before they are compared", (_, text) => {
    const keys = Array.from({ length: 60_000 }, (_none, i) => `k${i}`);
    const before = performance.now();
    expect(refused(text(keys)).message).toContain("more than 10000 values");
    expect(performance.now() - before).toBeLessThan(20_000);
    expect(parseYaml(text(keys.slice(0, 2000)), "f.yaml")).toHaveLength(2000);
  });

  it("too large, missing, or a folder is refused", () => {
    const read = (file: string) => () => resolveConfig({ file });
    expect(read("/nowhere/agent.yaml")).toThrow("/nowhere/agent.yaml can't be read: ENOENT");
    expect(read(tmpdir())).toThrow("it is not a file");
    writeFileSync(path, "#".repeat((1 << 20) + 1));
    expect(read(path)).toThrow("1048577 bytes are more than 1048576");
  });

  it("gives every value its line", () => {
    const settings = parseYaml("a: 1\nb:\n  c: 2\n  d:\n    - 3\n", "f.yaml");
    expect(settings).toEqual([
      { name: "a", value: 1, origin: "f.yaml:1" },
      { name: "b.c", value: 2, origin: "f.yaml:3" },
      { name: "b.d", value: [3], origin: "f.yaml:4" },
    ]);
  });
});
