import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import { serveEnv } from "../../sim-adapters/serve/serve-env.ts";
import { registerTasks } from "../../src/cli/tasks.ts";
import { registerTrain } from "../../src/cli/train.ts";
import { teachersFolder } from "../policies/examples.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-dry-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

async function said(register: (program: Command) => void, ...words: readonly string[]) {
  let text = "";
  const keep = (piece: unknown) => {
    text += `${piece}\n`;
    return true;
  };
  vi.spyOn(console, "log").mockImplementation(keep);
  vi.spyOn(process.stdout, "write").mockImplementation(keep);
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  const program = new Command("firstsolo").exitOverride();
  register(program);
  await program.parseAsync(words, { from: "user" });
  return text;
}

const dry = (...words: readonly string[]) =>
  said(registerTrain, "train", "--dry_run", "--log_root", join(work, "logs"), ...words);

it("checks a run, says what would be flown and where, and writes nothing", async () => {
  const text = await dry("--task", "quadcopter", "--max_iterations", "10", "--num_envs", "20");
  expect(text).toContain("distillation of quadcopter: 20 environments, 24 steps an iteration");
  expect(text).toMatch(/teacher .*hover-rsl_rl-5\.4\.2\.pt/);
  expect(text).toContain("10 × 24 steps × 20 environments = 4800 steps");
  expect(text).toContain(join(work, "logs", "quadcopter_distillation", "DATE"));
  expect(text).toContain("nothing flown or written");
  expect(readdirSync(work)).toEqual([]);
});

it("finds what a run would find: settings, teacher, place", async () => {
  const other = join(teachersFolder, "hover-random-rsl_rl-5.4.2.pt");
  await expect(dry("env.no_such=1")).rejects.toMatchObject({ code: "unknown-setting" });
  await expect(dry("--task", "quadcoptr")).rejects.toMatchObject({ code: "unknown-task" });
  await expect(dry("--task", "quadcopter", "--checkpoint", other)).rejects.toThrow(/reads? 15|15/);
  writeFileSync(join(work, "file"), "");
  const place = dry("--log_root", join(work, "file"));
  await expect(place).rejects.toMatchObject({ code: "no-place" });
  rmSync(join(work, "file"));
});

it("greets a simulator that others run, and never steps it", async () => {
  const calls: string[] = [];
  const server = await serveEnv({
    bind: `ipc://${work}/sim.ipc`,
    open: async ({ groups }) => {
      const env = await openMujoco({ task: "quadcopter", numEnvs: 6, groups });
      const told = (name: string) => async (): Promise<never> => {
        calls.push(name);
        throw new Error(name);
      };
      const { spec, settings, notices } = env;
      const close = () => env.close();
      return { spec, settings, notices, reset: told("reset"), step: told("step"), close };
    },
  });
  const text = await dry("--sim", server.endpoint, "evaluation.min_teacher_return=5");
  expect(text).toContain("6 environments");
  expect(text).toMatch(/simulator .*sim\.ipc/);
  expect(calls).toEqual([]);
  await server.close();
});

it("tasks lists what each one shows and takes", async () => {
  const all = JSON.parse(await said(registerTasks, "tasks", "--json"));
  const blind = all.find(({ task }: { task: string }) => task === "quadcopter-blind");
  expect(blind).toMatchObject({ observations: { policy: [13], teacher: [12] }, actions: [4] });
  const camera = all.find(({ pictures }: { pictures: string[] }) => pictures.length > 0);
  expect(camera).toMatchObject({ task: "quadcopter-camera", pictures: ["camera"] });
  expect(all.map(({ task }: { task: string }) => task)).not.toContain("anesthesia");
});
