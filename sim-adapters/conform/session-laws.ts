import { flown, same } from "./flight-laws.ts";
import type { Law } from "./law.ts";
import { must, needs } from "./verdict.ts";
import { actionsAt, mustRefuse, reset, type Seated, step, told, type Visit } from "./visit.ts";

async function sameBytes(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  await reset(seat, 1);
  const first = await step(seat, actionsAt(seat.spec, 0));
  await seat.guest.repeat();
  const again = await seat.guest.hear(seat.guest.seq, "step", 30);
  must(again?.header.type === "result", `a repeated step was answered with ${told(again?.header)}`);
  const equal =
    again.frames.length === first.frames.length &&
    again.frames.every((frame, i) => Buffer.compare(frame, first.frames[i]!) === 0);
  must(equal, "a repeated step was answered with other bytes");
}

async function stepsOnce(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const plain = await flown(seat, 5, 4);
  const again = await flown(seat, 5, 4);
  needs(same(plain, again, seat.spec), "two flights with the same seed differ by themselves");
  await reset(seat, 5);
  let last = plain[0]!;
  for (let i = 0; i < 4; i++) {
    last = await step(seat, actionsAt(seat.spec, i));
    await seat.guest.repeat();
    await seat.guest.hear(seat.guest.seq, "step", 30);
  }
  must(
    same([plain.at(-1)!], [last], seat.spec),
    "a flight in which every step was sent twice came out elsewhere",
  );
}

async function stale(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  await reset(seat, 1);
  await step(seat, actionsAt(seat.spec, 0));
  const { guest } = seat;
  const heard = await guest.ask({ type: "reset", seed: 1, seq: 1 });
  mustRefuse(heard, "stale-sequence", "a request with the seq of before the last");
}

async function gap(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const { guest } = seat;
  const next = guest.seq + 1;
  const heard = await guest.ask({ type: "reset", seed: 1, seq: next + 1 });
  mustRefuse(heard, "sequence-gap", "a request that left a seq out");
  guest.seq = next - 1;
  const { header } = await guest.ask({ type: "reset", seed: 1 });
  must(header.type === "frame", `the right seq after it was answered with ${told(header)}`);
}

async function busy(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  await reset(seat, 1);
  const heard = await visit.guest().hello(visit.wishes);
  const error = mustRefuse(heard, "busy", "a hello while another session drives");
  must(error.retryable, "the error busy is not retryable");
  const { header } = await step(seat, actionsAt(seat.spec, 0));
  must(header.type === "result", `the driver's step after it was answered with ${told(header)}`);
}

async function stranger(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const heard = await visit.guest().ask({ type: "reset", seed: 1, seq: 5 });
  const error = mustRefuse(heard, "unknown-session", "a reset of a session that does not drive");
  must(error.fatal, "the error unknown-session is not fatal");
  await reset(seat, 1);
}

async function strangersClose(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  await visit.guest().ask({ type: "close", seq: 9 });
  await reset(seat, 1);
}

async function freed(visit: Visit): Promise<void> {
  const { guest } = await visit.sit();
  const closed = await guest.ask({ type: "close", seq: 77 });
  must(closed.header.type === "closed", `close was answered with ${told(closed.header)}`);
  await visit.sit();
}

async function epoch(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const { guest } = seat;
  const heard = [
    await reset(seat, 1),
    await step(seat, actionsAt(seat.spec, 0)),
    await guest.ask({ type: "ping", seq: 500 }),
    await visit.guest().hello(visit.wishes),
  ];
  const other = heard.find(({ header }) => header.epoch !== seat.welcome.epoch);
  must(other === undefined, `${told(other?.header)} has another epoch than the welcome`);
}

async function ping(visit: Visit): Promise<void> {
  const answered = async (guest: Seated["guest"], header: object, who: string) => {
    const heard = await guest.ask({ type: "ping", ...header });
    must(heard.header.type === "pong", `a ping ${who} was answered with ${told(heard.header)}`);
  };
  const seat = await visit.sit();
  await answered(seat.guest, { seq: 1000 }, "of the driver");
  await answered(visit.guest(), { seq: 0 }, "of a stranger");
  seat.guest.seq = 1;
  await reset(seat, 1);
}

export const sessionLaws: readonly Law[] = [
  {
    name: "same-bytes",
    section: "3",
    claim: "a repeated request gets the same bytes again",
    check: sameBytes,
  },
  {
    name: "steps-once",
    section: "3",
    claim: "a repeated step does not step twice",
    check: stepsOnce,
  },
  { name: "stale-sequence", section: "3", claim: "an older seq is refused", check: stale },
  {
    name: "sequence-gap",
    section: "3",
    claim: "a seq that leaves one out is refused and not used up",
    check: gap,
  },
  {
    name: "one-driver",
    section: "3",
    claim: "a second hello is refused with busy, and the driver goes on",
    check: busy,
  },
  {
    name: "unknown-session",
    section: "3",
    claim: "requests of a session that does not drive are refused",
    check: stranger,
  },
  {
    name: "strangers-close",
    section: "3",
    claim: "close of another session does not end the driver's",
    check: strangersClose,
  },
  {
    name: "close",
    section: "3",
    claim: "close frees the session at once, with any seq",
    check: freed,
  },
  { name: "epoch", section: "3", claim: "every reply has the welcome's epoch", check: epoch },
  {
    name: "ping",
    section: "4",
    claim: "ping is answered for anyone and disturbs no order",
    check: ping,
  },
];
