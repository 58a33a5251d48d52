import { limits, protocolVersion } from "../../protocol/limits.ts";
import type { Law } from "./law.ts";
import { asFloat, Entries, pack, Raw } from "./pack.ts";
import { must } from "./verdict.ts";
import { actionsAt, mustRefuse, reset, type Seated, step, told, type Visit } from "./visit.ts";

type Frames = readonly Uint8Array[];
type Broken = readonly [what: string, frames: (session: string) => Frames];

const text = (length: number) => "x".repeat(length);
const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)]);

/** A ping whose header is broken in one way; harmless to a server that looks away. */
const header = (...extra: readonly (readonly [string, unknown])[]) =>
  pack(new Entries([["type", "ping"], ["seq", 9], ...extra]));
const tensor = (shape: unknown, extra: object = {}) =>
  header(["tensors", [{ name: "actions", dtype: "<f4", shape, ...extra }]]);
const four = new Uint8Array(4);

const malformed: readonly Broken[] = [
  ["an empty frame", () => [new Uint8Array()]],
  ["bytes that are no MessagePack", () => [Uint8Array.of(0xc1, 0xff, 0x00)]],
  ["an array as a header", () => [pack([1, 2])]],
  ["a header that ends early", () => [header().subarray(0, 11)]],
  ["bytes after the header's end", () => [Uint8Array.of(...header(), 0)]],
  ["a key that comes twice", () => [header(["seq", 9])]],
  ["a key __proto__", () => [header(["__proto__", 1])]],
  ["a number that is not finite", () => [header(["x", asFloat(Number.NaN)])]],
  ["a whole number beyond 2^53", () => [header(["x", new Raw(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1)])]],
  ["an extension type", () => [header(["x", new Raw(0xd4, 1, 0)])]],
  ["a timestamp", () => [header(["x", new Raw(0xd6, 0xff, 0, 0, 0, 0)])]],
  ["binary data", () => [header(["x", new Raw(0xc4, 1, 0)])]],
  [
    "a list said to have 4 thousand million items",
    () => [header(["x", new Raw(0xdd, 0xff, 0xff, 0xff, 0xff)])],
  ],
  ["a frame that was not announced", () => [header(), four]],
  ["an announced frame that is missing", () => [tensor([1])]],
  ["a tensor of another length than its frame", () => [tensor([2]), four]],
  ["a shape whose product overflows", () => [tensor([2 ** 31, 2 ** 31, 4]), four]],
  ["a negative shape", () => [tensor([asFloat(-1)]), four]],
  ["an unknown dtype", () => [tensor([1], { dtype: "<f2" }), four]],
  [
    "a session that is no id",
    (_) => [pack({ type: "reset", seq: 2, session: "../../x", seed: 1 })],
  ],
  ["a seq that is text", (session) => [pack({ type: "reset", seq: "2", session, seed: 1 })]],
  [
    "a hello without a client",
    (session) => [pack({ type: "hello", seq: 1, session, protocol: protocolVersion })],
  ],
  [
    "settings that are nested",
    (session) => [
      pack({
        type: "hello",
        seq: 1,
        session,
        protocol: protocolVersion,
        client: { name: "c", version: "1" },
        settings: { a: { b: 1 } },
      }),
    ],
  ],
];

const tooLarge: readonly Broken[] = [
  [
    "a header of more than 65,536 bytes",
    () => [header(["x", Array.from({ length: 20 }, () => text(4000))])],
  ],
  [
    `${limits.frames + 1} frames`,
    () => [header(), ...Array.from({ length: limits.frames }, () => new Uint8Array(1))],
  ],
  ["a header nested 60 deep", () => [header(["x", nested(60)])]],
  ["a tensor said to have 2^31 bytes", () => [tensor([2 ** 29]), four]],
];

/** Says each, and insists that it is refused or dropped and that the driver's session is as it was. */
async function survives(visit: Visit, messages: readonly Broken[]): Promise<void> {
  const seat = await visit.sit();
  await reset(seat, 1);
  for (const [i, [what, frames]] of messages.entries()) {
    const { guest } = seat;
    await guest.say(frames(guest.session));
    // The answer to a ping comes after the answer to what was said before it.
    await guest.say([pack({ type: "ping", seq: 1_000_000 + i })]);
    await answersPing(seat, 1_000_000 + i, what);
    await step(seat, actionsAt(seat.spec, i));
  }
}

async function answersPing({ guest }: Seated, seq: number, what: string): Promise<void> {
  for (;;) {
    const heard = await guest.hearAny(20);
    must(heard !== undefined, `after ${what}, a ping was not answered for 20 s`);
    if (heard.header.type === "pong" && heard.header.seq === seq) return;
    mustRefuse(heard, ["malformed", "too-large", "unknown-type"], what);
  }
}

async function unknownType(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const { guest } = seat;
  const heard = await guest.ask({ type: "dance", seq: guest.seq + 1 });
  mustRefuse(heard, "unknown-type", "a request of the type dance");
  guest.seq -= 1;
  await reset(seat, 1);
}

/** A step with actions that cannot be carried out: refused, the seq used up, the session alive. */
async function refusesActions(visit: Visit, code: string, cases: ActionCases): Promise<void> {
  const seat = await visit.sit();
  await reset(seat, 1);
  const { numEnvs, action } = seat.spec;
  for (const [what, tensors] of cases(seat)) {
    mustRefuse(await seat.guest.ask({ type: "step" }, tensors), code, `a step with ${what}`);
    const next = await seat.guest.ask({ type: "step" }, actionsAt(seat.spec, 0));
    must(
      next.header.type === "result",
      `after ${what}, a step with [${[numEnvs, ...action.shape]}] was answered with ${told(next.header)}`,
    );
  }
}

type ActionCases = (
  seat: Seated,
) => readonly (readonly [what: string, tensors: ReturnType<typeof actionsAt>])[];

const misshapen: ActionCases = ({ spec }) => {
  const { shape, data } = actionsAt(spec, 0).actions!;
  const one = { shape: [1], data: new Float32Array(1) };
  return [
    ["no actions", {}],
    [
      "too many rows",
      {
        actions: { ...one, shape: [spec.numEnvs + 1, 1], data: new Float32Array(spec.numEnvs + 1) },
      },
    ],
    ["a flat list of actions", { actions: { shape: [data.length, 1, 1], data } }],
    ["whole numbers as actions", { actions: { shape, data: new Int32Array(data.length) } }],
  ];
};

const notFinite: ActionCases = ({ spec }) =>
  [Number.NaN, Number.POSITIVE_INFINITY].map((value) => {
    const { shape, data } = actionsAt(spec, 0).actions!;
    const spoilt = Float32Array.from(data);
    spoilt[spoilt.length - 1] = value;
    return [`${value} in the actions`, { actions: { shape, data: spoilt } }] as const;
  });

export const envelopeLaws: readonly Law[] = [
  {
    name: "malformed",
    section: "7",
    claim: `${malformed.length} broken messages are refused or dropped, and the session goes on`,
    check: (visit) => survives(visit, malformed),
  },
  {
    name: "too-large",
    section: "8",
    claim: "messages beyond the limits are refused or dropped, and the session goes on",
    check: (visit) => survives(visit, tooLarge),
  },
  {
    name: "unknown-type",
    section: "2",
    claim: "an unknown request is refused and its seq not used up",
    check: unknownType,
  },
  {
    name: "bad-tensor",
    section: "7",
    claim: "actions that are missing, or of another shape or type, are refused",
    check: (visit) => refusesActions(visit, "bad-tensor", misshapen),
  },
  {
    name: "bad-value",
    section: "5",
    claim: "actions that are not finite are refused",
    check: (visit) => refusesActions(visit, "bad-value", notFinite),
  },
];
