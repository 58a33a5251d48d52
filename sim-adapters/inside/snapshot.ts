import { createHash } from "node:crypto";
import { parseJson } from "../../protocol/parse-json.ts";
import type { Settings } from "../../protocol/settings.ts";
import { SimError } from "./sim-error.ts";

/** What a snapshot belongs to; it is taken up again only where all of it is the same. */
export interface SnapshotOwner {
  readonly task: string;
  readonly numEnvs: number;
  readonly settings: Settings;
}

/** An array of state. */
export type Numbers = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;

const mark = "FSMJ";
const version = 1;
const hashBytes = 32;

/**
 * Bytes: `FSMJ`, version and length of the owner's JSON as little-endian uint32, that JSON, the
 * arrays one behind the other in the machine's (little-endian) order, SHA-256 of all that.
 */
export function writeSnapshot(owner: SnapshotOwner, arrays: readonly Numbers[]): Uint8Array {
  const json = Buffer.from(JSON.stringify(owner));
  const head = Buffer.alloc(12);
  head.write(mark);
  head.writeUInt32LE(version, 4);
  head.writeUInt32LE(json.length, 8);
  const body = Buffer.concat([head, json, ...arrays.map(bytesOf)]);
  const all = new Uint8Array(body.length + hashBytes);
  all.set(body);
  all.set(hash(body), body.length);
  return all;
}

/**
 * Fills the arrays from a snapshot; changes nothing when it is refused.
 *
 * @throws SimError `bad-snapshot` when the bytes are damaged or of something else, `other-snapshot`
 * when they belong to another task, size or settings.
 */
export function readSnapshot(
  bytes: Uint8Array,
  owner: SnapshotOwner,
  arrays: readonly Numbers[],
): void {
  const state = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const body = state.subarray(0, Math.max(0, state.length - hashBytes));
  if (body.length < 12 || body.toString("latin1", 0, 4) !== mark) {
    bad(`${state.length} bytes that do not begin like a snapshot of this simulator`);
  }
  if (body.readUInt32LE(4) !== version) {
    bad(`it has version ${body.readUInt32LE(4)}, this build reads ${version}`);
  }
  if (!hash(body).equals(state.subarray(body.length))) {
    bad(`its ${state.length} bytes do not match their hash`);
  }
  const start = 12 + body.readUInt32LE(8);
  const owned = start <= body.length ? parseOwner(body.toString("utf8", 12, start)) : undefined;
  if (owned === undefined) bad("it does not say whose it is");
  refuseOther(owned, owner);
  const expected = arrays.reduce((sum, array) => sum + array.byteLength, start);
  if (body.length !== expected) bad(`it has ${body.length} bytes, expected ${expected}`);
  let at = start;
  for (const array of arrays) {
    bytesOf(array).set(body.subarray(at, at + array.byteLength));
    at += array.byteLength;
  }
}

function bytesOf(array: Numbers): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function hash(body: Uint8Array): Buffer {
  return createHash("sha256").update(body).digest();
}

/** Letters. */
const mostOwner = 1 << 20;

function parseOwner(json: string): SnapshotOwner | undefined {
  try {
    const owner = parseJson(json, mostOwner) as SnapshotOwner | null;
    return typeof owner?.settings === "object" && owner.settings !== null ? owner : undefined;
  } catch {
    return undefined;
  }
}

function refuseOther(theirs: SnapshotOwner, ours: SnapshotOwner): void {
  const differences: string[] = [];
  const compare = (name: string, a: unknown, b: unknown) => {
    const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
    if (left !== right) differences.push(`${name} was ${left}, here it is ${right}`);
  };
  compare("the task", theirs.task, ours.task);
  compare("num_envs", theirs.numEnvs, ours.numEnvs);
  for (const name of new Set([...Object.keys(ours.settings), ...Object.keys(theirs.settings)])) {
    // The file is never opened, so where it lies is no difference.
    if (name === "robot.spawn.usd_path") continue;
    compare(`env.${name}`, theirs.settings[name], ours.settings[name]);
  }
  if (differences.length === 0) return;
  const hint = "Start the simulator as it was when the snapshot was taken.";
  const message = `the snapshot is of another simulation: ${differences.slice(0, 5).join("; ")}`;
  throw new SimError("other-snapshot", message, { field: "state", hint });
}

function bad(problem: string): never {
  const hint = "Use the bytes that snapshot gave, whole and unchanged, or begin with reset.";
  throw new SimError("bad-snapshot", `not a snapshot: ${problem}`, { field: "state", hint });
}
