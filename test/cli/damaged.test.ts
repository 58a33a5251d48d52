import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { sealOf } from "../../policies/checkpoint/seal.ts";
import { humanError, openHangar, rowsOf, type Session, small, summaryOf } from "./flights.ts";

const { train, run, work } = openHangar();
const often = [...small, "--save_interval", "2", "evaluation.env_share=0"];

let flown: Session;
let copies = 0;
beforeAll(async () => {
  flown = await train(often);
});

/** The same run once more, to be hurt. */
function copy(): string {
  copies += 1;
  const path = join(work, "logs", "copies", `run-${copies}`);
  cpSync(flown.run, path, { recursive: true });
  return path;
}

const iterations = (path: string) => rowsOf(path).map(({ iteration }) => iteration);
const checkpoints = (path: string) =>
  readdirSync(path).filter((name) => /^model_\d+\.pt$/.test(name));
const further = ["--max_iterations", "7"];

describe("a checkpoint", () => {
  it("is sealed, and its run's folder is its owner's alone", () => {
    expect(checkpoints(flown.run).length).toBeGreaterThan(2);
    for (const name of checkpoints(flown.run)) {
      expect(sealOf(readFileSync(join(flown.run, name)))).toBe("whole");
    }
  });
});

describe("a run whose newest checkpoint is torn", () => {
  const hurt: readonly (readonly [string, (path: string) => void])[] = [
    ["cut", (path) => truncateSync(path, 5000)],
    ["one bit", (path) => flip(path)],
  ];

  it.each(hurt)("goes on from the one before, and that is said: %s", async (_, damage) => {
    const path = copy();
    damage(join(path, "model_5.pt"));
    const { code, stderr } = await train(["--resume", path, ...further]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/model_5\.pt.* is put into damaged/)]);
    expect(stderr).toContain(`going on from ${join(path, "model_4.pt")}`);
    const [folder] = readdirSync(join(path, "damaged"));
    expect(readdirSync(join(path, "damaged", folder!))).toEqual(["model_5.pt"]);
    expect(iterations(path)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it.each([["--strict"], ["--checkpoint", "model_5"]])(
    "is refused where that one is insisted on: %s",
    async (...words) => {
      const path = copy();
      truncateSync(join(path, "model_5.pt"), 5000);
      const { code, stderr } = await run("train", "--resume", path, ...words);
      expect([code, stderr]).toEqual([2, expect.stringMatching(humanError)]);
      expect(existsSync(join(path, "damaged"))).toBe(false);
    },
  );

  it("is refused where none is whole, with the first one's name", async () => {
    const path = copy();
    for (const name of checkpoints(path)) truncateSync(join(path, name), 100);
    const { code, stderr } = await run("train", "--resume", path);
    expect([code, stderr]).toEqual([2, expect.stringMatching(humanError)]);
    expect(stderr).toContain("model_5.pt");
  });
});

describe("a power cut that took rows", () => {
  const keep = (path: string, count: number) => {
    const file = join(path, "metrics.jsonl");
    const lines = readFileSync(file, "utf8").split("\n").slice(0, count);
    writeFileSync(file, `${lines.join("\n")}\n`);
  };

  it("costs the iterations that have none, and leaves no hole", async () => {
    const path = copy();
    keep(path, 4);
    const { code, stderr } = await train(["--resume", path, ...further]);
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining("has lost the rows of iterations 4 to 5"),
    ]);
    expect(stderr).toContain(`going on from ${join(path, "model_2.pt")}`);
    expect(iterations(path)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("in their middle does too", async () => {
    const path = copy();
    const file = join(path, "metrics.jsonl");
    const lines = readFileSync(file, "utf8").split("\n");
    lines[3] = "\0".repeat(lines[3]!.length);
    writeFileSync(file, lines.join("\n"));
    const { code } = await train(["--resume", path, ...further]);
    expect(code).toBe(0);
    const text = readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("{"));
    expect(text.map((line) => JSON.parse(line).iteration)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("is refused where no checkpoint has its rows, unless one is named", async () => {
    const path = copy();
    keep(path, 0);
    const refused = await run("train", "--resume", path);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(humanError)]);
    expect(refused.stderr).toContain(`train --resume ${join(path, "model_5.pt")}`);
    const { code } = await train(["--resume", join(path, "model_5.pt"), ...further]);
    expect(code).toBe(0);
  });
});

describe("--keep_checkpoints", () => {
  it("keeps the latest, and the best one", async () => {
    const kept = await train([...small, "--save_interval", "1", "--keep_checkpoints", "2"]);
    expect(checkpoints(kept.run).sort()).toEqual(["model_4.pt", "model_5.pt"]);
    expect(readdirSync(kept.run)).toContain("best_model.pt");
  });
});

describe("a run whose configuration names a sink", () => {
  it("runs none of its code unless that is asked for", async () => {
    const path = copy();
    const trace = join(work, "sprung");
    const module = join(path, "sink.mjs");
    writeFileSync(
      module,
      `import { writeFileSync } from "node:fs";
       writeFileSync(${JSON.stringify(trace)}, "");
       export const openSink = () => ({ write() {}, event() {}, async close() {} });`,
    );
    const yaml = join(path, "params/agent.yaml");
    const others = readFileSync(yaml, "utf8").replace(/^sinks:.*\n/m, "");
    writeFileSync(yaml, `${others}sinks:\n  - module: ${module}\n`);
    const refused = await run("train", "--resume", path, ...further);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(humanError)]);
    expect(refused.stderr).toContain("--allow_sinks");
    expect((await train(["--resume", path, ...further, "sinks=[]"])).code).toBe(0);
    expect(existsSync(trace)).toBe(false);
    writeFileSync(yaml, `${others}sinks:\n  - module: ${module}\n`);
    const allowed = await train(["--resume", path, "--max_iterations", "8", "--allow_sinks"]);
    expect([allowed.code, existsSync(trace)]).toEqual([0, true]);
  });
});

describe("an error that nobody caught", () => {
  it.each([
    [
      "in a timer",
      "setTimeout(() => { throw new Error('too\\u001b[2J late'); }, 5)",
      /too\\x1b\[2J late/,
    ],
    ["of a promise", "Promise.reject(Object.create(null))", /\[Object: null prototype\] \{\}/],
  ])("lands the flight with a checkpoint, and says how to go on: %s", async (_, fails, words) => {
    const path = copy();
    const module = join(path, "late.mjs");
    const write = `write(iteration) { if (iteration === 7) ${fails}; }`;
    writeFileSync(
      module,
      `export const openSink = () => ({ ${write}, event() {}, async close() {} });`,
    );
    const sinks = `sinks=[{module: ${module}}]`;
    const resumed = ["--resume", path, "--max_iterations", "1000000", sinks];
    const { code, stderr, rows } = await train(resumed);
    expect([code, stderr]).toEqual([70, expect.stringMatching(humanError)]);
    expect(stderr).toMatch(/landing after this iteration, with a checkpoint/);
    expect(stderr).toMatch(/An error that nobody caught ended the run, in a sink of its own/);
    expect(stderr).toMatch(words);
    expect(stderr).toContain(`train --resume ${path}`);
    const last = rows.at(-1)!.iteration;
    expect(checkpoints(path)).toContain(`model_${last}.pt`);
    expect(summaryOf(path)).toMatchObject({ finished: false, iterations: last + 1 });
    const more = await train(["--resume", path, "--max_iterations", String(last + 2), "sinks=[]"]);
    expect([more.code, iterations(path)]).toEqual([0, [...Array(last + 2).keys()]]);
  });
});

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}
