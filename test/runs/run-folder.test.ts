import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeError } from "../../src/runs/atomic-write.ts";
import { createRun, timestamp } from "../../src/runs/create-run.ts";
import { openRun } from "../../src/runs/open-run.ts";
import type { RunError } from "../../src/runs/run-error.ts";
import type { RunFolder } from "../../src/runs/run-folder.ts";
import { canLimitFiles, limitFileSize } from "../metrics/file-limit.ts";

let root = "";
const startedAt = new Date(2026, 0, 2, 3, 4, 5);
const bytes = (size: number, value = 7) => new Uint8Array(size).fill(value);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "firstsolo-runs-"));
});

function create(run_name = "", codeFolder = root): Promise<RunFolder> {
  const run = { log_root: join(root, "logs", "rsl_rl"), experiment_name: "hover", run_name };
  return createRun(run, { agentYaml: "seed: 42\n", startedAt, codeFolder });
}

it("says in run.json what Isaac Lab looks for, without Gymnasium's namespace", async () => {
  const startedAt = new Date(Date.UTC(2026, 1, 3, 4, 5, 6));
  const manifest = { library: "firstsolo", task: "isaaclab_tasks:Isaac-Cartpole" };
  const run = await createRun(
    { log_root: root, experiment_name: "e", run_name: "" },
    { agentYaml: "", startedAt, manifest, id: "abcdefgh" },
  );
  expect(JSON.parse(readFileSync(join(run.path, "run.json"), "utf8"))).toEqual({
    id: "abcdefgh",
    started_at: "2026-02-03T04:05:06.000Z",
    version: 1,
    library: "firstsolo",
    task: "Isaac-Cartpole",
    created_at: "2026-02-03T04:05:06.000+00:00",
    metadata: {},
  });
});

describe("a new run", () => {
  it("has rsl_rl's folder, with its configuration in it", async () => {
    const run = await create("first");
    expect(run.path).toBe(join(root, "logs/rsl_rl/hover/2026-01-02_03-04-05_first"));
    expect(run.name).toBe("2026-01-02_03-04-05_first");
    expect(readFileSync(join(run.path, "params/agent.yaml"), "utf8")).toBe("seed: 42\n");
    expect(readdirSync(run.path).sort()).toEqual(["params", "run.json"]);
    await run.saveParams("env", "task: x\n");
    expect(readFileSync(join(run.path, "params/env.yaml"), "utf8")).toBe("task: x\n");
  });

  it("gets a folder and an id of its own, also among others that start in the same second", async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => create()));
    expect(new Set(runs.map(({ path }) => path)).size).toBe(8);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(8);
    const names = readdirSync(join(root, "logs/rsl_rl/hover")).sort();
    expect(names.slice(0, 2)).toEqual(["2026-01-02_03-04-05", "2026-01-02_03-04-05_2"]);
    for (const { id } of runs) expect(id).toMatch(/^[a-z0-9]{8}$/);
  });

  it("keeps its id when it is opened again", async () => {
    const run = await create();
    await run.saveCheckpoint("model_0.pt", bytes(1));
    expect((await openRun(run.path)).run.id).toBe(run.id);
  });

  it.each([
    ["as many as are wanted", { count: 2 }, ["model_2.pt", "model_3.pt"]],
    ["as many as have room beside the best", { bytes: 310 }, ["model_2.pt", "model_3.pt"]],
    ["fewer where both limits are set", { count: 1, bytes: 310 }, ["model_3.pt"]],
    ["the latest, whatever the budget", { bytes: 1 }, ["model_3.pt"]],
    ["all without a limit", {}, ["model_0.pt", "model_1.pt", "model_2.pt", "model_3.pt"]],
  ])("keeps of its checkpoints %s", async (_, limits, kept) => {
    const run = await create();
    for (let i = 0; i < 4; i += 1) await run.saveCheckpoint(`model_${i}.pt`, bytes(100));
    await run.saveCheckpoint("best_model.pt", bytes(100));
    await run.dropOldCheckpoints(limits);
    const names = readdirSync(run.path).filter((name) => name.endsWith(".pt"));
    expect(names.sort()).toEqual(["best_model.pt", ...kept]);
  });

  it("is named by the local time", () => {
    expect(timestamp(new Date(2026, 10, 9, 23, 5, 0))).toBe("2026-11-09_23-05-00");
  });

  it("says what to do where no folder can be made", async () => {
    writeFileSync(join(root, "logs"), "a file in the way");
    await expect(create()).rejects.toMatchObject({
      name: "RunError",
      code: "no-place",
      hint: expect.stringContaining("log_root"),
    });
  });

  it("records how its code differs from the last commit", async () => {
    const code = join(root, "robot");
    mkdirSync(code);
    const git = (...args: string[]) =>
      execFileSync("git", ["-C", code, "-c", "user.name=a", "-c", "user.email=a@b", ...args]);
    git("init", "-q");
    writeFileSync(join(code, "gains.txt"), "1\n");
    git("add", ".");
    git("commit", "-qm", "one");
    writeFileSync(join(code, "gains.txt"), "2\n");
    const run = await create("", code);
    const text = readFileSync(join(run.path, "git/robot.diff"), "utf8");
    expect(text).toMatch(
      /--- git status ---\n[\s\S]*modified: +gains\.txt[\s\S]*--- git diff ---\n/,
    );
    expect(text).toContain("-1\n+2\n");
  });

  it("runs no program that a repository's settings name", async () => {
    const code = join(root, "robot");
    mkdirSync(code);
    const git = (...args: string[]) => execFileSync("git", ["-C", code, ...args]);
    git("init", "-q");
    git("config", "user.name", "a");
    git("config", "user.email", "a@b");
    writeFileSync(join(code, "a.txt"), "1\n");
    git("add", ".");
    git("commit", "-qm", "one");
    writeFileSync(join(code, "a.txt"), "2\n");
    const trap = join(root, "trap.sh");
    writeFileSync(trap, `#!/bin/sh\ntouch ${join(root, "sprung")}\n`, { mode: 0o755 });
    git("config", "core.fsmonitor", trap);
    git("config", "diff.external", trap);
    const run = await create("", code);
    expect(readFileSync(join(run.path, "git/robot.diff"), "utf8")).toContain("+2\n");
    expect(existsSync(join(root, "sprung"))).toBe(false);
  });
});

describe("checkpoints", () => {
  it("are found by iteration, not by name, and the best apart from them", async () => {
    const run = await create();
    expect(await run.latestCheckpoint()).toBeUndefined();
    expect(await run.bestCheckpoint()).toBeUndefined();
    for (const iteration of [0, 50, 100, 1000, 950] as const) {
      await run.saveCheckpoint(`model_${iteration}.pt`, bytes(3));
    }
    await run.saveCheckpoint("best_model.pt", bytes(4));
    expect(await run.latestCheckpoint()).toBe(join(run.path, "model_1000.pt"));
    expect(await run.bestCheckpoint()).toBe(join(run.path, "best_model.pt"));
  });

  it("leave nothing beside themselves", async () => {
    const run = await create();
    await Promise.all([1, 2, 3].map((i) => run.saveCheckpoint(`model_${i}.pt`, bytes(1000))));
    await run.saveCheckpoint("model_1.pt", bytes(2000, 9));
    const names = readdirSync(run.path).filter((name) => name.includes("model"));
    expect(names.sort()).toEqual(["model_1.pt", "model_2.pt", "model_3.pt"]);
    expect(readFileSync(join(run.path, "model_1.pt"))).toEqual(Buffer.from(bytes(2000, 9)));
  });

  it.each(["model_.pt", "../model_1.pt", "model_best.pt", "model_1.pt/x"])(
    "may not be called %s",
    async (name) => {
      const run = await create();
      await expect(run.saveCheckpoint(name as "best_model.pt", bytes(1))).rejects.toMatchObject({
        code: "bad-name",
      });
    },
  );

  it("that can't be written say so by kind", () => {
    const error = (code: string) => writeError("m.pt", 5, Object.assign(new Error("x"), { code }));
    expect(error("ENOSPC").code).toBe("disk-full");
    expect(error("EDQUOT").code).toBe("disk-full");
    expect(error("EROFS").code).toBe("not-writable");
    expect(error("ENOSPC").hint).toContain("--resume");
  });

  describe.runIf(canLimitFiles)("on a full disk", () => {
    let release = () => {};
    afterEach(() => release());

    it("leave the older file whole and no half one", async () => {
      const run = await create();
      await run.saveCheckpoint("best_model.pt", bytes(100));
      release = limitFileSize(4096);
      const saving = run.saveCheckpoint("best_model.pt", bytes(10_000, 9));
      await expect(saving).rejects.toMatchObject({ name: "RunError" });
      expect(readFileSync(join(run.path, "best_model.pt"))).toEqual(Buffer.from(bytes(100)));
      expect(readdirSync(run.path).sort()).toEqual(["best_model.pt", "params", "run.json"]);
    });
  });

  it("of a run whose folder is gone say where", async () => {
    const run = await create();
    execFileSync("rm", ["-r", run.path]);
    const saving = run.saveCheckpoint("model_1.pt", bytes(1));
    await expect(saving).rejects.toThrow(join(run.path, "model_1.pt"));
  });
});

describe("the summary", () => {
  it("is replaced as a whole", async () => {
    const run = await create();
    await run.saveSummary({ episodes: 1, student_return: 2.5 });
    await run.saveSummary({ episodes: 3 });
    expect(JSON.parse(readFileSync(run.summaryPath, "utf8"))).toEqual({ episodes: 3 });
  });
});

describe("a run is found", () => {
  /** Runs as folder → files, in one experiment. */
  function experiment(runs: Readonly<Record<string, readonly string[]>>): string {
    const path = join(root, "experiment");
    for (const [name, files] of Object.entries(runs)) {
      mkdirSync(join(path, name), { recursive: true });
      for (const file of files) writeFileSync(join(path, name, file), "");
    }
    return path;
  }

  const two = {
    "2026-01-01_00-00-00": ["model_0.pt", "model_900.pt", "model_1000.pt", "best_model.pt"],
    "2026-01-02_00-00-00_b": ["model_50.pt", "model_5.pt", "config.txt"],
  };

  async function refused(...args: Parameters<typeof openRun>): Promise<RunError> {
    return openRun(...args).then(
      () => expect.unreachable("it was opened"),
      (error) => error,
    );
  }

  it("by its folder, a file in it, or the experiment's last run", async () => {
    const path = experiment(two);
    const first = join(path, "2026-01-01_00-00-00");
    expect((await openRun(first)).checkpoint).toBe(join(first, "model_1000.pt"));
    const file = join(first, "model_900.pt");
    const opened = await openRun(file);
    expect(opened.checkpoint).toBe(file);
    expect(opened.run.path).toBe(first);
    const last = join(path, "2026-01-02_00-00-00_b", "model_50.pt");
    expect((await openRun(path)).checkpoint).toBe(last);
  });

  it("by Isaac Lab's rule: patterns match from the beginning, the last in order is taken", async () => {
    const path = experiment(two);
    const pick = async (load_run: string, checkpoint: string) =>
      (await openRun(path, { load_run, checkpoint })).checkpoint.slice(path.length + 1);
    expect(await pick(".*", "model_.*.pt")).toBe("2026-01-02_00-00-00_b/model_50.pt");
    expect(await pick("2026-01-01", "model_.*.pt")).toBe("2026-01-01_00-00-00/model_1000.pt");
    expect(await pick("2026-01-01", "model_9")).toBe("2026-01-01_00-00-00/model_900.pt");
    expect(await pick("2026-01-01", "best")).toBe("2026-01-01_00-00-00/best_model.pt");
    expect(await pick("2026-01-01|nothing", "model_0|model_9")).toContain("model_900.pt");
  });

  it("with its best student, where that is wanted and there is one", async () => {
    const path = experiment(two);
    const best = await openRun(join(path, "2026-01-01_00-00-00"), { prefer: "best" });
    expect(best.checkpoint).toContain("best_model.pt");
    const none = await openRun(join(path, "2026-01-02_00-00-00_b"), { prefer: "best" });
    expect(none.checkpoint).toContain("model_50.pt");
  });

  it("or the error lists what is there", async () => {
    const path = experiment({ ...two, "2026-01-03_00-00-00": ["notes.txt"] });
    expect(await refused(join(path, "2026-01-09"))).toMatchObject({
      code: "no-such-run",
      hint: expect.stringContaining("2026-01-01_00-00-00, 2026-01-02_00-00-00_b"),
    });
    expect(await refused(path, { load_run: "b" })).toMatchObject({
      code: "no-such-run",
      hint: expect.stringContaining("2026-01-02_00-00-00_b"),
    });
    expect(await refused(path)).toMatchObject({
      code: "no-checkpoint",
      hint: "In that folder: notes.txt.",
    });
    expect(await refused(path, { load_run: "2026-01-01", checkpoint: "model_7" })).toMatchObject({
      code: "no-checkpoint",
      hint: expect.stringContaining("model_900.pt"),
    });
    expect(await refused(join(root, "a", "b"))).toMatchObject({ code: "no-such-run" });
  });

  it("and a pattern that is none is refused", async () => {
    const path = experiment(two);
    expect(await refused(path, { load_run: "(" })).toMatchObject({ code: "bad-pattern" });
    expect(await refused(path, { checkpoint: "[" })).toMatchObject({ code: "bad-pattern" });
  });

  it("when a damaged run.json hides its id, with one that stays the same", async () => {
    const path = join(experiment(two), "2026-01-01_00-00-00");
    for (const text of ["{", "null", '{"id":3}', '{"id":"../../etc"}']) {
      writeFileSync(join(path, "run.json"), text);
      const id = (await openRun(path)).run.id;
      expect(id).toMatch(/^[a-z0-9]{8}$/);
      expect((await openRun(path)).run.id).toBe(id);
    }
  });
});
