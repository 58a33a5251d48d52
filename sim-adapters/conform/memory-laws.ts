import { existsSync } from "node:fs";
import type { Offer } from "../../protocol/messages.ts";
import type { Lane } from "../shared-memory/lane.ts";
import { acceptLane } from "../shared-memory/lane-file.ts";
import { flown, same } from "./flight-laws.ts";
import type { Heard } from "./guest.ts";
import type { Law } from "./law.ts";
import { LawBroken, must, NotTested, needs } from "./verdict.ts";
import { actionsAt, mustRefuse, type Seated, step, told, type Visit } from "./visit.ts";

const steps = 3;

async function sharedMemory(visit: Visit): Promise<void> {
  const plain = await visit.sit();
  const expected = await flown(plain, 7, steps);
  needs(
    same(expected, await flown(plain, 7, steps), plain.spec),
    "two flights with the same seed differ by themselves",
  );
  await visit.end();
  const seat = await visit.sit({ capabilities: ["shared_memory"] });
  const offer = seat.welcome.shared_memory;
  needs(offer !== undefined, "not offered");
  const lane = open(offer);
  try {
    const heard = await flownThrough(lane, seat);
    must(
      same(expected, heard, seat.spec),
      "a flight through shared memory came out elsewhere than the one by frames",
    );
    must(!existsSync(offer.path), "the file's name is still there after the first request");
    await keptAsFrames(seat, heard.at(-1)!);
    await staleIsRefused(lane, seat);
  } finally {
    lane.close();
  }
}

function open(offer: Offer): Lane {
  try {
    return acceptLane(offer, { least: 0 });
  } catch (cause) {
    const { message } = cause as Error;
    // It cannot be opened: another machine, container or user.
    if ((cause as Error).cause !== undefined) throw new NotTested(message);
    throw new LawBroken(message, { cause });
  }
}

async function flownThrough(lane: Lane, { guest, spec }: Seated): Promise<Heard[]> {
  const heard = [whole(lane, await guest.ask({ type: "reset", seed: 7, shared: [] }))];
  for (let i = 0; i < steps; i++) {
    const shared = lane.put(guest.seq + 1, actionsAt(spec, i));
    must(shared !== undefined, "the actions do not fit into the file that was offered");
    heard.push(whole(lane, await guest.ask({ type: "step", shared })));
  }
  return heard;
}

function whole(lane: Lane, heard: Heard): Heard {
  const { header } = heard;
  must(header.type === "frame" || header.type === "result", `got ${told(header)}`);
  if (header.shared === undefined || header.shared.length === 0) return heard;
  try {
    return { ...heard, tensors: { ...heard.tensors, ...lane.take(header.seq, header.shared) } };
  } catch (cause) {
    throw new LawBroken((cause as Error).message, { cause });
  }
}

/** Whoever cannot read the file gets the kept reply as frames. */
async function keptAsFrames({ guest, spec }: Seated, last: Heard): Promise<void> {
  const again = await guest.ask({ type: "step", seq: guest.seq }, actionsAt(spec, steps - 1));
  must(asFrames(again), "a request without shared was answered through shared memory");
  must(same([last], [again], spec), "the kept reply as frames has other tensors");
}

async function staleIsRefused(lane: Lane, seat: Seated): Promise<void> {
  const { guest, spec } = seat;
  const shared = lane.put(guest.seq, actionsAt(spec, 0));
  const heard = await guest.ask({ type: "step", shared });
  mustRefuse(heard, "bad-shared-memory", "a step whose record holds an older seq");
  guest.seq -= 1;
  must(asFrames(await step(seat, actionsAt(spec, 0))), "frames were answered through memory");
}

function asFrames({ header }: Heard): boolean {
  return header.type === "result" && header.shared === undefined;
}

export const memoryLaws: readonly Law[] = [
  {
    name: "shared-memory",
    section: "11",
    claim:
      "tensors through shared memory are those of frames, where offered; stale ones are refused",
    check: sharedMemory,
  },
];
