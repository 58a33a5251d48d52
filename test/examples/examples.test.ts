/** What the README hands out to be copied: each file does what it says, by the program's own rules. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, describe, expect, it } from "vitest";
import { addTrainOptions, type ParsedOptions, trainInput } from "../../src/cli/train-options.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { parseDevice } from "../../src/engine/start.ts";

const folder = import.meta.dirname;
const work = mkdtempSync(join(tmpdir(), "firstsolo-examples-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const read = (name: string) => readFileSync(join(folder, name), "utf8");
const readme = readFileSync(join(folder, "../../README.md"), "utf8");
const { name, version, engines } = JSON.parse(
  readFileSync(join(folder, "../../package.json"), "utf8"),
);

/** What `firstsolo train` makes of these words. */
function parsed(words: readonly string[]) {
  let input: ReturnType<typeof trainInput> | undefined;
  const program = new Command().exitOverride();
  addTrainOptions(program.command("train")).action((more: string[], options: ParsedOptions) => {
    input = trainInput(more, options);
  });
  program.parse(words, { from: "user" });
  return input!;
}

it("distill.yaml is a configuration that nothing has to be said about", () => {
  const { config, notices } = resolveConfig({ file: join(folder, "distill.yaml") });
  expect(notices).toEqual([]);
  expect(config).toMatchObject({
    policy: { rnn_type: "gru" },
    algorithm: { use_two_stage_training: true, phase1_iterations: 133 },
    env: { "noise.lin_vel": 0.1 },
  });
});

describe("slurm-array.sh", () => {
  const words = (task: string) => {
    const env = { ...process.env, FIRSTSOLO: "echo", LOG_ROOT: work, SLURM_ARRAY_TASK_ID: task };
    const { stdout, status } = spawnSync("bash", [join(folder, "slurm-array.sh")], {
      env: { ...env, SLURM_SUBMIT_DIR: folder },
      encoding: "utf8",
    });
    expect(status).toBe(0);
    return stdout.trim().split(" ");
  };

  it("flies a seed of its own in every task", () => {
    const seeds = ["0", "3"].map((task) => {
      const { config } = resolveConfig(parsed(words(task)).config);
      return [config.seed, config.run_name, config.experiment_name, config.log_root];
    });
    expect(seeds).toEqual([
      [42, "seed-42", "array", work],
      [45, "seed-45", "array", work],
    ]);
  });

  it("goes on with its run where there is one", () => {
    const run = join(work, "array", "2026-01-02_03-04-05_seed-43/");
    mkdirSync(run, { recursive: true });
    expect(parsed(words("1")).resume).toEqual({ path: run });
    expect(parsed(words("2")).resume).toBeUndefined();
  });
});

describe.each(["Dockerfile", "firstsolo.def"])("%s", (file) => {
  const text = read(file);

  it("installs what the README asks for, on a Node that will do", () => {
    const [, asked] = /`apt install ([^`]+)`/.exec(readme)!;
    for (const word of asked!.split(" ")) expect(text).toContain(` ${word} `);
    const major = Number(/node:(\d+)/.exec(text)![1]);
    expect(major).toBeGreaterThanOrEqual(Number(/>=(\d+)/.exec(engines.node)![1]));
  });

  it("is no image without a native TensorFlow, and shows why it got none", () => {
    expect(text).toMatch(/npm install --global --foreground-scripts/);
    const [, device] = /firstsolo doctor --device (\w+)$/m.exec(text)!;
    expect(parseDevice(device!)).toEqual({ device: "cpu" });
  });

  it("takes the tarball that npm pack makes", () => {
    const pattern = /(firstsolo-[\w.*]+)\.tgz/.exec(text)![1]!;
    const fits = new RegExp(`^${pattern.replaceAll(".", "\\.").replace("*", ".*")}$`);
    expect(`${name}-${version}`).toMatch(fits);
  });

  it("trains by a command line that is one", () => {
    const line = /docker run .* firstsolo (train .*)|apptainer run .*\.sif (train .*)/.exec(text)!;
    const { config } = resolveConfig(parsed((line[1] ?? line[2]!).split(" ")).config);
    expect(config.task).toBe("distillation");
    const [, cmd] = /^CMD (\[.*\])$/m.exec(text) ?? [];
    if (cmd) expect(resolveConfig(parsed(JSON.parse(cmd)).config).config.ui).toBe("plain");
  });
});

it("the container's runs may be written by anybody, and by nobody as root", () => {
  const text = read("Dockerfile");
  expect(text).toMatch(/^RUN mkdir --mode=1777 (\S+)$[\s\S]*^USER node$[\s\S]*^WORKDIR \1$/m);
  const [, folder] = /mkdir -p (\S+)$/m.exec(text)!;
  const mounted = `docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/${folder}:/work/logs"`;
  expect(text).toContain(mounted);
});

describe("the examples of foreign simulators", () => {
  const path = join(folder, "../../sim-adapters/python/examples");
  const files = readdirSync(path).filter((file) => file.endsWith(".py"));

  it("are one for each that the benchmark flies, of 40 lines at most, and compile", () => {
    const flown = readFileSync(join(folder, "../../bench/foreign.ts"), "utf8");
    const named = [...flown.matchAll(/example: "(\w+\.py)"/g)].map(([, file]) => file!);
    expect(files.sort()).toEqual(named.sort());
    expect(files).toHaveLength(5);
    for (const file of files) {
      const text = readFileSync(join(path, file), "utf8");
      expect(text.trimEnd().split("\n").length, file).toBeLessThanOrEqual(40);
    }
    const check = "import ast, sys\nfor path in sys.argv[1:]: ast.parse(open(path).read())";
    const paths = files.map((file) => join(path, file));
    expect(spawnSync("python3", ["-c", check, ...paths]).status).toBe(0);
  });

  it.each(files)("%s advises a command line that is one", (file) => {
    const text = readFileSync(join(path, file), "utf8");
    const line = /``firstsolo (train [^`]+)``/.exec(text)![1]!;
    const { config } = resolveConfig(parsed(line.replaceAll("\n", " ").split(/ +/)).config);
    expect(config.sim.endpoint).toMatch(/^ipc:\/\/\/tmp\//);
  });
});
