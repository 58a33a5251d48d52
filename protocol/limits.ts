/** Bounds on everything that travels; protocol/README.md §8 repeats them. */
export const limits = {
  /** Bytes of the msgpack header: a deeper or longer one can exhaust a decoder. */
  headerBytes: 65_536,
  headerDepth: 8,
  /** Frames of one message, header included. */
  frames: 65,
  /** Bytes of one tensor frame: 256 MiB. */
  frameBytes: 268_435_456,
  tensorDimensions: 8,
  numEnvs: 1_048_576,
  /** Components of one observation group or action of one environment. */
  width: 65_536,
  /** Bytes of one picture: 1 MiB, e.g. 512 × 512 with four channels. */
  pictureBytes: 1_048_576,
  /** Bytes of the observations of one message, of all groups together: 1 GiB. */
  observationBytes: 1_073_741_824,
  groups: 60,
  settings: 256,
  notices: 32,
  logEntries: 512,
  textLength: 4_096,
  nameLength: 128,
  /** Of an observation, a reward or an action: squares of larger ones, added up, overflow in float32. */
  magnitude: 1e15,
  maxSeed: 0xffff_ffff,
} as const;

/** The version this build speaks. */
export const protocolVersion = { major: 1, minor: 3 } as const;

/** The first minor version in which observation groups may be pictures. */
export const picturesSince = 2;

/** A seed as it SHOULD travel, below 2^31: NumPy, C and many simulators take no larger one. */
export function wireSeed(seed: number): number {
  return seed & 0x7fff_ffff;
}

/** Seconds. */
export const times = {
  /** A server tells at least this often that it is still working on a request. */
  beatInterval: 1,
  /** A session not heard for this long may be replaced by another. */
  sessionSilence: 30,
} as const;
