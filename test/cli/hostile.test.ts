import { spawnSync } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeRslRlDistillation } from "../../policies/checkpoint/rsl-rl-write.ts";
import {
  checkpointOf,
  humanError,
  namesIn,
  openHangar,
  rowsOf,
  small,
  type Watch,
} from "./flights.ts";

const { train, run, work, program } = openHangar();
const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(" ");

/** Runs a line of the shell in which $FLY is `firstsolo train` with small settings. */
function shell(line: string) {
  const fly = quoted([process.execPath, program, "train", ...small]);
  return spawnSync("bash", ["-c", line.replace("$FLY", fly)], { encoding: "utf8", cwd: work });
}

describe("a step size out of this world", () => {
  it("ends in 4, and leaves the good checkpoints as they were", async () => {
    const good = await train(small);
    const last = join(good.run, "model_5.pt");
    const before = await checkpointOf(last);
    const wild = ["--max_iterations", "12", "algorithm.learning_rate=1e30", "save_interval=1"];
    const bad = await train(["--resume", good.run, ...wild]);
    expect(bad.code).toBe(4);
    expect(bad.stderr).toMatch(/diverged|loss is/);
    expect(bad.stderr).toMatch(humanError);
    expect(await checkpointOf(last)).toEqual(before);
    for (const name of namesIn(good.run).filter((file) => file.endsWith(".pt"))) {
      const { arrays } = (await checkpointOf(join(good.run, name))).learner;
      const numbers = Object.values(arrays).flatMap(({ data }) => [...data]);
      expect(numbers.every(Number.isFinite)).toBe(true);
    }
  });
});

describe("a teacher whose actions are no numbers", () => {
  it("is named, before anything is learned", async () => {
    const weight = (rows: number, columns: number) => ({
      shape: [rows, columns],
      data: new Float32Array(rows * columns).map((_, i) => (i % 2 ? -3e38 : 3e38)),
    });
    const bias = (rows: number) => ({ shape: [rows], data: new Float32Array(rows) });
    const layers = {
      "mlp.0.weight": weight(8, 12),
      "mlp.0.bias": bias(8),
      "mlp.2.weight": weight(4, 8),
      "mlp.2.bias": bias(4),
    };
    const file = join(work, "broken.pt");
    const networks = { student: { layers }, teacher: { layers } };
    writeFileSync(
      file,
      writeRslRlDistillation({ ...networks, optimiser: null, iteration: 0, infos: null }),
    );
    const flown = await train([...small, "--checkpoint", file, "--activation", "identity"]);
    expect(flown.stderr).toMatch(/The teacher's action is (NaN|-?Infinity)/);
    expect([flown.code, flown.rows.length]).toEqual([2, 0]);
  });
});

describe("a reader that goes away", () => {
  it("neither ends the run nor shows", () => {
    const line = `$FLY --ui plain --log_root pipe 2>said | head -2 >/dev/null; echo "\${PIPESTATUS[0]}"; cat said`;
    expect(shell(line).stdout).toBe("0\n");
    const [date] = namesIn(join(work, "pipe/quadcopter_noisy_distillation"));
    const folder = join(work, "pipe/quadcopter_noisy_distillation", date!);
    expect(rowsOf(folder)).toHaveLength(6);
  });
});

describe("a disk that takes nothing", () => {
  it("lets the flight go on, and doesn't call it a success", () => {
    // Files may have 16 KiB: rows and events fit, a checkpoint doesn't.
    const { status, stderr } = shell(`ulimit -f 16; $FLY --ui none --log_root full`);
    expect(stderr).toMatch(/No space left for .*model_5\.pt/);
    expect(stderr).toMatch(humanError);
    expect(status).toBe(70);
    const [date] = namesIn(join(work, "full/quadcopter_noisy_distillation"));
    const folder = join(work, "full/quadcopter_noisy_distillation", date!);
    expect(rowsOf(folder)).toHaveLength(6);
    expect(namesIn(folder).filter((name) => /\.(pt|tmp)$/.test(name))).toEqual([]);
  });

  it.each([
    ["a file", "said/deeper"],
    ["no disk at all", "/proc/firstsolo"],
  ])("is told from the first moment: %s", async (_, log_root) => {
    writeFileSync(join(work, "said"), "");
    const words = [...small, "--ui", "none", "--log_root", log_root];
    const { code, stderr } = await run("train", ...words);
    expect(stderr).toMatch(/firstsolo: .* can't be written: /);
    expect(stderr).toMatch(humanError);
    expect(code).toBe(2);
  });
});

it.each([
  ["--task", "quadcoptr", /there is no task "quadcoptr"\n.*Did you mean quadcopter\?/],
  ["--num_envs", "100000", /got 100000 environments, expected .* 1 to 16384\n/],
])("what the simulator finds wrong is wrong usage: %s %s", async (flag, value, words) => {
  const { code, stderr } = await run("train", "--ui", "none", "--log_root", work, flag, value);
  expect([code, stderr]).toEqual([2, expect.stringMatching(words)]);
  expect(stderr).not.toMatch(/resume|built-in simulator ended/);
});

describe("a place to start in that is none", () => {
  it("is named: a working folder that is gone", () => {
    const { status, stderr } = shell(`mkdir gone; cd gone; rmdir ../gone; $FLY --ui none`);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^firstsolo: The folder .*gone\n/)]);
    expect(stderr).toMatch(humanError);
  });

  it.each([18, 24, 40, 64, 100])("is named: %i open files", (limit) => {
    const { status, stderr } = shell(`ulimit -n ${limit}; $FLY --ui none --log_root few`);
    expect(stderr).not.toMatch(/internal error|^ {4}at /m);
    expect(stderr).toMatch(/open files|ulimit -n 1024/);
    expect([2, 70]).toContain(status);
  });

  it.each([
    ["missing", "/nowhere/at/all"],
    ["too long for a socket", `/tmp/${"x".repeat(100)}`],
  ])("is said, and another is taken: temporary files, %s", (_, folder) => {
    const { status, stderr } = shell(`TMPDIR=${folder} $FLY --ui none --log_root temporary`);
    expect([status, stderr]).toEqual([0, expect.stringContaining("/tmp is used instead")]);
  });
});

describe("a run folder that goes in flight", () => {
  const gone: readonly (readonly [string, (run: string) => void])[] = [
    ["deleted", (folder) => rmSync(folder, { recursive: true })],
    ["renamed", (folder) => renameSync(folder, `${folder}-moved`)],
    ["deleted with all runs", (folder) => rmSync(dirname(folder), { recursive: true })],
  ];

  /** While the flight stands still, so that it has not made anew the half of what goes. */
  const whenRow = (row: number, act: (folder: string) => void): Watch => ({
    onRow: ({ iteration }, runner, events) => {
      if (iteration !== row) return;
      runner.kill("SIGSTOP");
      act(String(events.find(({ type }) => type === "start")!.run));
      runner.kill("SIGCONT");
    },
  });

  it("is made anew with all that a resume needs, and that is said", async () => {
    const often = [...small, "--save_interval", "1"];
    const flown: (readonly [string, readonly string[]])[] = [];
    for (const [, go] of gone) {
      const { code, run, rows, stderr } = await train(often, whenRow(2, go));
      expect([code, rows.length, stderr]).toEqual([0, 6, expect.stringContaining("made anew")]);
      expect(rowsOf(run).map(({ iteration }) => iteration)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(namesIn(run)).toContain("model_5.pt");
      // Earlier checkpoints depend on the moment; TensorBoard's file is named after it.
      flown.push([run, namesIn(run).filter((name) => !/\.pt$|^events\.out\./.test(name))]);
    }
    // What is enough in one of them is in the others as well.
    const [run, names] = flown.at(-1)!;
    for (const [, others] of flown) expect(others).toEqual(names);
    const further = await train(["--resume", run, "--max_iterations", "7"]);
    expect([further.code, further.rows.length]).toEqual([0, 1]);
  });

  it("that can't be made anew has its student beside it, and says where", async () => {
    const replace = (folder: string) => {
      rmSync(folder, { recursive: true });
      writeFileSync(folder, "in the way");
    };
    const { code, run, stderr } = await train(small, whenRow(1, replace));
    expect([code, stderr]).toEqual([70, expect.stringMatching(humanError)]);
    const path = /The last student is in (.*)\.$/m.exec(stderr)?.[1];
    expect(path).toBe(`${run}-model_5.pt`);
    expect((await checkpointOf(path!)).progress.iteration).toBe(6);
  });
});
