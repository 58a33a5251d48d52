import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeMessage, type Tensor } from "../../protocol/codec.ts";
import { fromWireSpec, pictureGroups } from "../../protocol/env-spec.ts";
import { decodeReply, decodeRequest } from "../../protocol/messages.ts";
import { fromFrame, toActions, toFrame, toStepResult } from "../../protocol/payload.ts";
import fc from "../properties.ts";
import { pythonEnv } from "../python-env.ts";

interface Golden {
  readonly name: string;
  readonly header: Record<string, unknown>;
  readonly tensors: Record<string, { dtype: string; shape: number[]; values: number[] }>;
  readonly frames: string[];
}

const file = join(import.meta.dirname, "../../protocol/golden/v1.json.golden");
const text = readFileSync(file, "utf8");
const golden = JSON.parse(text) as Golden[];
const requests = ["hello", "reset", "step", "snapshot", "restore", "close", "ping"];
const named = (name: string) => golden.find((message) => message.name === name)!;
const bytesOf = (message: Golden) => message.frames.map((frame) => Buffer.from(frame, "hex"));

function decode(message: Golden) {
  const read = requests.includes(String(message.header.type)) ? decodeRequest : decodeReply;
  return read(bytesOf(message));
}

function tensorOf({ dtype, shape, values }: Golden["tensors"][string]): Tensor {
  const kinds = { "<f4": Float32Array, "|u1": Uint8Array, "<i4": Int32Array };
  return { shape, data: kinds[dtype as keyof typeof kinds].from(values) };
}

describe("golden bytes made by Python's msgpack", () => {
  it.each(golden)("reads $name as Python meant it", (message) => {
    const { header, tensors } = decode(message);
    expect(header).toEqual(message.header);
    expect(Object.keys(tensors)).toEqual(Object.keys(message.tensors));
    for (const [name, expected] of Object.entries(message.tensors)) {
      expect(tensors[name]).toEqual(tensorOf(expected));
    }
  });

  it("turns the golden welcome, frame, step and result into what the contracts hold", () => {
    const welcome = decode(named("welcome")).header;
    if (welcome.type !== "welcome") throw new Error("no welcome");
    const spec = fromWireSpec(welcome.spec);
    expect(spec).toMatchObject({ numEnvs: 2, controlPeriod: 0.02, maxEpisodeSteps: 500 });
    expect(toFrame(decode(named("frame")).tensors, spec).started).toEqual(Uint8Array.of(1, 1));
    const restored = toFrame(decode(named("frame after restore")).tensors, spec);
    expect(restored.started).toEqual(Uint8Array.of(0, 1));
    expect([...toActions(decode(named("step")).tensors, spec)]).toEqual([0.25, -0.25, 1, -1]);
    const { header, tensors } = decode(named("result"));
    if (header.type !== "result") throw new Error("no result");
    const result = toStepResult(header, tensors, spec);
    expect(result.frame.started).toEqual(Uint8Array.of(0, 1));
    expect(result.final?.rows).toEqual(Int32Array.of(1));
    expect(result.final?.observations.policy).toEqual(Float32Array.of(9, 8, 7));
    expect(result.log).toEqual({ "Episode_Termination/died": 1, "mean length": 12.5 });
  });
});

describe("golden bytes of pictures", () => {
  const welcome = decode(named("welcome with pictures")).header;
  if (welcome.type !== "welcome") throw new Error("no welcome");
  const spec = fromWireSpec(welcome.spec);
  const camera = named("frame with pictures").tensors["obs/camera"]!.values;

  it("become bytes beside the numbers of other groups", () => {
    expect(pictureGroups(spec)).toEqual(["camera"]);
    const { observations } = toFrame(decode(named("frame with pictures")).tensors, spec);
    expect(observations.camera).toEqual(Uint8Array.from(camera));
    expect(observations.policy).toBeInstanceOf(Float32Array);
    const { header, tensors } = decode(named("result with pictures"));
    if (header.type !== "result") throw new Error("no result");
    const { final } = toStepResult(header, tensors, spec);
    expect(final?.observations.camera).toEqual(Uint8Array.of(255, ...Array(11).keys()));
  });

  it("go out as they came in", () => {
    const frame = toFrame(decode(named("frame with pictures")).tensors, spec);
    const { header } = decode(named("frame with pictures"));
    const sent = encodeMessage(header, fromFrame(frame, spec)).slice(1);
    expect(sent.map((bytes) => Buffer.from(bytes).toString("hex"))).toEqual(
      named("frame with pictures").frames.slice(1),
    );
  });
});

describe("the other direction, with a real Python", () => {
  let python = "";
  beforeAll(async () => {
    python = await pythonEnv();
  });

  it("finds the golden file to be what its script writes today", () => {
    const script = join(import.meta.dirname, "make_golden.py");
    expect(execFileSync(python, [script], { encoding: "utf8" })).toBe(text);
  });

  it("has Python's msgpack read every message as this side packs it", () => {
    const script = join(import.meta.dirname, "read_frames.py");
    const lines = golden.map((message) => {
      const tensors = Object.entries(message.tensors).map(([k, t]) => [k, tensorOf(t)] as const);
      const frames = encodeMessage(message.header, Object.fromEntries(tensors));
      return JSON.stringify(frames.map((frame) => Buffer.from(frame).toString("hex")));
    });
    const output = execFileSync(python, [script], { input: lines.join("\n"), encoding: "utf8" });
    const read = output.trim().split("\n");
    expect(read).toHaveLength(golden.length);
    for (const [i, line] of read.entries()) {
      const { header, tensors } = JSON.parse(line) as Golden;
      expect(header).toEqual(golden[i]!.header);
      for (const [name, expected] of Object.entries(golden[i]!.tensors)) {
        expect(tensors[name]!.shape).toEqual(expected.shape);
        expect(tensors[name]!.dtype).toBe(expected.dtype);
        expect(tensorOf(tensors[name]!).data).toEqual(tensorOf(expected).data);
      }
    }
  });

  it("has Python read thousands of damaged messages as valid ones or refuse them naming a field", () => {
    const script = join(import.meta.dirname, "read_frames.py");
    const damaged = (at: number, bit: number, message: Golden) => {
      const frames = bytesOf(message);
      const header = frames[0]!;
      if (bit === 8) return [header.subarray(0, at % header.length), ...frames.slice(1)];
      header[at % header.length]! ^= 1 << bit;
      return frames;
    };
    const lines = fc
      .sample(fc.tuple(fc.nat(), fc.nat(8), fc.constantFrom(...golden)), 4000)
      .map((sample) => damaged(...sample).map((frame) => frame.toString("hex")))
      .map((frames) => JSON.stringify(frames));
    const output = execFileSync(python, [script], { input: lines.join("\n"), encoding: "utf8" });
    const answers = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(answers).toHaveLength(lines.length);
    const refused = answers.filter((answer) => "code" in answer);
    expect(refused.length).toBeGreaterThan(lines.length / 10);
    for (const { field } of refused) expect(field).not.toBe("");
  });
});
