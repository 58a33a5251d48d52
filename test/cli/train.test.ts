import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { resolveConfig } from "../../src/config/resolve.ts";
import {
  checkpointOf,
  namesIn,
  openHangar,
  rowsOf,
  type Session,
  small,
  summaryOf,
  timeless,
} from "./flights.ts";

const shipped = fileURLToPath(
  new URL("../../policies/teachers/hover-rsl_rl-5.4.2.pt", import.meta.url),
);
const hangar = openHangar();
const { train, run } = hangar;
const teacher = join(hangar.work, "ppo", "best_model.pt");

describe("the line of a colleague from Isaac Lab", () => {
  const words =
    "--task distillation --num_envs 100 --logger wandb --log_project_name Foundation".split(" ");
  const usd = "env.robot.spawn.usd_path=/path/cf2x.usd";
  let flown: Session;

  beforeAll(async () => {
    // A run of rsl_rl's has its configuration beside its checkpoint.
    const params = join(hangar.work, "ppo", "params");
    mkdirSync(params, { recursive: true });
    copyFileSync(join(dirname(shipped), "params", "agent.yaml"), join(params, "agent.yaml"));
    copyFileSync(shipped, teacher);
    const short = ["--max_iterations", "6", "--num_steps_per_env", "10", "evaluation.window=1"];
    const few = ["evaluation.final_episodes=60", "env.episode_length_s=0.4"];
    flown = await train([...words, "--checkpoint", teacher, usd, ...short, ...few]);
  });

  it("flies, with the Crazyflie of that file", () => {
    expect(flown.stderr).toContain("env.robot.spawn.usd_path: /path/cf2x.usd is not opened");
    expect(flown.code).toBe(0);
    const [start] = flown.events;
    expect(start).toMatchObject({ type: "start", task: "quadcopter-noisy", num_envs: 100 });
    expect(start?.teacher).toContain(teacher);
  });

  it("leaves the folder that rsl_rl's users know", () => {
    const { run: folder } = flown;
    expect(folder).toMatch(/logs\/distillation\/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d$/);
    const names = namesIn(folder);
    for (const name of ["best_model.pt", "model_0.pt", "model_5.pt", "metrics.csv", "sim.log"]) {
      expect(names).toContain(name);
    }
    expect(names.some((name) => name.startsWith("events.out.tfevents."))).toBe(true);
    expect(namesIn(join(folder, "wandb")).join()).toMatch(/run-/);
    expect(existsSync(join(hangar.work, "wandb"))).toBe(false);
    expect(rowsOf(folder).map(({ iteration }) => iteration)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(timeless(rowsOf(folder))).toEqual(timeless(flown.rows));
  });

  it("keeps a configuration that reads back to the same", () => {
    const base = join(flown.run, "params", "agent.yaml");
    const { config } = resolveConfig({ base });
    expect(config).toMatchObject({
      num_envs: 100,
      checkpoint: teacher,
      log_project_name: "Foundation",
      env: { "robot.spawn.usd_path": "/path/cf2x.usd", episode_length_s: 0.4 },
    });
  });

  it("keeps the simulator's side under the names of the wire", () => {
    const text = readFileSync(join(flown.run, "params", "env.yaml"), "utf8");
    expect(parse(text)).toMatchObject({
      task: "quadcopter-noisy",
      num_envs: 100,
      control_period: 0.02,
      max_episode_steps: 20,
      settings: { "robot.spawn.usd_path": "/path/cf2x.usd" },
      server: { name: "firstsolo-mujoco" },
    });
    expect(text).not.toMatch(/numEnvs|controlPeriod/);
  });

  it("sums up", () => {
    expect(Object.keys(summaryOf(flown.run))).toEqual(
      expect.arrayContaining([
        ...["student_return", "teacher_return", "student_vs_teacher", "deaths", "final_distance"],
        ...["episodes", "iterations", "environment_steps", "seconds", "finished"],
      ]),
    );
    expect(summaryOf(flown.run)).toMatchObject({
      iterations: 6,
      environment_steps: 6000,
      finished: true,
    });
  });

  it("tells the simulator who drives", () => {
    const { version } = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
    );
    const log = readFileSync(join(flown.run, "sim.log"), "utf8");
    expect(log).toContain(`driven by firstsolo ${version}`);
  });

  it("leaves no process file and no socket behind", () => {
    expect(namesIn(hangar.temporary)).toEqual([]);
  });

  it("with another robot ends in 2", async () => {
    const other = "env.robot.spawn.usd_path=/path/anymal.usd";
    const { code, stderr } = await run("train", ...words, other);
    expect(stderr).toMatch(/anymal\.usd.*only the Crazyflie[\s\S]*→ .*--sim/);
    expect(code).toBe(2);
  });

  it("takes the run's own best student for a teacher, on the observations it was trained on", async () => {
    const own = join(flown.run, "best_model.pt");
    const next = await train([...small, "--max_iterations", "1", "--checkpoint", own]);
    expect(next.code).toBe(0);
    const saved = await checkpointOf(join(next.run, "model_0.pt"));
    expect(saved.own.teacher.reads).toEqual(["policy"]);
  });
});

describe("the same command", () => {
  it("gives the same figures, twice", async () => {
    const [one, two] = await Promise.all([train(small), train([...small, "--run_name", "again"])]);
    expect(one.rows).toHaveLength(6);
    expect(timeless(two.rows)).toEqual(timeless(one.rows));
    const weights = async ({ run: folder }: Session) =>
      (await checkpointOf(join(folder, "model_5.pt"))).learner;
    expect(await weights(two)).toEqual(await weights(one));
  });

  it("flies on wasm and two threads", async () => {
    const { code, events, rows } = await train(
      [...small, "--device", "wasm", "--threads", "2"],
      {},
    );
    expect(code).toBe(0);
    expect(String(events[0]?.engine)).toMatch(/WebAssembly/);
    expect(rows).toHaveLength(6);
  });
});
