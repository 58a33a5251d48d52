import { Packr } from "msgpackr";
import { describe, expect, it } from "vitest";
import { encodeMessage, type Tensors } from "../../protocol/codec.ts";
import { HeaderMemory } from "../../protocol/header-memory.ts";
import { packUsual } from "../../protocol/header-pack.ts";
import { decodeReply, decodeRequest, type Message, type Reply } from "../../protocol/messages.ts";
import { dtypeOf } from "../../protocol/tensor.ts";
import fc from "../properties.ts";
import { reply, request } from "./arbitrary.ts";

const thorough = new Packr({ useRecords: false, variableMapSize: true });
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const base = { type: "result", epoch: "abcdefghijkl" } as const;

const arrays = [new Float32Array(), new Uint8Array(), new Int32Array()];
const floats = (...data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });
const flags = (...data: number[]) => ({ shape: [data.length], data: Uint8Array.from(data) });

function result(seq: number, timing: number, ended: readonly number[] = []): Uint8Array[] {
  const tensors: Record<string, Tensors[string]> = {
    "obs/policy": { shape: [2, 2], data: Float32Array.of(seq, 1, 2, 3) },
    reward: floats(0.5, timing),
    terminated: flags(0, 1),
  };
  if (ended.length > 0) {
    tensors["final/rows"] = { shape: [ended.length], data: Int32Array.from(ended) };
  }
  const log = ended.length > 0 ? { log: { died: ended.length } } : {};
  return encodeMessage({ ...base, seq, ...log, timing: { simulate: timing, total: 1 } }, tensors);
}

describe("the quick way to pack a header", () => {
  it("writes the bytes that msgpackr writes, or leaves it to it", () => {
    let quick = 0;
    fc.assert(
      fc.property(fc.oneof(request, reply), (header) => {
        const packed = packUsual(header);
        if (packed === undefined) return;
        quick++;
        expect(hex(packed)).toBe(hex(thorough.pack(header)));
      }),
      { numRuns: 200 },
    );
    expect(quick).toBeGreaterThan(80);
  });

  it("lists tensors as msgpackr does, at the end of the header", () => {
    const shapes = fc.array(fc.nat({ max: 300 }), { maxLength: 3 });
    fc.assert(
      fc.property(request, fc.array(shapes, { minLength: 1, maxLength: 16 }), (header, all) => {
        const tensors = Object.fromEntries(
          all.map((shape, i) => [`obs/g${i}`, { shape, data: arrays[i % 3]! }]),
        );
        const packed = packUsual(header, tensors);
        if (packed === undefined) return;
        const described = Object.entries(tensors).map(([name, { shape, data }]) => {
          return { name, dtype: dtypeOf(data), shape };
        });
        expect(hex(packed)).toBe(hex(thorough.pack({ ...header, tensors: described })));
      }),
      { numRuns: 100 },
    );
    expect(packUsual({ type: "pong" }, { a: flags(1) })).toBeDefined();
    expect(packUsual({ tensors: 1 }, { a: flags(1) })).toBeUndefined();
  });

  it.each([
    [[0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 0.5, -0.5, 1e300]],
    [["", "x".repeat(31), "x".repeat(32), "x".repeat(255)]],
    [{ yes: true, no: false, nothing: null, inside: { a: [[], {}] } }],
  ])("writes %j as msgpackr does", (value) => {
    expect(hex(packUsual({ value })!)).toBe(hex(thorough.pack({ value })));
  });

  it.each([
    ["NaN", Number.NaN],
    ["an infinity", Number.POSITIVE_INFINITY],
    ["a hole", undefined],
    ["text beyond ASCII", "µ"],
    ["text beyond Latin", "→"],
    ["a long text", "x".repeat(256)],
    ["bytes", new Uint8Array(2)],
    ["a date", new Date(0)],
    ["a big integer", 3n],
    ["too many keys", Object.fromEntries(Array.from({ length: 16 }, (_, i) => [i, i]))],
    [
      "what is longer than the scratch",
      Array.from({ length: 15 }, () => Array(15).fill("x".repeat(200))),
    ],
  ])("leaves %s to the thorough way", (_, value) => {
    expect(packUsual({ value })).toBeUndefined();
  });

  it("leaves depth beyond the limit to the thorough way", () => {
    let value: unknown = 0;
    for (let i = 0; i < 12; i++) value = [value];
    expect(packUsual({ value })).toBeUndefined();
  });
});

describe("headers from memory", () => {
  function memoryOf(...messages: Uint8Array[][]): HeaderMemory<Reply> {
    const memory = new HeaderMemory<Reply>();
    for (const frames of messages) memory.read(frames, decodeReply);
    return memory;
  }

  it("knows nothing before it has read something", () => {
    expect(new HeaderMemory<Reply>().recall(result(1, 0.5))).toBeUndefined();
  });

  it.each([
    ["other numbers", result(200, 0.25)],
    ["the same", result(130, 0.5)],
    ["other ends", result(150, 0.25, [1])],
  ])("reads %s as the thorough way does, down to the bits", (_, frames) => {
    const memory = memoryOf(result(130, 0.5), result(131, 0.5, [0]));
    const recalled = memory.recall(frames);
    expect(recalled).toEqual(decodeReply(frames));
    expect(Object.keys(recalled!.tensors)).toEqual(Object.keys(decodeReply(frames).tensors));
  });

  it("hands nothing out twice", () => {
    const memory = memoryOf(result(130, 0.5));
    const first = memory.recall(result(140, 0.25))!;
    memory.recall(result(141, 0.75));
    expect(first.header).toMatchObject({ seq: 140, timing: { simulate: 0.25, total: 1 } });
  });

  it.each([
    ["a seq of another width", result(70_000, 0.5)],
    ["a tensor more", result(131, 0.5, [1])],
    ["a negative time", result(131, -0.5)],
    ["a frame that is missing", result(131, 0.5).slice(0, -1)],
    ["a frame that is too short", [...result(131, 0.5).slice(0, -1), new Uint8Array(1)]],
    ["no frame at all", []],
  ])("leaves %s to the thorough way", (_, frames) => {
    expect(memoryOf(result(130, 0.5)).recall(frames)).toBeUndefined();
  });

  it("never takes what the thorough way refuses, nor for something else, whichever bit is flipped", () => {
    const memory = memoryOf(result(130, 0.5, [1]));
    const frames = result(131, 0.25, [1]);
    const length = frames[0]!.length;
    let taken = 0;
    for (let bit = 0; bit < 8 * length; bit++) {
      const packed = frames[0]!.slice();
      packed[bit >> 3]! ^= 1 << (bit & 7);
      const damaged = [packed, ...frames.slice(1)];
      const recalled = memory.recall(damaged);
      if (recalled === undefined) continue;
      taken++;
      expect(recalled).toEqual(decodeReply(damaged));
    }
    expect(taken).toBeGreaterThan(20);
  });

  it("remembers a number of headers that does not grow", () => {
    const named = (name: string) => encodeMessage({ ...base, seq: 3, log: { [name]: 1 } });
    const memory = memoryOf(...Array.from({ length: 40 }, (_, i) => named(`figure${i}`)));
    expect(memory.recall(named("figure39"))).toBeDefined();
    expect(memory.recall(named("figure0"))).toBeUndefined();
  });

  it("keeps names that were made visible apart from the bytes that came", () => {
    const frames = encodeMessage({ ...base, seq: 3, log: { "a\u001b": 1 } });
    const memory = memoryOf(frames);
    expect(memory.recall(frames)).toEqual(decodeReply(frames));
  });

  it("reads requests too", () => {
    const step = (seq: number) =>
      encodeMessage({ type: "step", seq, session: "abcdefgh" }, { actions: floats(seq) });
    const memory = new HeaderMemory<
      Message<ReturnType<typeof decodeRequest>["header"]>["header"]
    >();
    memory.read(step(3), decodeRequest);
    expect(memory.recall(step(4))).toEqual(decodeRequest(step(4)));
    expect(memory.recall(step(0))).toBeUndefined();
  });
});
