import { Packr } from "msgpackr";
import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage, type Tensor, type Tensors } from "../../protocol/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { limits } from "../../protocol/limits.ts";
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from "../../protocol/messages.ts";
import fc from "../properties.ts";
import { reply, request, tensors } from "./arbitrary.ts";

const loose = new Packr({ useRecords: false, variableMapSize: true });
const step = { type: "step", seq: 3, session: "abcdefgh" } as const;

/** Either a value, or the ProtocolError; anything else thrown fails the test. */
function refusalOf(attempt: () => unknown): ProtocolError | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    const refusal = error as ProtocolError;
    expect(refusal.field).not.toBe("");
    expect(refusal.hint).not.toBe("");
    expect(refusal.message.startsWith(`${refusal.field}: `)).toBe(true);
    return refusal;
  }
}

const refused = (frames: Uint8Array[]) => refusalOf(() => decodeRequest(frames));
const bytes = (hex: string) => Buffer.from(hex, "hex");

describe("round trip", () => {
  it("brings every request and its tensors across unchanged", () => {
    fc.assert(
      fc.property(request, tensors, (header, sent) => {
        const back = decodeRequest(encodeRequest(header, sent));
        expect(back.header).toEqual(header);
        expect(plain(back.tensors)).toEqual(plain(sent));
      }),
      { numRuns: 300 },
    );
  });

  it("brings every reply and its tensors across unchanged", () => {
    fc.assert(
      fc.property(reply, tensors, (header, sent) => {
        const back = decodeReply(encodeReply(header, sent));
        expect(back.header).toEqual(header);
        expect(plain(back.tensors)).toEqual(plain(sent));
      }),
      { numRuns: 300 },
    );
  });

  it("looks at aligned tensors in place and copies the others", () => {
    const data = Float32Array.of(1, 2, 3);
    const [header, frame] = encodeMessage(step, { actions: { shape: [3], data } });
    expect(decodeMessage([header!, frame!]).tensors.actions!.data.buffer).toBe(data.buffer);
    const shifted = new Uint8Array(13);
    shifted.set(frame!, 1);
    const copy = decodeMessage([header!, shifted.subarray(1)]).tensors.actions!;
    expect([...copy.data]).toEqual([1, 2, 3]);
    expect(copy.data.buffer).not.toBe(shifted.buffer);
  });
});

describe("damaged messages", () => {
  it("refuses every truncated header and names a field", () => {
    fc.assert(
      fc.property(fc.oneof(request, reply), (header) => {
        const [packed] = encodeMessage(header);
        for (let end = 0; end < packed!.length; end++) {
          const refusal = refusalOf(() => decodeMessage([packed!.subarray(0, end)]));
          expect(refusal?.code).toBe("malformed");
        }
      }),
      { numRuns: 60 },
    );
  });

  it("refuses every truncated or padded tensor, a missing one and one too many", () => {
    const sent = { actions: { shape: [4], data: Float32Array.of(1, 2, 3, 4) } };
    const [header, frame] = encodeMessage(step, sent) as [Uint8Array, Uint8Array];
    for (let end = 0; end < frame.length; end++) {
      expect(refused([header, frame.subarray(0, end)])?.field).toBe("tensors.0.shape");
    }
    expect(refused([header, Buffer.concat([frame, frame])])?.field).toBe("tensors.0.shape");
    expect(refused([header])?.field).toBe("tensors");
    expect(refused([header, frame, frame])?.field).toBe("tensors");
    expect(refused([])?.field).toBe("frames");
  });

  it("reads a bit-flipped message as a valid one or refuses it, and throws nothing else", () => {
    fc.assert(
      fc.property(
        fc.oneof(request, reply),
        tensors,
        fc.nat(),
        fc.nat(7),
        (header, sent, at, bit) => {
          const frames = encodeMessage(header, sent).map((frame) => Buffer.from(frame));
          const first = frames[0]!;
          first[at % first.length]! ^= 1 << bit;
          for (const read of [decodeRequest, decodeReply]) {
            const refusal = refusalOf(() => read(frames));
            if (refusal === undefined) encodeMessage(read(frames).header, read(frames).tensors);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("reads arbitrary bytes as a valid message or refuses them", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 }), (frames) => {
        for (const read of [decodeRequest, decodeReply]) refusalOf(() => read(frames));
      }),
      { numRuns: 1000 },
    );
  });

  it("reads any msgpack value where a header belongs as a valid message or refuses it", () => {
    fc.assert(
      fc.property(fc.object({ maxDepth: 4, withNullPrototype: false }), (value) => {
        const packed = loose.pack({ ...step, tensors: [value], ...value });
        for (const read of [decodeRequest, decodeReply]) refusalOf(() => read([packed]));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("what msgpack can say and a header may not", () => {
  const cases: [string, string, string][] = [
    ["an array in place of the map", "9101", "header"],
    ["a record extension, which msgpackr would obey", "81a161d4720140", "a"],
    ["an extension", "81a161d6ff00000000", "a"],
    ["a long extension", "81a161c70300000000", "a"],
    ["the reserved byte", "81a161c1", "a"],
    ["raw bytes", "81a161c40100", "a"],
    ["not a number", "81a161cb7ff8000000000000", "a"],
    ["infinity as float32", "81a161ca7f800000", "a"],
    ["a whole number beyond 2^53", "81a161cfffffffffffffffff", "a"],
    ["one below -2^53", "81a161d38000000000000000", "a"],
    ["a number as a key", "810102", "header"],
    ["a key twice", "82a16101a16102", "header"],
    ["the key __proto__", "81a95f5f70726f746f5f5f80", "header"],
    ["text that is not UTF-8", "81a161a2c328", "a"],
    ["a map that ends behind a key without letters", "81a081", '""'],
    ["bytes after the end", "81a16101c0", "header"],
    ["an array that claims four billion entries", "81a161ddffffffff", "a"],
    ["a map that claims four billion entries", "81a161dfffffffff", "a"],
    ["a text that claims four gigabytes", "81a161dbffffffff", "a"],
  ];

  it.each(cases)("refuses %s", (_, hex, field) => {
    const refusal = refusalOf(() => decodeMessage([bytes(hex)]));
    expect(refusal).toMatchObject({ code: "malformed", field });
  });

  it("refuses nesting that would exhaust a decoder's stack", () => {
    const deep = Buffer.concat([bytes("81a161"), Buffer.alloc(60_000, 0x91), bytes("c0")]);
    expect(refusalOf(() => decodeMessage([deep]))?.message).toContain("nested deeper than 8");
  });

  it("refuses a header over 64 KiB without reading it", () => {
    const big = Buffer.alloc(limits.headerBytes + 1, 0xc1);
    expect(refusalOf(() => decodeMessage([big]))).toMatchObject({
      code: "too-large",
      field: "header",
    });
  });

  it("refuses more frames than allowed", () => {
    const frames = Array.from({ length: limits.frames + 1 }, () => new Uint8Array());
    expect(refusalOf(() => decodeMessage(frames))?.code).toBe("too-large");
  });

  it("allocates nothing for a tensor that claims to be huge", () => {
    const described = { name: "actions", dtype: "<f4", shape: [2 ** 31, 2 ** 20] };
    const packed = loose.pack({ ...step, tensors: [described] });
    const refusal = refused([packed, new Uint8Array(4)]);
    expect(refusal).toMatchObject({ code: "too-large", field: "tensors.actions" });
  });

  it.each([
    ["a name with an upper-case start", { name: "Obs" }, "tensors.0.name"],
    ["a name that reaches into prototypes", { name: "__proto__" }, "tensors.0.name"],
    ["an element type that may not travel", { dtype: "<f8" }, "tensors.0.dtype"],
    ["a type every object has", { dtype: "toString" }, "tensors.0.dtype"],
    ["a negative size", { shape: [-1] }, "tensors.0.shape"],
    ["half a size", { shape: [0.5] }, "tensors.0.shape"],
    ["nine dimensions", { shape: [1, 1, 1, 1, 1, 1, 1, 1, 1] }, "tensors.0.shape"],
    ["a shape that is no list", { shape: 1 }, "tensors.0.shape"],
  ])("refuses a tensor with %s", (_, change, field) => {
    const described = { name: "actions", dtype: "<f4", shape: [1], ...change };
    const packed = loose.pack({ ...step, tensors: [described] });
    expect(refused([packed, new Uint8Array(4)])).toMatchObject({ code: "malformed", field });
  });

  it("refuses two tensors of one name", () => {
    const one = { name: "actions", dtype: "|u1", shape: [1] };
    const packed = loose.pack({ ...step, tensors: [one, one] });
    expect(refused([packed, new Uint8Array(1), new Uint8Array(1)])?.field).toBe("tensors.actions");
  });

  it("refuses to send what it would not accept", () => {
    expect(refusalOf(() => encodeMessage({ a: { b: Number.NaN } }))?.field).toBe("a.b");
    expect(refusalOf(() => encodeMessage({ a: undefined }))?.field).toBe("a");
    expect(refusalOf(() => encodeMessage({ a: new Date() }))?.field).toBe("a");
    expect(refusalOf(() => encodeMessage({ a: Float32Array.of(1) }))?.field).toBe("a");
    const short = { actions: { shape: [3], data: Float32Array.of(1, 2) } };
    expect(refusalOf(() => encodeMessage(step, short))?.field).toBe("tensors.actions.shape");
  });
});

describe("headers", () => {
  const hello = {
    ...step,
    type: "hello",
    protocol: { major: 1, minor: 0 },
    client: { name: "a", version: "1" },
  };

  it.each([
    ["a sequence number of 0", { ...step, seq: 0 }, "seq"],
    ["a fraction as sequence number", { ...step, seq: 1.5 }, "seq"],
    ["a session of three letters", { ...step, session: "abc" }, "session"],
    ["no session", { type: "step", seq: 1 }, "session"],
    ["a negative seed", { ...step, type: "reset", seed: -1 }, "seed"],
    ["a seed beyond 32 bits", { ...step, type: "reset", seed: 2 ** 32 }, "seed"],
    ["no version", { ...hello, protocol: {} }, "protocol.major"],
    ["a nested setting", { ...hello, settings: { a: { b: 1 } } }, "settings.a"],
    ["a setting's name with spaces", { ...hello, settings: { "a b": 1 } }, "settings.a b"],
    ["an empty list of groups", { ...hello, groups: [] }, "groups"],
    ["no environments", { ...hello, num_envs: 0 }, "num_envs"],
  ])("refuses %s and names the field", (_, header, field) => {
    expect(refused([loose.pack(header)])).toMatchObject({ code: "malformed", field });
  });

  it("ignores keys it does not know and refuses types it does not know", () => {
    expect(decodeRequest([loose.pack({ ...step, later: 1 })]).header).toEqual(step);
    const refusal = refused([loose.pack({ ...step, type: "fly" })]);
    expect(refusal).toMatchObject({ code: "unknown-type", field: "type" });
    expect(refused([loose.pack({ ...step, type: "toString" })])?.code).toBe("unknown-type");
  });
});

function plain(sent: Tensors): unknown {
  return Object.entries(sent).map(([name, { shape, data }]: [string, Tensor]) => {
    const kind = data.constructor.name;
    return [name, [...shape], kind, Buffer.from(data.buffer, data.byteOffset, data.byteLength)];
  });
}
