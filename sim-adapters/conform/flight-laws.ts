import type { Tensor } from "../../protocol/codec.ts";
import { without } from "../../protocol/env-spec.ts";
import { allWithin, toFrame, toStepResult } from "../../protocol/payload.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { Heard } from "./guest.ts";
import type { Law } from "./law.ts";
import { LawBroken, must, needs } from "./verdict.ts";
import { actionsAt, mustRefuse, reset, type Seated, step, told, type Visit } from "./visit.ts";

/** A reset and so many steps, replies in order; `beyond` as in `actionsAt`. */
export async function flown(
  seat: Seated,
  seed: number,
  steps: number,
  beyond = 1,
): Promise<Heard[]> {
  const heard = [await reset(seat, seed)];
  for (let i = 0; i < steps; i++) heard.push(await step(seat, actionsAt(seat.spec, i, beyond)));
  return heard;
}

/** Equal tensors: to the bit where the server claims it, else to a thousandth. */
export function same(a: readonly Heard[], b: readonly Heard[], spec: EnvSpec): boolean {
  const tolerance = spec.capabilities.includes("bitwise") ? 0 : 1e-3;
  return a.every((one, i) => {
    const [left, right] = [one.tensors, b[i]?.tensors ?? {}];
    const names = Object.keys(left);
    return (
      names.length === Object.keys(right).length &&
      names.every((name) => near(left[name]!, right[name], tolerance))
    );
  });
}

function near(a: Tensor, b: Tensor | undefined, tolerance: number): boolean {
  if (b === undefined || a.data.length !== b.data.length) return false;
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i]!, b.data[i]!];
    if (!Object.is(x, y) && !(Math.abs(x - y) <= tolerance * (1 + Math.abs(x)))) return false;
  }
  return true;
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new LawBroken(`${what}: ${(cause as Error).message}`, { cause });
  }
}

const untaught = (spec: EnvSpec) => without("teacher_actions", spec);

async function notReset(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const heard = await seat.guest.ask({ type: "step" }, actionsAt(seat.spec, 0));
  mustRefuse(heard, "not-reset", "step before the first reset");
  await reset(seat, 1);
}

async function frame(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const { tensors } = await reset(seat, 1);
  const { started } = reading("the frame after reset", () => toFrame(tensors, untaught(seat.spec)));
  must(started.every(Boolean), "after a reset, started is not 1 everywhere");
}

async function result(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  await reset(seat, 1);
  for (let i = 0; i < 3; i++) {
    const { header, tensors } = await step(seat, actionsAt(seat.spec, i));
    if (header.type !== "result") continue;
    // What ended is another law's.
    const bare = Object.fromEntries(
      Object.entries(tensors).filter(([name]) => !name.startsWith("final/")),
    );
    reading("the result of a step", () => toStepResult(header, bare, untaught(seat.spec)));
  }
}

async function seeds(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const first = await reset(seat, 4_294_967_295);
  const again = await reset(seat, 4_294_967_295);
  must(same([first], [again], seat.spec), "two resets with the same seed gave different episodes");
  const heard = await seat.guest.ask({ type: "reset", seed: 4_294_967_296 });
  mustRefuse(heard, "malformed", "reset with the seed 2^32");
}

async function bitwise(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  needs(seat.spec.capabilities.includes("bitwise"), "not claimed");
  const steps = Math.min(visit.steps, seat.spec.maxEpisodeSteps + 2, 60);
  const first = await flown(seat, 11, steps);
  await reset(seat, 12);
  const second = await flown(seat, 11, steps);
  const at = first.findIndex((heard, i) => !same([heard], [second[i]!], seat.spec));
  must(at < 0, `the same seed and actions gave other bits after ${at} steps`);
}

async function bounds(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const inside = await flown(seat, 3, 1, 4);
  const again = await flown(seat, 3, 1, 4);
  needs(same(inside, again, seat.spec), "two flights with the same seed differ by themselves");
  await reset(seat, 3);
  const { actions } = actionsAt(seat.spec, 0, 4);
  const { low, high } = seat.spec.action;
  const clamped = (actions!.data as Float32Array).map((value, i) =>
    Math.min(Math.max(value, low[i % low.length]!), high[i % high.length]!),
  );
  const heard = await step(seat, { actions: { shape: actions!.shape, data: clamped } });
  must(
    same([inside[1]!], [heard], seat.spec),
    "actions beyond the bounds do something else than those at the bounds",
  );
}

async function snapshot(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const { guest, spec } = seat;
  await flown(seat, 21, 3);
  if (!spec.capabilities.includes("snapshot")) {
    mustRefuse(await guest.ask({ type: "snapshot" }), "unsupported", "snapshot, not claimed,");
    await step(seat, actionsAt(spec, 0));
    return;
  }
  const before = await step(seat, actionsAt(spec, 9));
  const { header, tensors } = await guest.ask({ type: "snapshot" });
  must(header.type === "state", `snapshot was answered with ${told(header)}`);
  const after = await step(seat, actionsAt(spec, 4));
  await step(seat, actionsAt(spec, 5));
  const back = await guest.ask({ type: "restore" }, { state: tensors.state! });
  must(back.header.type === "frame", `restore was answered with ${told(back.header)}`);
  for (const group of Object.keys(spec.observations)) {
    const [was, is] = [before.tensors[`obs/${group}`], back.tensors[`obs/${group}`]];
    must(was !== undefined && near(was, is, 0), `restore gave another frame in ${group}`);
  }
  const repeated = await step(seat, actionsAt(spec, 4));
  must(same([after], [repeated], spec), "the step after a restore came out differently");
}

async function teacher(visit: Visit): Promise<void> {
  const shown = ({ tensors }: Heard) => tensors["teacher/actions"];
  const plain = await visit.sit();
  must(shown(await reset(plain, 1)) === undefined, "teacher/actions came without being asked for");
  needs(plain.spec.capabilities.includes("teacher_actions"), "not claimed");
  await visit.end();
  const seat = await visit.sit({ capabilities: ["teacher_actions"] });
  const heard = [await reset(seat, 1), await step(seat, actionsAt(seat.spec, 0))];
  const shape = [seat.spec.numEnvs, ...seat.spec.action.shape];
  for (const { header, tensors } of heard) {
    const found = tensors["teacher/actions"];
    must(
      found?.data instanceof Float32Array && String(found.shape) === String(shape),
      `the ${header.type} should have teacher/actions as <f4 [${shape}]`,
    );
    must(
      allWithin(found.data),
      `the ${header.type} has teacher/actions that are not finite, or absurdly large`,
    );
  }
}

export const flightLaws: readonly Law[] = [
  {
    name: "not-reset",
    section: "4",
    claim: "step before the first reset is refused",
    check: notReset,
  },
  {
    name: "frame",
    section: "5",
    claim: "reset gives exactly the groups, finite, all starting an episode",
    check: frame,
  },
  {
    name: "result",
    section: "5",
    claim: "step gives groups, reward and flags: right types and shapes, finite, 0 or 1",
    check: result,
  },
  { name: "seeds", section: "4", claim: "the same seed gives the same episodes", check: seeds },
  {
    name: "bitwise",
    section: "4",
    claim: "the same seed and actions give the same bits, where claimed",
    check: bitwise,
  },
  { name: "bounds", section: "5", claim: "actions are clamped to low and high", check: bounds },
  {
    name: "snapshot",
    section: "4",
    claim: "restore goes back to the snapshot, where claimed; else unsupported",
    check: snapshot,
  },
  {
    name: "teacher-actions",
    section: "5",
    claim: "the teacher's actions come with every frame, where claimed and asked for",
    check: teacher,
  },
];
