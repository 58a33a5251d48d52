import type { Random } from "../../policies/random.ts";

/** Bytes that mean something in one format or another: ends, signs, lengths, openings of maps and text. */
const telling = [
  0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x20, 0x22, 0x28, 0x2e, 0x5b, 0x7b, 0xc1, 0xdc, 0xdf,
];
const words = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff];

type Bytes = Uint8Array<ArrayBuffer>;
type Change = (bytes: Bytes, random: Random, other: Uint8Array) => Bytes;

const flipBit: Change = (bytes, random) => {
  const at = below(random, bytes.length);
  bytes[at] = bytes[at]! ^ (1 << below(random, 8));
  return bytes;
};

const setByte: Change = (bytes, random) => {
  bytes[below(random, bytes.length)] = telling[below(random, telling.length)]!;
  return bytes;
};

const setWord: Change = (bytes, random) => {
  const size = [2, 4, 8][below(random, 3)]!;
  if (bytes.length < size) return bytes;
  const view = new DataView(
    bytes.buffer,
    bytes.byteOffset + below(random, bytes.length - size + 1),
  );
  const [word, little] = [words[below(random, words.length)]!, random.uniform() < 0.5];
  if (size === 2) view.setUint16(0, word & 0xffff, little);
  else if (size === 4) view.setUint32(0, word, little);
  else view.setBigUint64(0, BigInt(word), little);
  return bytes;
};

const remove: Change = (bytes, random) => {
  const { from, to } = stretch(bytes, random);
  return joined(bytes.subarray(0, from), bytes.subarray(to));
};

const repeat: Change = (bytes, random) => {
  const { from, to } = stretch(bytes, random);
  const times = 1 + below(random, 8);
  const middle = Array.from({ length: times }, () => bytes.subarray(from, to));
  return joined(bytes.subarray(0, to), ...middle, bytes.subarray(to));
};

const cut: Change = (bytes, random) => bytes.slice(0, below(random, bytes.length + 1));

/** The beginning of one and the end of another. */
const splice: Change = (bytes, random, other) =>
  joined(
    bytes.subarray(0, below(random, bytes.length + 1)),
    other.subarray(below(random, other.length + 1)),
  );

const move: Change = (bytes, random) => {
  const { from, to } = stretch(bytes, random);
  bytes.copyWithin(below(random, bytes.length), from, to);
  return bytes;
};

const changes: readonly Change[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setWord,
  remove,
  repeat,
  cut,
  splice,
  move,
];

/** One to six changes of a copy; `other` lends what is spliced in. */
export function mutated(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let made = Uint8Array.from(bytes);
  const count = 1 + below(random, 6);
  for (let i = 0; i < count && made.length > 0; i += 1) {
    made = changes[below(random, changes.length)]!(made, random, other);
  }
  return made;
}

/** A whole number from 0 to `most` - 1. */
export function below(random: Random, most: number): number {
  return Math.floor(random.uniform() * most);
}

function stretch(bytes: Uint8Array, random: Random): { from: number; to: number } {
  const from = below(random, bytes.length);
  const most = random.uniform() < 0.8 ? 16 : bytes.length;
  return { from, to: Math.min(bytes.length, from + 1 + below(random, most)) };
}

function joined(...parts: readonly Uint8Array[]): Bytes {
  return new Uint8Array(Buffer.concat(parts));
}
