import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openJsonl, rowsReach } from "../../src/metrics/files/jsonl.ts";
import { decodeRow, encodeEvent, encodeRow } from "../../src/metrics/files/jsonl-row.ts";
import fc from "../properties.ts";
import { canLimitFiles, limitFileSize } from "./file-limit.ts";

let folder = "";
let said: string[] = [];
const onFailure = (line: string) => said.push(line);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "firstsolo-jsonl-"));
  said = [];
});

const rowsPath = () => join(folder, "metrics.jsonl");
const rows = () => readFileSync(rowsPath(), "utf8");
const iterations = () =>
  rows()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => decodeRow(line)?.iteration);

async function writeRows(from: number, to: number, resumeAt?: number): Promise<void> {
  const resume = resumeAt === undefined ? {} : { resumeAt };
  const sink = await openJsonl({ folder, onFailure, now: () => 1.5, ...resume });
  for (let i = from; i < to; i += 1) sink.write(i, { "Loss/behavior": 0.1 * i });
  await sink.close();
}

describe("a row", () => {
  it("keeps every float64 to its last bit, and the names", () => {
    const metrics = fc.dictionary(
      fc.string().filter((name) => !["iteration", "time", "__proto__"].includes(name)),
      fc.double(),
    );
    fc.assert(
      fc.property(
        fc.nat(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        metrics,
        (i, t, m) => {
          const line = encodeRow({ iteration: i, time: t, metrics: m });
          const row = decodeRow(line)!;
          expect(row.iteration).toBe(i);
          expect(row.time).toBe(t);
          expect(Object.keys(row.metrics)).toHaveLength(Object.keys(m).length);
          for (const name of Object.keys(m)) expect(row.metrics[name]).toBe(m[name]);
          expect(line).not.toContain("\n");
          JSON.parse(line);
        },
      ),
    );
  });

  it("has words for what JSON has no number for", () => {
    const metrics = { a: Number.NaN, b: 1 / 0, c: -1 / 0, d: -0 };
    expect(encodeRow({ iteration: 3, time: 0.5, metrics })).toBe(
      '{"iteration":3,"time":0.5,"a":"NaN","b":"Infinity","c":"-Infinity","d":-0}',
    );
  });

  it.each(["", "{", "[]", "null", '{"iteration":1}', '{"iteration":1,"time":2,"a":"x"}'])(
    "is not read from %j",
    (line) => {
      expect(decodeRow(line)).toBeUndefined();
    },
  );

  it("of an event keeps details, and figures JSON has no number for", () => {
    const event = { type: "x", iteration: 1, time: 2, message: "a\nb", ratio: Number.NaN };
    expect(encodeEvent(event)).toBe(
      '{"type":"x","iteration":1,"time":2,"message":"a\\nb","ratio":"NaN"}',
    );
  });
});

describe("the metrics file", () => {
  it("holds one row per iteration and one line per event", async () => {
    const sink = await openJsonl({ folder, onFailure, now: () => 1.5 });
    sink.write(0, { "Loss/behavior": 0.25 });
    sink.event({ type: "checkpoint", iteration: 0, time: 2, message: "model_0.pt" });
    sink.write(1, { "Loss/behavior": 0.125, "Perf/total_fps": 1000 });
    await sink.close();
    expect(rows()).toBe(
      '{"iteration":0,"time":1.5,"Loss/behavior":0.25}\n' +
        '{"iteration":1,"time":1.5,"Loss/behavior":0.125,"Perf/total_fps":1000}\n',
    );
    expect(readFileSync(join(folder, "events.jsonl"), "utf8")).toBe(
      '{"type":"checkpoint","iteration":0,"time":2,"message":"model_0.pt"}\n',
    );
    expect(said).toEqual([]);
  });

  it("holds also what comes while the disk is still busy with the line before", async () => {
    const sink = await openJsonl({ folder, onFailure });
    for (let i = 0; i < 200; i++) {
      sink.write(i, { x: i });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await sink.close();
    expect(iterations()).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it("goes on behind the last whole row, cutting rows that are flown again", async () => {
    await writeRows(0, 10);
    await writeRows(6, 8, 6);
    expect(iterations()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("cuts a last line that was half written, at any byte", async () => {
    await writeRows(0, 3);
    const whole = rows();
    const lastStart = whole.slice(0, -1).lastIndexOf("\n") + 1;
    for (let cut = lastStart; cut < whole.length; cut += 1) {
      writeFileSync(rowsPath(), whole.slice(0, cut));
      await writeRows(2, 3);
      expect(iterations()).toEqual([0, 1, 2]);
    }
  });

  it("keeps good rows behind a damaged one", async () => {
    await writeRows(0, 2);
    appendFileSync(rowsPath(), "\u0000\u0000damaged\n");
    appendFileSync(rowsPath(), '{"iteration":2,"time":1}\n');
    await writeRows(3, 4, 3);
    expect(iterations()).toEqual([0, 1, undefined, 2, 3]);
  });

  it("finds the place to go on in a file larger than one read", async () => {
    await writeRows(0, 5000);
    expect(rows().length).toBeGreaterThan(1 << 17);
    await writeRows(4321, 4322, 4321);
    const all = iterations();
    expect(all).toHaveLength(4322);
    expect(all.at(-1)).toBe(4321);
  });

  it("keeps the events of iterations that are flown again", async () => {
    const first = await openJsonl({ folder, onFailure });
    first.event({ type: "checkpoint", iteration: 9, time: 2, message: "" });
    await first.close();
    appendFileSync(join(folder, "events.jsonl"), '{"type":"half');
    await (await openJsonl({ folder, onFailure, resumeAt: 3 })).close();
    expect(readFileSync(join(folder, "events.jsonl"), "utf8")).toMatch(/^\{.*"iteration":9.*\}\n$/);
  });

  it("that can't be opened says so before the flight", async () => {
    await expect(openJsonl({ folder: join(folder, "missing"), onFailure })).rejects.toThrow(
      "ENOENT",
    );
  });
});

describe.runIf(canLimitFiles)("a disk that is full for a while", () => {
  let release = () => {};
  afterEach(() => release());

  it("costs no row and no half one, and is reported once", async () => {
    const sink = await openJsonl({ folder, onFailure, now: () => 1.5 });
    for (let i = 0; i < 20; i += 1) sink.write(i, { "Loss/behavior": 0.25 });
    await vi.waitFor(() => expect(iterations()).toHaveLength(20), { timeout: 5000 });
    release = limitFileSize(rows().length + 20);
    for (let i = 20; i < 40; i += 1) {
      sink.write(i, { "Loss/behavior": 0.25 });
      await quiet();
    }
    // A half row stands there until the write that failed has cut it off.
    await vi.waitFor(() => expect(iterations()).toHaveLength(20), { timeout: 5000 });
    expect(rows().endsWith("}\n")).toBe(true);
    expect(said).toEqual([expect.stringContaining("can't be written (EFBIG")]);
    release();
    sink.write(40, { "Loss/behavior": 0.25 });
    await sink.close();
    expect(iterations()).toEqual(Array.from({ length: 41 }, (_, i) => i));
    expect(said).toHaveLength(2);
    expect(said[1]).toContain("writing again");
  });
});

describe.runIf(canLimitFiles)("a disk that stays full", () => {
  it("loses the last rows, says how many, and leaves no half one", async () => {
    const sink = await openJsonl({ folder, onFailure, now: () => 1.5 });
    const release = limitFileSize(40);
    try {
      for (let i = 0; i < 3; i += 1) sink.write(i, { "Loss/behavior": 0.25 });
      await sink.close();
    } finally {
      release();
    }
    expect(rows()).toBe("");
    expect(said.at(-1)).toContain("metrics.jsonl: 3 lines were lost");
  });
});

/** Until what was asked of the disk has been tried. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

describe("rows that were flushed", () => {
  it("are in the file, all of them", async () => {
    const sink = await openJsonl({ folder, onFailure });
    for (let i = 0; i < 50; i += 1) {
      sink.write(i, { x: i });
      if (i % 10 !== 9) continue;
      expect(await sink.flush()).toBe(true);
      expect(iterations()).toEqual([...Array(i + 1).keys()]);
    }
    await sink.close();
  });

  it.runIf(canLimitFiles)("say so where the disk takes none", async () => {
    const sink = await openJsonl({ folder, onFailure });
    const release = limitFileSize(200);
    for (let i = 0; i < 50; i += 1) sink.write(i, { x: i });
    const flushed = await sink.flush();
    release();
    expect(flushed).toBe(false);
    expect(await sink.flush()).toBe(true);
    expect(iterations()).toEqual([...Array(50).keys()]);
    await sink.close();
  });
});

describe("a file that goes away in flight", () => {
  it.each([
    ["deleted", () => rmSync(rowsPath())],
    ["deleted with its folder", () => rmSync(folder, { recursive: true })],
    ["renamed with its folder", () => renameSync(folder, `${folder}-moved`)],
  ])("is made anew, whole: %s", async (_, go) => {
    const sink = await openJsonl({ folder, onFailure });
    for (let i = 0; i < 3; i += 1) sink.write(i, { x: i });
    await sink.flush();
    go();
    for (let i = 3; i < 6; i += 1) sink.write(i, { x: i });
    await sink.close();
    expect(iterations()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(said).toContain(`${rowsPath()}: was gone; made anew, whole`);
  });

  it("is not a link, and is its owner's alone", async () => {
    const elsewhere = join(folder, "elsewhere");
    symlinkSync(elsewhere, rowsPath());
    await expect(openJsonl({ folder, onFailure })).rejects.toThrow("ELOOP");
    expect(existsSync(elsewhere)).toBe(false);
    rmSync(rowsPath());
    await writeRows(0, 2);
    expect(statSync(rowsPath()).mode & 0o777).toBe(0o600);
  });
});

describe("how far the rows reach", () => {
  it("is behind the last that follows all before it", async () => {
    expect(await rowsReach(rowsPath())).toBeUndefined();
    await writeRows(3, 8);
    expect(await rowsReach(rowsPath())).toBe(8);
    const line = (iteration: number) => `${encodeRow({ iteration, time: 1, metrics: {} })}\n`;
    appendFileSync(rowsPath(), line(6) + line(8) + "\0".repeat(40) + line(10) + line(11));
    expect(await rowsReach(rowsPath())).toBe(9);
  });
});
