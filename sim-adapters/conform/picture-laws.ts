import { pictureGroups } from "../../protocol/env-spec.ts";
import { picturesSince, protocolVersion } from "../../protocol/limits.ts";
import type { Law } from "./law.ts";
import { must, needs } from "./verdict.ts";
import { actionsAt, mustRefuse, reset, type Seated, step, type Visit } from "./visit.ts";

const older = { major: protocolVersion.major, minor: picturesSince - 1 };

/** The groups that are pictures, of a seat that has some. */
function picturesOf({ spec }: Seated): readonly string[] {
  const found = pictureGroups(spec);
  needs(found.length > 0, "it has no group of pictures");
  return found;
}

async function bytes(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const { spec } = seat;
  const groups = picturesOf(seat);
  const heard = [await reset(seat, 1), await step(seat, actionsAt(spec, 0))];
  for (const { header, tensors } of heard) {
    for (const group of groups) {
      const found = tensors[`obs/${group}`];
      const shape = [spec.numEnvs, ...spec.observations[group]!.shape];
      must(
        found?.data instanceof Uint8Array && String(found.shape) === String(shape),
        `the ${header.type} should have obs/${group} as |u1 [${shape}]`,
      );
    }
  }
}

async function alone(visit: Visit): Promise<void> {
  const [picture] = picturesOf(await visit.sit());
  await visit.end();
  const seat = await visit.sit({ groups: [picture] });
  const { tensors } = await reset(seat, 1);
  const sent = Object.keys(tensors).filter((name) => name.startsWith("obs/"));
  must(String(sent) === `obs/${picture}`, `asked for [${picture}], the frame has [${sent}]`);
}

async function olderDriver(visit: Visit): Promise<void> {
  const first = await visit.sit();
  const [picture, ...others] = picturesOf(first);
  const plain = Object.keys(first.spec.observations).length - others.length - 1;
  await visit.end();
  const guest = visit.guest();
  const asked = { ...visit.wishes, protocol: older, groups: [picture] };
  const error = mustRefuse(
    await guest.hello(asked),
    "unsupported",
    `hello of version 1.${older.minor} for ${picture}`,
  );
  must(error.message.includes(picture!), `the error unsupported does not name ${picture}`);
  await visit.end();
  if (plain === 0) return;
  const seat = await visit.sit({ protocol: older });
  const left = pictureGroups(seat.spec);
  must(left.length === 0, `a driver of version 1.${older.minor} was offered [${left}]`);
  const { tensors } = await reset(seat, 1);
  const sent = Object.keys(tensors).filter((name) => name === `obs/${picture}`);
  must(sent.length === 0, `a driver of version 1.${older.minor} was sent [${sent}]`);
}

export const pictureLaws: readonly Law[] = [
  {
    name: "pictures",
    section: "5",
    claim: "groups of |u1 come as bytes [N, height, width, channels], in every frame and result",
    check: bytes,
  },
  {
    name: "picture-group",
    section: "4",
    claim: "a group of pictures can be asked for alone",
    check: alone,
  },
  {
    name: "older-driver",
    section: "9",
    claim: "a driver of version 1.1 is not offered pictures, and is told so where it asks for one",
    check: olderDriver,
  },
];
