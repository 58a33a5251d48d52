import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ProtoWriter } from "../../protocol/protobuf.ts";
import { BLOCK_SIZE, encodeRecord, LOG_HEADER } from "../../src/metrics/wandb/record-log.ts";
import {
  exitRecord,
  headerRecord,
  outputRecord,
  type RecordBody,
} from "../../src/metrics/wandb/records.ts";
import { metricsTools, type Tools } from "./python.ts";
import { inspect } from "./wandb-tools.ts";

let tools: Tools;
let root = "";
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "firstsolo-blocks-"));
  tools = await metricsTools();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A log whose end can be put anywhere in a block. */
class LogInMemory {
  bytes = Buffer.from(LOG_HEADER as Uint8Array);
  #num = 0;

  append(body: RecordBody): void {
    this.#num += 1;
    this.bytes = Buffer.concat([this.bytes, this.#encoded(body)]);
  }

  /** Appends a text so long that `left` bytes of the last block are free behind it. */
  fillUpTo(left: number): void {
    this.#num += 1;
    for (let length = 200; length < 200 + 2 * BLOCK_SIZE; length++) {
      const added = this.#encoded(outputRecord("stdout", 1, "x".repeat(length)));
      const rest = (BLOCK_SIZE - ((this.bytes.length + added.length) % BLOCK_SIZE)) % BLOCK_SIZE;
      if (rest === left) {
        this.bytes = Buffer.concat([this.bytes, added]);
        return;
      }
      // Most of the way at once, the last bytes one by one.
      if (rest > left + 50) length += rest - left - 50;
    }
    throw new Error(`no text leaves ${left} bytes`);
  }

  #encoded(body: RecordBody): Uint8Array {
    const record = new ProtoWriter().varint(1, this.#num);
    body(record);
    return encodeRecord(this.bytes.length, record.finish());
  }
}

it("a log is read by W&B across a block boundary whatever is left of the block", async () => {
  const path = join(root, "run-blocks00.wandb");
  const log = new LogInMemory();
  log.append(headerRecord("test"));
  for (let left = 0; left < 12; left++) {
    log.fillUpTo(left);
    log.append(outputRecord("stdout", 1, `after ${left}`));
  }
  log.append(exitRecord(0, 1));
  writeFileSync(path, log.bytes);
  const records = await inspect(tools, path);
  expect(records.length).toBe(1 + 12 * 2 + 1);
  for (let left = 0; left < 12; left++) {
    expect(records[2 + 2 * left]!.text).toContain(`"after ${left}"`);
  }
});
