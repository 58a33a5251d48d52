/** Messages from strangers, to a server of ours and to a client of ours. */

import type { Random } from "../../policies/random.ts";
import { fromWireSpec, hashSpec, toWireSpec } from "../../protocol/env-spec.ts";
import { decodeReply, encodeReply, encodeRequest } from "../../protocol/messages.ts";
import {
  fromActions,
  fromFrame,
  fromStepResult,
  toFrame,
  toState,
  toStepResult,
} from "../../protocol/payload.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import { EnvHost } from "../../sim-adapters/serve/env-host.ts";
import { unexplained } from "../../sim-adapters/serve/serve-error.ts";
import { below, mutated } from "./mutate.ts";
import type { Target } from "./target.ts";

const session = "fuzz-session-0001";

/** Frames as one array of bytes, each behind its length: what the changes may meet. */
function packed(frames: readonly Uint8Array[]): Uint8Array {
  const parts = frames.flatMap((frame) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(frame.length);
    return [length, Buffer.from(frame)];
  });
  return new Uint8Array(Buffer.concat(parts));
}

function unpacked(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length && frames.length < 70; ) {
    const length = Math.min(view.getUint32(at, true), bytes.length - at - 4);
    // As ZeroMQ gives them: each in memory of its own.
    frames.push(bytes.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return frames;
}

/** Frames dropped, doubled or swapped, and bytes within one of them. */
export function changedFrames(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const [frames, others] = [unpacked(bytes), unpacked(other)];
  const at = below(random, frames.length);
  const kind = random.uniform();
  if (kind < 0.7)
    frames[at] = mutated(frames[at]!, others[below(random, others.length)] ?? bytes, random);
  else if (kind < 0.8) frames.splice(at, 1);
  else if (kind < 0.9) frames.splice(at, 0, frames[below(random, frames.length)]!);
  else frames.push(...others.slice(below(random, others.length)));
  return packed(frames);
}

/** A server with the quadcopter behind it: every answer must be a reply, and it must go on serving. */
export async function requests(): Promise<Target> {
  const [driver, stranger] = [Buffer.from("driver"), Buffer.from("stranger")];
  let answers: Uint8Array[][] = [];
  let waiting = () => {};
  const link = {
    send: (_to: Uint8Array, frames: readonly Uint8Array[]) => {
      answers.push([...frames]);
      waiting();
    },
  };
  const open = async () => {
    const env = await openMujoco({ task: "quadcopter", numEnvs: 2 });
    return Object.assign(env, { settings: {}, notices: [] });
  };
  const host = new EnvHost({ open } as never, link as never, () => {});
  // Asked again, as a client does: whoever floods a server is not heard for a while.
  const answer = (frames: readonly Uint8Array[], from: Uint8Array) =>
    new Promise<Uint8Array[]>((resolve, reject) => {
      answers = [];
      const again = setInterval(() => host.receive(from, frames), 250);
      const late = setTimeout(() => end(() => reject(new Error("no answer in 20 s"))), 20_000);
      const end = (then: () => void) => {
        clearInterval(again);
        clearTimeout(late);
        then();
      };
      waiting = () => {
        const last = answers.at(-1)!;
        if (decodeReply(last).header.type !== "progress") end(() => resolve(last));
      };
      host.receive(from, frames);
    });
  const hello = encodeRequest({ type: "hello", seq: 1, session, ...greeting });
  const welcome = decodeReply(await answer(hello, driver)).header;
  if (welcome.type !== "welcome") throw new Error(`no welcome: ${JSON.stringify(welcome)}`);
  const spec = fromWireSpec(welcome.spec);
  let seq = 1;
  let tried = 0;
  return {
    title: "requests at the server",
    corpus: () => requestCorpus(spec, 16),
    change: changedFrames,
    take: async (bytes) => {
      const from = tried % 2 === 0 ? stranger : driver;
      await new Promise<void>((resolve) => {
        waiting = () => resolve();
        host.receive(from, unpacked(bytes));
        setImmediate(resolve);
      });
      refuseUnexplained(answers.splice(0));
      tried += 1;
      if (tried % 500 !== 0) return;
      // The one that drives is served as before; what was done in its name may have moved its number.
      seq += 1_000_000;
      const ping = encodeRequest({ type: "ping", seq, session });
      const pong = decodeReply(await answer(ping, driver)).header.type;
      if (pong !== "pong") throw new Error(`a ping was answered with ${pong}`);
    },
    close: () => host.close(),
  };
}

/** An error without words of its own is a mistake of the server's. */
function refuseUnexplained(answers: readonly Uint8Array[][]): void {
  for (const frames of answers) {
    const { header } = decodeReply(frames);
    if (header.type !== "error" || header.code !== unexplained) continue;
    throw new Error(`the server said ${header.code}: ${header.message}`);
  }
}

const greeting = {
  protocol: { major: 1, minor: 2 },
  client: { name: "fuzz", version: "1" },
  capabilities: [],
  settings: {},
};

/** Whole requests to a simulator of that kind, each packed. */
export function requestCorpus(spec: EnvSpec, stateBytes: number): Uint8Array[] {
  const asked = { seq: 2, session };
  const run = "fuzz-run-0001";
  const shared = ["shared_memory", "teacher_actions"];
  const actions = fromActions(new Float32Array(spec.numEnvs * spec.action.shape[0]!), spec);
  return [
    encodeRequest({ type: "hello", ...asked, ...greeting, groups: ["policy"], num_envs: 2 }),
    encodeRequest({ type: "hello", ...asked, ...greeting, seq: 1, run, capabilities: shared }),
    encodeRequest({ type: "reset", ...asked, seed: 7 }),
    encodeRequest({ type: "step", ...asked }, actions),
    encodeRequest({ type: "snapshot", ...asked }),
    encodeRequest(
      { type: "restore", ...asked },
      { state: { shape: [stateBytes], data: new Uint8Array(stateBytes) } },
    ),
    encodeRequest({ type: "close", ...asked }),
    encodeRequest({ type: "ping", ...asked }),
  ].map(packed);
}

/** What a simulator may answer, as the client takes it apart. */
export async function replies(): Promise<Target> {
  const env = await openMujoco({ task: "quadcopter", numEnvs: 4 });
  const { spec } = env;
  const frame = await env.reset(1);
  const result = await env.step(new Float32Array(16));
  const told = { seq: 2, epoch: "fuzz-epoch-0001", timing: { simulate: 0.001 } };
  const beat = { seq: told.seq, epoch: told.epoch };
  const severity = { retryable: false, fatal: false };
  const server = { name: "fuzz", version: "1" };
  const corpus = [
    encodeReply({
      ...({
        type: "welcome",
        seq: 1,
        epoch: told.epoch,
        protocol: greeting.protocol,
        server,
      } as const),
      ...{ capabilities: [], spec: toWireSpec(spec), spec_hash: hashSpec(spec) },
      ...{ settings: {}, notices: [], limits: {} },
    }),
    encodeReply({ type: "frame", ...told }, fromFrame(frame, spec)),
    encodeReply({ type: "result", ...told, log: { "Episode/x": 1 } }, fromStepResult(result, spec)),
    encodeReply(
      { type: "state", seq: 2, epoch: told.epoch },
      { state: { shape: [8], data: new Uint8Array(8) } },
    ),
    encodeReply({ ...beat, type: "progress", stage: "stepping", elapsed: 1, message: "" }),
    encodeReply({ ...beat, type: "error", code: "x-y", message: "m", hint: "h", ...severity }),
  ].map(packed);
  await env.close();
  return {
    title: "replies at the client",
    corpus: () => corpus,
    change: changedFrames,
    take: (bytes) => {
      const { header, tensors } = decodeReply(unpacked(bytes));
      if (header.type === "welcome") fromWireSpec(header.spec);
      if (header.type === "frame") toFrame(tensors, spec);
      if (header.type === "result") toStepResult(header, tensors, spec);
      if (header.type === "state") toState(tensors);
    },
  };
}
