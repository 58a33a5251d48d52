import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Tensors } from "../../protocol/codec.ts";
import type { Described, Offer } from "../../protocol/messages.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { connectRemote } from "../../sim-adapters/remote/remote-env.ts";
import type { Lane } from "../../sim-adapters/shared-memory/lane.ts";
import { acceptLane, offerLane } from "../../sim-adapters/shared-memory/lane-file.ts";
import { PointMass } from "./point-mass.ts";
import { atEnd, nodeServer } from "./servers.ts";

const spec: EnvSpec = new PointMass({ settings: {}, numEnvs: 8 }).spec;
const tensors: Tensors = {
  actions: { shape: [8, 1], data: Float32Array.of(1, -1, 0.5, 0, 2, 3, 4, 5) },
  flags: { shape: [3], data: Uint8Array.of(1, 0, 1) },
  rows: { shape: [2], data: Int32Array.of(7, 9) },
};
const described: Described[] = [
  { name: "actions", dtype: "<f4", shape: [8, 1] },
  { name: "flags", dtype: "|u1", shape: [3] },
  { name: "rows", dtype: "<i4", shape: [2] },
];

function offered() {
  const made = offerLane(spec);
  atEnd(() => {
    made.unlink();
    made.lane.close();
  });
  return made;
}

function accepted(offer: Offer): Lane {
  const lane = acceptLane(offer, { least: 0 });
  atEnd(() => lane.close());
  return lane;
}

/** Somebody else who has the file open. */
function meddler({ path }: Offer): number {
  const file = openSync(path, "r+");
  atEnd(() => closeSync(file));
  return file;
}

/** Seven steps with ends in them; `midway` happens before the fifth. */
async function flight(
  endpoint: string,
  sharedMemory: "on" | "off",
  midway: () => void = () => {},
  onWaiting: (line: string) => void = () => {},
) {
  const settings = { max_steps: 3 };
  const env = await connectRemote({ endpoint, sharedMemory, settings, numEnvs: 8, onWaiting });
  const seen: unknown[] = [await env.reset(5)];
  for (let i = 0; i < 7; i++) {
    if (i === 4) midway();
    const { timing: _, ...result } = await env.step(new Float32Array(8).fill(i / 7));
    seen.push(result);
  }
  const shared = env.sharesMemory;
  await env.close();
  return { seen, shared };
}

/** Our own descriptors of the file that both sides have open and no folder has. */
const openFiles = () =>
  readdirSync("/proc/self/fd")
    .map((fd) => `/proc/self/fd/${fd}`)
    .filter((path) => existsSync(path) && readlinkSync(path).includes("firstsolo-shm-"));

describe("tensors in a file that both sides have open", () => {
  it("come out as they were put in, each way, and are the reader's own", () => {
    const { offer, lane } = offered();
    const driver = accepted(offer);
    expect(driver.put(3, tensors)).toEqual(described);
    const taken = lane.take(3, described);
    expect(taken).toEqual(tensors);
    lane.put(3, tensors);
    expect(driver.take(3, described)).toEqual(tensors);
    driver.put(4, { actions: { shape: [8, 1], data: new Float32Array(8) } });
    expect(taken).toEqual(tensors);
  });

  it("leave a file that only this user may open, and whose name is gone once it is open", () => {
    const { offer } = offered();
    expect(statSync(offer.path).mode & 0o777).toBe(0o600);
    accepted(offer);
    expect(existsSync(offer.path)).toBe(false);
  });

  it("travel as frames where they are few, or too many", () => {
    const { offer } = offered();
    const lane = acceptLane(offer, { least: 1000 });
    atEnd(() => lane.close());
    expect(lane.put(3, tensors)).toBeUndefined();
    const data = new Float32Array(1e6);
    expect(lane.put(3, { actions: { shape: [1e6], data } })).toBeUndefined();
  });

  it.each([
    ["an older seq", 2, 0, "holds seq 3, expected 2"],
    ["a newer seq", 4, 0, "holds seq 3, expected 4"],
    ["another length", 3, 16, "bytes"],
    ["a torn end", 3, 64 + 192, "torn"],
    ["another mark", 3, 1, "mark"],
  ])("are refused with %s", (_, seq, at, problem) => {
    const { offer, lane } = offered();
    const writer = meddler(offer);
    const driver = accepted(offer);
    driver.put(3, tensors);
    if (at > 0) writeSync(writer, Buffer.from([0xee]), 0, 1, offer.request_at + at);
    expect(() => lane.take(seq, described)).toThrow(problem);
  });

  it("are refused where the file was cut short, or more was announced than there is room for", () => {
    const { offer, lane } = offered();
    const other = meddler(offer);
    accepted(offer).put(3, tensors);
    truncateSync(`/proc/self/fd/${other}`, offer.request_at + 100);
    expect(() => lane.take(3, described)).toThrow("ends early: 100 of 264 bytes");
    const huge: Described[] = [{ name: "actions", dtype: "<f4", shape: [2 ** 31, 2 ** 31] }];
    expect(() => lane.take(3, huge)).toThrow("there is room for");
    const twice = [described[1]!, described[1]!];
    expect(() => lane.take(3, twice)).toThrow("comes twice");
  });

  const path = () =>
    join(dirname(offered().offer.path), `firstsolo-shm-1-${randomBytes(12).toString("hex")}`);

  it.each([
    ["another name", (offer: Offer) => ({ ...offer, path: "/etc/hostname" }), "is not a name"],
    ["no file", (offer: Offer) => ({ ...offer, path: path() }), "ENOENT"],
    [
      "another token",
      (offer: Offer) => ({ ...offer, token: "x".repeat(24) }),
      "not the simulator's",
    ],
    ["another size", (offer: Offer) => ({ ...offer, bytes: offer.bytes + 64 }), "bytes"],
    ["a crooked layout", (offer: Offer) => ({ ...offer, reply_at: 4097 }), "laid out"],
    [
      "a file that others may read",
      (offer: Offer) => {
        chmodSync(offer.path, 0o644);
        return offer;
      },
      "open to others",
    ],
    [
      "a link",
      (offer: Offer) => {
        const link = path();
        symlinkSync(offer.path, link);
        atEnd(() => rmSync(link));
        return { ...offer, path: link };
      },
      "ELOOP",
    ],
  ])("are not shared through %s", (_, change, problem) => {
    expect(() => acceptLane(change(offered().offer), { least: 0 })).toThrow(problem);
  });

  it("leave nothing of a simulator that was killed: the next one sweeps", () => {
    const folder = dirname(offered().offer.path);
    const dead = join(folder, `firstsolo-shm-4194300-${"a".repeat(24)}`);
    const alive = join(folder, `firstsolo-shm-${process.pid}-${"b".repeat(24)}`);
    for (const file of [dead, alive]) writeFileSync(file, "");
    offered();
    expect([existsSync(dead), existsSync(alive)]).toEqual([false, true]);
    rmSync(alive);
  });
});

describe("a flight through shared memory", () => {
  it("has the bits of one by frames, and leaves no file", async () => {
    const { endpoint } = await nodeServer();
    const frames = await flight(endpoint, "off");
    const shared = await flight(endpoint, "on");
    expect([frames.shared, shared.shared]).toEqual([false, true]);
    expect(shared.seen).toEqual(frames.seen);
    expect(openFiles()).toEqual([]);
  });

  it("is never insisted on in vain", async () => {
    const { endpoint } = await nodeServer({ sharedMemory: "off" });
    const wished = connectRemote({ endpoint, sharedMemory: "on" });
    await expect(wished).rejects.toMatchObject({ code: "no-shared-memory" });
  });

  it("goes on when the file was cut short", async () => {
    const { endpoint } = await nodeServer();
    const { seen } = await flight(endpoint, "off");
    const cut = await flight(endpoint, "on", () => {
      for (const file of openFiles()) truncateSync(file, 100);
    });
    expect(cut.seen).toEqual(seen);
  });

  it("goes on with frames when a reply is spoilt before it is read, and steps nothing twice", async () => {
    let spoil = false;
    class Spoilt extends PointMass {
      override step(actions: Float32Array) {
        // After the reply was written, before the next turn of the loop reads it.
        if (spoil)
          setImmediate(() =>
            openFiles().forEach((file) => {
              truncateSync(file, 100);
            }),
          );
        return super.step(actions);
      }
    }
    const server = await nodeServer({ open: async (asked) => new Spoilt(asked) });
    const { seen } = await flight(server.endpoint, "off");
    const lines: string[] = [];
    const midway = () => {
      spoil = true;
    };
    const spoilt = await flight(server.endpoint, "on", midway, (line) => lines.push(line));
    expect(spoilt.seen).toEqual(seen);
    expect(spoilt.shared).toBe(false);
    expect(lines.join()).toContain("going on with frames");
  });
});
