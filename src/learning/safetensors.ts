import { elementsOf } from "../../policies/named-array.ts";
import { parseJson } from "../../protocol/parse-json.ts";
import { LearningError } from "./learning-error.ts";

/** A safetensors file: arrays by name, and free text by name. */
export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly arrays: Readonly<Record<string, { shape: number[]; data: Float32Array | Uint8Array }>>;
}

const headerLimit = 1 << 20;

/** Reads float32 and uint8 arrays; anything else, or sizes that don't agree, is refused. */
export function readSafetensors(bytes: Uint8Array, where: string): Safetensors {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const refuse = (why: string, cause?: unknown) =>
    new LearningError(
      "bad-safetensors",
      `${where}: ${why}`,
      "Give a safetensors file as described in test/data/parity/README.md.",
      { cause },
    );
  if (bytes.length < 8) throw refuse(`${bytes.length} bytes hold no header.`);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > headerLimit || 8 + headerLength > bytes.length) {
    throw refuse(`a header of ${headerLength} bytes doesn't fit a file of ${bytes.length}.`);
  }
  let header: Record<string, { dtype?: string; shape?: number[]; data_offsets?: number[] }>;
  try {
    header = parseJson(
      new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)),
    ) as typeof header;
  } catch (error) {
    throw refuse("the header is not JSON.", error);
  }
  const { __metadata__: metadata = {}, ...entries } = header;
  const arrays: Record<string, { shape: number[]; data: Float32Array | Uint8Array }> = {};
  for (const [name, { dtype, shape = [], data_offsets: [from = 0, to = 0] = [] }] of Object.entries(
    entries,
  )) {
    const size = elementsOf(shape);
    if (dtype !== "F32" && dtype !== "U8") {
      throw refuse(`'${name}' is ${dtype}; F32 (float32) and U8 (uint8) are read.`);
    }
    const width = dtype === "F32" ? 4 : 1;
    const start = 8 + headerLength + from;
    if (to - from !== size * width || start + size * width > bytes.length) {
      throw refuse(`'${name}' is ${dtype} [${shape}] in bytes ${from} to ${to}.`);
    }
    const copy = new Uint8Array(bytes.subarray(start, start + size * width));
    arrays[name] = { shape, data: dtype === "F32" ? new Float32Array(copy.buffer) : copy };
  }
  return { metadata: metadata as Record<string, string>, arrays };
}
