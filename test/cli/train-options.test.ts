import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addTrainOptions, trainInput } from "../../src/cli/train-options.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import type { TrainInput } from "../../src/session/train-input.ts";

/** A command line as a shell would split it. */
function parse(line: string): TrainInput {
  let input: TrainInput | undefined;
  const command = addTrainOptions(new Command("train").exitOverride());
  command.configureOutput({ outputError: () => undefined });
  command.action((overrides, options) => {
    input = trainInput(overrides, options);
  });
  command.parse(line === "" ? [] : line.split(" "), { from: "user" });
  return input!;
}

function refused(line: string) {
  try {
    parse(line);
  } catch (error) {
    return error as { code: string; message: string; hint: string };
  }
  throw new Error("nothing was refused");
}

describe("the command line of train", () => {
  it("takes the line that robot people type", () => {
    const { config, resume } = parse(
      "--task distillation --num_envs 100 --checkpoint PATH/best_model.pt --logger wandb --log_project_name Foundation env.robot.spawn.usd_path=/path/cf2x.usd",
    );
    expect(resume).toBeUndefined();
    const resolved = resolveConfig(config);
    expect(resolved.notices).toEqual([]);
    expect(resolved.config).toMatchObject({
      task: "distillation",
      num_envs: 100,
      checkpoint: "PATH/best_model.pt",
      logger: "wandb",
      log_project_name: "Foundation",
      experiment_name: "distillation",
      env: { "robot.spawn.usd_path": "/path/cf2x.usd" },
    });
  });

  it("takes every flag of Isaac Lab's train.py that makes sense here", () => {
    const { config } = parse(
      "--headless --seed 3 --max_iterations 7 --experiment_name e --run_name 42 --device cuda:0 --logger tensorboard --phase1_iterations 2 --num_steps_per_env 5",
    );
    expect(resolveConfig(config).config).toMatchObject({
      seed: 3,
      max_iterations: 7,
      experiment_name: "e",
      run_name: "42",
      device: "cuda",
      logger: "tensorboard",
      num_steps_per_env: 5,
      algorithm: { phase1_iterations: 2 },
    });
  });

  it("names the flag of a wrong value", () => {
    expect(() => resolveConfig(parse("--num_envs many").config)).toThrow(
      'num_envs is "many" (--num_envs); expected a whole number from 1 to 1000000',
    );
  });

  it("lets an override win over a flag, wherever it stands", () => {
    const { config } = parse("agent.seed=2 --seed 1");
    expect(resolveConfig(config).config.seed).toBe(2);
  });

  it("connects and listens", () => {
    const { config } = parse("--sim tcp://127.0.0.1:5555 --listen");
    expect(resolveConfig(config).config.sim).toMatchObject({
      endpoint: "tcp://127.0.0.1:5555",
      listen: true,
    });
  });

  it.each([
    ["--video", "renders no videos"],
    ["--video --video_length 200", "renders no videos"],
    ["--distributed", "one process trains"],
    ["--logger neptune", "no sink for Neptune"],
    ["--load_run x --checkpoint a/model_5.pt", "a pattern for a file in the run folder"],
    ["--resume --checkpoint a/model_5.pt", "names a file in the run folder"],
  ])("says why %s is not possible", (line, why) => {
    expect(refused(line)).toMatchObject({ message: expect.stringContaining(why) });
    expect(refused(line).hint.length).toBeGreaterThan(5);
  });

  it("guesses what a mistyped flag was meant to be", () => {
    expect(refused("--num_env 3").message).toContain("Did you mean --num_envs?");
    expect(refused("--num-envs 3").message).toContain("Did you mean --num_envs?");
  });

  it.each([
    ["--resume", {}],
    ["--resume logs/run", { path: "logs/run" }],
    [
      "--resume --load_run 2026.* --checkpoint model_5",
      { load_run: "2026.*", checkpoint: "model_5" },
    ],
    ["--resume max_iterations=9", {}],
    ["--resume True", {}],
    ["--resume true --load_run 2026.*", { load_run: "2026.*" }],
    ["--resume False", undefined],
    ["--resume None", undefined],
  ])("reads %s", (line, resume) => {
    expect(parse(line).resume).toEqual(resume);
  });

  it("takes --load_run without --resume for the teacher's run, --checkpoint for a file in it", () => {
    expect(parse("--load_run 2026.*").teacher).toEqual({ load_run: "2026.*" });
    const { teacher, config, resume } = parse("--load_run a/2026.* --checkpoint model_5");
    expect(teacher).toEqual({ load_run: "a/2026.*", checkpoint: "model_5" });
    expect(resume).toBeUndefined();
    expect(resolveConfig(config).config).toMatchObject({ checkpoint: null });
  });

  it("takes the teacher's run from --load_run where --resume says False", () => {
    expect(parse("--resume False --load_run 2026.*").teacher).toEqual({ load_run: "2026.*" });
  });

  it.each([
    "--agent rsl_rl_distillation_cfg_entry_point",
    "--rl_library rsl_rl",
    "--enable_cameras",
    "--livestream 2",
    "--viz kit",
    "--viz",
    "--rendering_mode quality",
    "--kit_args x",
  ])("takes %s of Isaac Lab's commands and says that it does nothing", (line) => {
    const { notices = [], config } = parse(`--task quadcopter --headless ${line}`);
    expect(notices.join()).toContain(`No effect here: ${line.split(" ")[0]} (`);
    expect(resolveConfig(config).config.task).toBe("quadcopter");
  });

  it("keeps the override behind a flag whose value may be left out", () => {
    const { config, notices } = parse("--viz max_iterations=9");
    expect(resolveConfig(config).config.max_iterations).toBe(9);
    expect(notices).toHaveLength(1);
  });

  it("chooses among the inputs and outputs of an ONNX teacher", () => {
    const { config } = parse("--checkpoint t.onnx --onnx_input obs --onnx_output actions");
    expect(resolveConfig(config).config).toMatchObject({
      policy: { onnx_input: "obs", onnx_output: "actions" },
    });
  });

  it("keeps the override behind a bare --resume, and the teacher of the run", () => {
    const { config } = parse("--resume max_iterations=9 --checkpoint model_5");
    expect(resolveConfig(config).config).toMatchObject({ max_iterations: 9, checkpoint: null });
  });

  it("helps with every key, its default and its meaning", () => {
    const help = helpOf();
    expect(help).toMatch(/--num_envs <N> +Environments flown side by side \(default: 100\)/);
    expect(help).toMatch(/algorithm\.gradient_length=15 +Time steps/);
    expect(help).not.toContain("--video");
  });

  it("helps with what a named algorithm has, by its own defaults", () => {
    const batch = (name: string) => /--batch_size <N> .*?default: (\d+)/s.exec(helpOf(name))?.[1];
    expect([batch("lapo"), batch("td3_bc")]).toEqual(["100", "256"]);
    expect(helpOf("lapo")).toMatch(/--discount <X> +Weight of the next step's value/);
    expect(helpOf("lapo")).not.toMatch(/--bc_fraction|--phase1_iterations/);
    expect(helpOf("bc")).toMatch(/--bc_fraction <X>/);
    expect(helpOf("distillation")).toMatch(/--phase1_iterations/);
    for (const flag of ["--bc_fraction", "--phase1_iterations", "--resume"]) {
      expect(helpOf()).toContain(flag);
    }
  });
});

/** As `train --help` prints it. */
function helpOf(algorithm?: string): string {
  let help = "";
  const command = addTrainOptions(new Command("train").exitOverride());
  command.configureOutput({ writeOut: (text) => (help += text) });
  const named = algorithm === undefined ? [] : ["--algorithm", algorithm];
  expect(() => command.parse([...named, "--help"], { from: "user" })).toThrow("(outputHelp)");
  return help;
}

describe("a flag of CORL's, d3rlpy's or rsl_rl's that train has not", () => {
  it.each([
    ["--algorithm iql --iql_tau 0.7", /write algorithm\.iql_tau=VALUE/],
    ["--algorithm rebrac --actor-bc-coef=0.1", /write algorithm\.actor_bc_coef=VALUE/],
    ["--max_timesteps 10 --algorithm td3_bc", /--updates_per_iteration/],
    ["--algorithm iql --weight_temp 3", /algorithm\.beta=X/],
    ["--gamma 0.9", /--discount/],
  ])("%s leads to the key", (line, hint) => {
    const error = refused(line);
    expect(error.message).toMatch(/^unknown option '--/);
    expect(error.hint).toMatch(hint);
  });

  it("of no known meaning has commander's own words", () => {
    for (const line of ["--colour 3", "--algorithm bc --weight_temp 3"]) {
      expect(refused(line).message).toMatch(/unknown option/);
      expect(refused(line).hint).toBeUndefined();
    }
  });

  it("of another algorithm is said to be that one's", () => {
    const { config } = parse("--algorithm cql --dataset x --online_share 0.5");
    const failed = () => resolveConfig(config);
    expect(failed).toThrow(/Unknown key online_share/);
    expect(failed).toThrow(expect.objectContaining({ hint: expect.stringMatching(/iql.*lapo/) }));
  });
});

it("a key of another algorithm's leads there before a similar one of its own", () => {
  const overrides = ["algorithm.class_name=td3_bc", "dataset=x", "algorithm.iql_tau=0.7"];
  expect(() => resolveConfig({ overrides })).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/^It is a key of iql\./) }),
  );
});

it("names without brackets are shown with them", () => {
  const overrides = ["algorithm.class_name=lapo", "dataset=x", "obs_groups.student=camera,joints"];
  expect(() => resolveConfig({ overrides })).toThrow(
    expect.objectContaining({ hint: "Write obs_groups.student=[camera,joints]." }),
  );
});
