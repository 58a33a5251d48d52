import { writeZip } from "../../policies/checkpoint/zip-write.ts";

/** Pieces of a pickle: text as it stands, numbers as bytes. */
export type PickleParts = readonly (string | number | Uint8Array)[];

export function pickle(...parts: PickleParts): Uint8Array {
  return Buffer.concat([
    Buffer.from([0x80, 2]),
    ...parts.map((part) => {
      if (typeof part === "number") return Buffer.from([part]);
      return typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part);
    }),
    Buffer.from("."),
  ]);
}

/** A string value. */
export function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from("X"), length, bytes]);
}

/** A signed 32-bit integer value. */
export function int(value: number): Uint8Array {
  const bytes = Buffer.alloc(5);
  bytes.write("J");
  bytes.writeInt32LE(value, 1);
  return bytes;
}

/** A storage of `elements` floats under `key`. */
export function storage(key: string, elements: number, type = "FloatStorage"): Uint8Array {
  const name = Buffer.from(`ctorch\n${type}\n`);
  const parts = ["(", text("storage"), name, text(key), text("cpu"), int(elements), "tQ"];
  return Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
}

/** A call of torch's tensor builder. */
export function tensor(
  stored: Uint8Array,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const tuple = (values: readonly number[]) => ["(", ...values.map(int), "t"];
  const parts = [
    "ctorch._utils\n_rebuild_tensor_v2\n",
    "(",
    stored,
    int(offset),
    ...tuple(shape),
    ...tuple(strides),
    Buffer.from([0x89]),
    "}",
    "tR",
  ];
  return Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
}

/** An archive as torch.save makes them, around a pickle of ours. */
export function archive(
  data: Uint8Array,
  members: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array {
  const named = Object.entries(members).map(([name, bytes]) => [`archive/${name}`, bytes] as const);
  return writeZip(new Map([["archive/data.pkl", data], ...named]));
}
