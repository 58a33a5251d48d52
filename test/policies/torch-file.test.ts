import { describe, expect, it } from "vitest";
import { readTorchFile, writeTorchFile } from "../../policies/checkpoint/torch-file.ts";
import {
  isDict,
  isTensor,
  OrderedDict,
  type TorchKey,
  type TorchTensor,
  TorchTuple,
  type TorchValue,
  torchDict,
} from "../../policies/checkpoint/torch-value.ts";
import fc from "../properties.ts";
import { readData } from "./examples.ts";

function golden(name: string): ReadonlyMap<TorchKey, TorchValue> {
  const value = readTorchFile(readData(name), name);
  if (!isDict(value)) throw new Error("expected a dict");
  return value;
}

function tensorOf(value: unknown): { shape: readonly number[]; dtype: string; data: unknown[] } {
  if (!isTensor(value)) throw new Error("expected a tensor");
  return { shape: value.shape, dtype: value.dtype, data: Array.from<unknown>(value.data) };
}

describe.each(["torch-values.pt", "torch-values-deflated.pt"])("%s, saved by torch", (name) => {
  const file = golden(name);
  const tensor = (key: string) => tensorOf(file.get(key));
  const base = Array.from({ length: 4 }, (_, row) =>
    Array.from({ length: 6 }, (_, c) => 6 * row + c),
  );

  it("lays out a transposed view row by row", () => {
    const columns = Array.from({ length: 6 }, (_, c) => base.map((row) => row[c]));
    expect(tensor("transposed")).toEqual({ shape: [6, 4], dtype: "float32", data: columns.flat() });
  });

  it("cuts a window out of a storage that other tensors share", () => {
    const window = base.slice(1, 3).map((row) => row.slice(2, 5));
    expect(tensor("window")).toEqual({ shape: [2, 3], dtype: "float32", data: window.flat() });
  });

  it("follows strides", () => {
    const odd = base.map((row) => row.filter((_, c) => c % 2 === 0));
    expect(tensor("every_other").data).toEqual(odd.flat());
    expect(tensor("expanded")).toEqual({ shape: [3, 2], dtype: "float32", data: Array(6).fill(7) });
  });

  it("reads scalars and empty tensors", () => {
    expect(tensor("scalar")).toEqual({ shape: [], dtype: "int64", data: [42n] });
    expect(tensor("empty")).toEqual({ shape: [0, 3], dtype: "float32", data: [] });
  });

  it("widens half and bfloat16 without loss", () => {
    const half = [1.5, -2, 65504, 2 ** -24, Number.POSITIVE_INFINITY];
    expect(tensor("half")).toEqual({ shape: [5], dtype: "float32", data: half });
    const [one, two, large] = tensor("bfloat16").data;
    expect([one, two]).toEqual([1, -3.5]);
    expect(Math.abs((large as number) / 1e38 - 1)).toBeLessThan(2 ** -8);
  });

  it("reads every width of number", () => {
    expect(tensor("double")).toEqual({ shape: [2], dtype: "float64", data: [1e300, -0.1] });
    expect(tensor("int32")).toEqual({ shape: [2], dtype: "int32", data: [-1, 2 ** 31 - 1] });
    expect(tensor("int16")).toEqual({ shape: [1], dtype: "int16", data: [-(2 ** 15)] });
    expect(tensor("int8")).toEqual({ shape: [1], dtype: "int8", data: [-128] });
    expect(tensor("uint8")).toEqual({ shape: [1], dtype: "uint8", data: [255] });
    expect(tensor("bool")).toEqual({ shape: [2], dtype: "bool", data: [1, 0] });
  });

  it("reads parameters, sizes and plain Python values", () => {
    expect(tensor("parameter").data).toEqual([0.25]);
    expect(file.get("size")).toEqual(new TorchTuple([2, 3]));
    const nested = torchDict({ a: new Map() });
    const tuples = [new TorchTuple([]), new TorchTuple([1, 2, 3, 4])];
    const plain = [
      null,
      true,
      -5,
      300,
      70000,
      2 ** 40,
      -(2n ** 70n),
      0.5,
      "żółw",
      ...tuples,
      nested,
    ];
    expect(file.get("plain")).toEqual(plain);
    expect(file.get(1)).toBe("int key");
  });
});

const tensor: fc.Arbitrary<TorchTensor> = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
  .chain((shape) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const exactly = { minLength: length, maxLength: length };
    return fc.oneof(
      fc.float32Array(exactly).map((data): TorchTensor => ({ shape, dtype: "float32", data })),
      fc.float64Array(exactly).map((data): TorchTensor => ({ shape, dtype: "float64", data })),
      fc.bigInt64Array(exactly).map((data): TorchTensor => ({ shape, dtype: "int64", data })),
      fc.int32Array(exactly).map((data): TorchTensor => ({ shape, dtype: "int32", data })),
      fc.uint8Array(exactly).map((data): TorchTensor => ({ shape, dtype: "uint8", data })),
    );
  });

const { value } = fc.letrec<{ value: TorchValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 200n }),
    fc.bigInt({ min: -(2n ** 200n), max: -(2n ** 53n) }),
    fc.string({ unit: "grapheme" }),
    tensor,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(tie("value"), { maxLength: 5 }).map((items) => new TorchTuple(items)),
    fc.array(fc.tuple(fc.string(), tie("value")), { maxLength: 5 }).map((e) => new Map(e)),
    fc.array(fc.tuple(fc.integer(), tie("value")), { maxLength: 5 }).map((e) => {
      const dict = new OrderedDict(e);
      dict.attributes = torchDict({ _metadata: new Map([["", 1]]) });
      return dict;
    }),
  ),
}));

describe("writing", () => {
  it("gives back every value it wrote", () => {
    fc.assert(
      fc.property(value, (written) => {
        expect(readTorchFile(writeTorchFile(written))).toEqual(written);
      }),
      { numRuns: 300 },
    );
  });

  it("gives equal bytes for equal values", () => {
    const make = () =>
      torchDict({ a: { shape: [2], dtype: "float32", data: Float32Array.of(1, 2) } });
    expect(writeTorchFile(make())).toEqual(writeTorchFile(make()));
  });

  it("lays every storage at a multiple of 64 bytes, where torch can map it", () => {
    const marks = [0x11223344, 0x55667788];
    const tensors = marks.map((mark, i): TorchTensor => {
      return { shape: [i + 1], dtype: "int32", data: new Int32Array(i + 1).fill(mark) };
    });
    const bytes = Buffer.from(writeTorchFile(tensors));
    for (const mark of marks) {
      const pattern = Buffer.alloc(4);
      pattern.writeInt32LE(mark);
      expect(bytes.indexOf(pattern) % 64).toBe(0);
    }
  });

  it("refuses a tensor whose shape and elements disagree", () => {
    const wrong: TorchTensor = { shape: [3], dtype: "float32", data: new Float32Array(2) };
    expect(() => writeTorchFile([wrong])).toThrow(/2 elements, expected 3/);
  });

  it("refuses a value that holds itself", () => {
    const list: TorchValue[] = [];
    list.push(list);
    expect(() => writeTorchFile(list)).toThrow(/nested deeper/);
  });
});
