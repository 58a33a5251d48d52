import type { Tensor } from "../../protocol/codec.ts";
import fc from "../properties.ts";

/** Generators of everything that may travel. */

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,12}$/);
const identity = fc.stringMatching(/^[A-Za-z0-9_-]{8,64}$/);
const text = fc.string({ unit: "grapheme", maxLength: 40 });
const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const version = fc.record({ major: fc.nat(9), minor: fc.nat(9) });
const party = fc.record({ name: word, version: word });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0);
const scalar = fc.oneof(text, finite, fc.boolean(), fc.constant(null), fc.maxSafeInteger());
const settingName = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}(\.[a-z0-9_]{1,8}){0,3}$/);
const setting = fc.oneof(scalar, fc.array(scalar, { maxLength: 5 }));
const settings = fc.dictionary(settingName, setting, { maxKeys: 5 }).map(noProto);
const figures = fc.dictionary(word, finite, { maxKeys: 5 }).map(noProto);
const seconds = fc.double({ min: 0, max: 1e6, noNaN: true });
const timing = fc.dictionary(word, seconds, { maxKeys: 4 }).map(noProto);

/** A dictionary without the one key that may not travel, on an ordinary prototype. */
function noProto<T>(map: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => key !== "__proto__"));
}

const asked = { seq, session: identity };
const told = { seq, epoch: identity };
const kind = <T extends string>(type: T) => ({ type: fc.constant(type) });

export const request = fc.oneof(
  fc.record(
    {
      ...kind("hello"),
      ...asked,
      protocol: version,
      client: party,
      capabilities: fc.array(word, { maxLength: 3 }),
      settings,
      groups: fc.array(word, { minLength: 1, maxLength: 4 }),
      num_envs: fc.integer({ min: 1, max: 1_048_576 }),
    },
    { requiredKeys: ["type", "seq", "session", "protocol", "client", "capabilities", "settings"] },
  ),
  fc.record({ ...kind("reset"), ...asked, seed: fc.integer({ min: 0, max: 0xffff_ffff }) }),
  fc.record({ ...kind("step"), ...asked }),
  fc.record({ ...kind("snapshot"), ...asked }),
  fc.record({ ...kind("restore"), ...asked }),
  fc.record({ ...kind("close"), ...asked }),
  fc.record({ ...kind("ping"), ...asked }),
);

export const wireSpec = fc
  .record({
    width: fc.integer({ min: 1, max: 6 }),
    period: fc.double({ min: 1e-4, max: 10, noNaN: true }),
  })
  .chain(({ width, period }) =>
    fc.record({
      task: word,
      num_envs: fc.integer({ min: 1, max: 1_048_576 }),
      control_period: fc.constant(period),
      max_episode_steps: fc.integer({ min: 1, max: 100_000 }),
      autoreset: fc.constant("same_step" as const),
      observations: fc
        .dictionary(
          word,
          fc.constant(width).map((size) => ({ dtype: "<f4" as const, shape: [size] })),
          {
            minKeys: 1,
            maxKeys: 3,
          },
        )
        .map(noProto),
      action: fc.constant(width).map((size) => ({
        dtype: "<f4" as const,
        shape: [size],
        names: Array.from({ length: width }, (_, i) => `a${i}`),
        low: Array(width).fill(-1),
        high: Array(width).fill(1),
      })),
      capabilities: fc.array(word, { maxLength: 3 }),
    }),
  );

export const reply = fc.oneof(
  fc.record({
    ...kind("welcome"),
    ...told,
    protocol: version,
    server: party,
    capabilities: fc.array(word, { maxLength: 3 }),
    spec: wireSpec,
    spec_hash: word,
    settings,
    notices: fc.array(text, { maxLength: 3 }),
    limits: figures,
  }),
  fc.record({ ...kind("frame"), ...told, timing }),
  fc.record({ ...kind("result"), ...told, log: figures, timing }),
  fc.record({ ...kind("state"), ...told }),
  fc.record({ ...kind("pong"), ...told }),
  fc.record({ ...kind("closed"), ...told }),
  fc.record({ ...kind("progress"), ...told, stage: word, elapsed: seconds, message: text }),
  fc.record({
    ...kind("error"),
    ...told,
    code: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
    message: text,
    hint: text,
    retryable: fc.boolean(),
    fatal: fc.boolean(),
  }),
);

const shape = fc.array(fc.nat(4), { maxLength: 3 });
const tensor: fc.Arbitrary<Tensor> = shape.chain((sizes) => {
  const length = sizes.reduce((product, size) => product * size, 1);
  const numbers = { minLength: length, maxLength: length };
  return fc
    .oneof(fc.float32Array(numbers), fc.uint8Array(numbers), fc.int32Array(numbers))
    .map((data) => ({ shape: sizes, data: data as Tensor["data"] }));
});

const tensorName = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}(\/[a-z][a-z0-9_]{0,8})?$/);
export const tensors = fc.dictionary(tensorName, tensor, { maxKeys: 5 }).map(noProto);
