import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { continueLog, createLog } from "../../src/metrics/wandb/log.ts";
import { encodeRecord } from "../../src/metrics/wandb/record-log.ts";
import {
  decodeRecord,
  exitRecord,
  headerRecord,
  historyRecord,
  outputRecord,
  runRecord,
} from "../../src/metrics/wandb/records.ts";
import { readAll } from "./record-log-tools.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "firstsolo-log-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A log as a run writes it: header, run, rows 0…rows-1 with text between, exit. */
function writeRun(path: string, rows: number, text = "x"): void {
  const log = createLog(path);
  const run = { id: "abcd1234", project: "p", name: "n", host: "h", startTime: 1, config: {} };
  log.append(headerRecord("test"));
  log.append(runRecord(run));
  for (let step = 0; step < rows; step++) {
    const metrics = { "Loss/behavior": step / 10 };
    log.append(historyRecord({ step, timestamp: step, runtime: step / 2, metrics }));
    log.append(outputRecord("stdout", step, text));
  }
  log.append(exitRecord(1, 9));
  log.close();
}

function kindsOf(path: string): string[] {
  return readAll(readFileSync(path)).records.map((r, i) => {
    const { num, record } = decodeRecord(r.data);
    expect(num).toBe(i + 1);
    return record.kind === "history" ? `row ${record.row.step}` : record.kind;
  });
}

const NEXT_ROW = historyRecord({ step: 90, timestamp: 0, runtime: 0, metrics: { a: Number.NaN } });

describe("continuing a W&B log", () => {
  it("drops the exit and goes on in the same file with the next record number", () => {
    const path = join(folder, "exit.wandb");
    writeRun(path, 2);
    writeFileSync(`${path}.synced`, "");
    const rows: unknown[] = [];
    const { log, past } = continueLog(path, { resumeAt: 90, onRow: (row) => rows.push(row) });
    log.append(NEXT_ROW);
    log.close();
    expect(past).toMatchObject({ runId: "abcd1234", lastStep: 1, runtime: 0.5, damagedBytes: 0 });
    expect(rows).toEqual([{ "Loss/behavior": 0 }, { "Loss/behavior": 0.1 }]);
    expect(kindsOf(path)).toEqual(["header", "run", "row 0", "other", "row 1", "other", "row 90"]);
    expect(() => readFileSync(`${path}.synced`)).toThrow(/ENOENT/);
  });

  it("cuts off the rows after the checkpoint, so that steps never decrease", () => {
    const path = join(folder, "later.wandb");
    writeRun(path, 8);
    const { log, past } = continueLog(path, { resumeAt: 3 });
    log.close();
    expect(past.lastStep).toBe(2);
    expect(kindsOf(path).filter((kind) => kind.startsWith("row"))).toEqual([
      "row 0",
      "row 1",
      "row 2",
    ]);
  });

  it("repairs a file cut at any byte to its last whole record", () => {
    const whole = join(folder, "whole.wandb");
    const path = join(folder, "cut.wandb");
    writeRun(whole, 4, "some text");
    const bytes = readFileSync(whole);
    const { records } = readAll(bytes);
    for (let cut = 0; cut <= bytes.length; cut++) {
      copyFileSync(whole, path);
      truncateSync(path, cut);
      if (cut < records[1]!.end) {
        expect(() => continueLog(path, { resumeAt: 90 })).toThrow(/no whole run record/);
        continue;
      }
      const { log, past } = continueLog(path, { resumeAt: 90 });
      log.append(NEXT_ROW);
      log.close();
      // The exit is dropped too.
      const kept = records.filter((r) => r.end <= cut && r !== records.at(-1));
      const repaired = readAll(readFileSync(path));
      expect([repaired.end, repaired.records.length]).toEqual(["whole", kept.length + 1]);
      const atAnEnd = records.some((r) => r.end === cut);
      expect(past.damagedBytes).toBe(atAnEnd ? 0 : cut - kept.at(-1)!.end);
    }
  });

  it("cuts at a record whose checksum is right and whose content is none", () => {
    const path = join(folder, "garbage.wandb");
    writeRun(path, 1);
    const before = readFileSync(path);
    const garbage = encodeRecord(before.length, Uint8Array.of(0xff, 0xff));
    const exit = readAll(before).records.at(-1)!;
    const bad = encodeRecord(exit.start, Uint8Array.of(0xff, 0xff));
    writeFileSync(path, Buffer.concat([before.subarray(0, exit.start), bad, garbage]));
    const { log, past } = continueLog(path, { resumeAt: 90 });
    log.close();
    expect(past.lastStep).toBe(0);
    expect(past.damagedBytes).toBeGreaterThan(0);
    expect(readFileSync(path).length).toBe(exit.start);
  });
});
