import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RemoteEnv } from "../../sim-adapters/remote/remote-env.ts";
import { replay } from "../../sim-adapters/tape/replay.ts";
import { TapeReader, TapeWriter } from "../../sim-adapters/tape/tape.ts";
import { atEnd, connect, nodeServer, socketFile } from "../remote/servers.ts";

const folder = mkdtempSync(join(tmpdir(), "firstsolo-tape-"));

/** Flies three steps; `push` is the action of the second. */
async function fly(env: RemoteEnv, push = 0.25) {
  const width = env.spec.action.shape[0]! * env.spec.numEnvs;
  const seen = [(await env.reset(7)).observations];
  for (const action of [0, push, 0]) {
    seen.push((await env.step(new Float32Array(width).fill(action))).frame.observations);
  }
  await env.close();
  return seen;
}

async function recorded(name: string) {
  const path = join(folder, name);
  const { endpoint } = await nodeServer();
  const tape = new TapeWriter(path, () => {});
  const seen = await fly(await connect({ endpoint, tape }));
  tape.close();
  return { path, seen };
}

async function replayed(path: string) {
  const tape = new TapeReader(path);
  const said: string[] = [];
  const player = await replay(tape, { bind: socketFile(), say: (line) => said.push(line) });
  atEnd(async () => {
    await player.close();
    tape.close();
  });
  return { ...player, said };
}

describe("what went over the wire", () => {
  it("is served again without the simulator, to the bit", async () => {
    const { path, seen } = await recorded("whole.tape");
    const { endpoint, done, said } = await replayed(path);
    expect(await fly(await connect({ endpoint }))).toEqual(seen);
    expect(await done).toEqual({ answered: 6 });
    expect(said).toEqual([]);
  });

  it("names the first request that differs, and goes on", async () => {
    const { path, seen } = await recorded("other.tape");
    const { endpoint, done, said } = await replayed(path);
    expect(await fly(await connect({ endpoint }), 0.5)).toEqual(seen);
    const what = expect.stringMatching(/^actions\[0\] is 0\.5, recorded was 0\.25$/);
    expect((await done).first).toEqual({ session: 1, request: 4, type: "step", what });
    expect(said).toHaveLength(1);
  });

  it("ends where the tape ends, in words", async () => {
    const { path } = await recorded("short.tape");
    const { endpoint } = await replayed(path);
    const env = await connect({ endpoint });
    await env.reset(7);
    await expect(env.snapshot?.()).rejects.toMatchObject({
      code: "tape-ended",
      message: expect.stringContaining("request 3 of session 1 is snapshot; recorded was step"),
    });
  });

  it("is served as it came, also a reply that no client can read", async () => {
    const { path } = await recorded("broken.tape");
    const tape = new TapeReader(path);
    const replies = tape.messages.filter(
      ({ direction, lengths }) => direction === "in" && lengths.length > 1,
    );
    tape.close();
    const bytes = readFileSync(path);
    bytes.write("<f9", bytes.indexOf("<f4", replies.at(-1)!.at));
    writeFileSync(path, bytes);
    const { endpoint } = await replayed(path);
    await expect(fly(await connect({ endpoint }))).rejects.toThrow(/is none of <f4, \|u1, <i4/);
  });

  it("of several sessions is one tape, each served in its turn", async () => {
    const { path, seen } = await recorded("twice.tape");
    const { endpoint } = await nodeServer();
    const tape = new TapeWriter(path, () => {});
    const second = await fly(await connect({ endpoint, tape }), 1);
    tape.close();
    const player = await replayed(path);
    expect(await fly(await connect({ endpoint: player.endpoint }))).toEqual(seen);
    expect(await fly(await connect({ endpoint: player.endpoint }), 1)).toEqual(second);
    expect(await player.done).toEqual({ answered: 12 });
  });
});

describe("a tape", () => {
  it("that breaks off anywhere is read up to there", async () => {
    const { path } = await recorded("torn.tape");
    const all = new TapeReader(path);
    const whole = all.messages.length;
    all.close();
    const size = readFileSync(path).length;
    for (let length = 8; length <= size; length += 97) {
      const torn = join(folder, "cut.tape");
      copyFileSync(path, torn);
      truncateSync(torn, length);
      const tape = new TapeReader(torn);
      expect(tape.messages.length).toBeLessThanOrEqual(whole);
      for (const message of tape.messages) {
        expect(tape.frames(message).map((frame) => frame.length)).toEqual(message.lengths);
      }
      tape.close();
    }
  });

  it("is its owner's alone, and nothing else is taken for one", async () => {
    const other = join(folder, "notes.txt");
    writeFileSync(other, "something else");
    expect(() => new TapeReader(other)).toThrow("is no recording of a wire");
    expect(() => new TapeWriter(other, () => {})).toThrow("is no recording of a wire");
    expect(readFileSync(other, "utf8")).toBe("something else");
    expect(() => new TapeReader(join(folder, "nowhere"))).toThrow("ENOENT");
    const damaged = join(folder, "damaged.tape");
    writeFileSync(damaged, Buffer.concat([Buffer.from("FSTAPE1\n"), Buffer.alloc(64, 0xff)]));
    expect(() => new TapeReader(damaged)).toThrow(/is damaged at byte 8/);
    const empty = join(folder, "empty.tape");
    new TapeWriter(empty, () => {}).close();
    await expect(replayed(empty)).rejects.toMatchObject({ code: "no-answer" });
  });

  it.runIf(existsSync("/dev/full"))("on a full disk ends, and says so once", () => {
    const said: string[] = [];
    const tape = new TapeWriter("/dev/full", (line) => said.push(line));
    tape.add("out", [Uint8Array.of(1)]);
    expect(said).toEqual([expect.stringMatching(/recorded no further: ENOSPC/)]);
  });
});
