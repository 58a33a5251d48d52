import { isDeepStrictEqual } from "node:util";
import { encodeMessage } from "../../protocol/codec.ts";
import { protocolVersion } from "../../protocol/limits.ts";
import type { Law } from "./law.ts";
import { asFloat, pack } from "./pack.ts";
import { must, needs } from "./verdict.ts";
import { mustRefuse, reset, told, type Visit } from "./visit.ts";

const client = { name: "firstsolo conform", version: "1" };
const hello = { type: "hello", seq: 1, protocol: protocolVersion, client };

async function specification(visit: Visit): Promise<void> {
  const { welcome } = await visit.sit();
  must(
    welcome.protocol.major === protocolVersion.major,
    `the welcome speaks version ${welcome.protocol.major}`,
  );
  const listed = [...welcome.capabilities].sort();
  const own = [...welcome.spec.capabilities].sort();
  must(
    listed.length === 0 || isDeepStrictEqual(listed, own),
    `the welcome has the capabilities [${listed}], its specification [${own}]`,
  );
}

async function specHash(visit: Visit): Promise<void> {
  const { welcome, spec } = await visit.sit();
  await visit.end();
  const again = await visit.sit();
  must(
    again.welcome.spec_hash === welcome.spec_hash,
    `the same specification has the hash ${welcome.spec_hash}, then ${again.welcome.spec_hash}`,
  );
  const [group] = Object.keys(spec.observations);
  if (Object.keys(spec.observations).length < 2) return;
  await visit.end();
  const smaller = await visit.sit({ groups: [group] });
  must(
    smaller.welcome.spec_hash !== welcome.spec_hash,
    "a specification with fewer groups has the same hash",
  );
}

async function groups(visit: Visit): Promise<void> {
  const { spec } = await visit.sit();
  await visit.end();
  const last = Object.keys(spec.observations).at(-1)!;
  const seat = await visit.sit({ groups: [last] });
  const told = Object.keys(seat.spec.observations);
  must(isDeepStrictEqual(told, [last]), `asked for [${last}], the specification has [${told}]`);
  const frame = await reset(seat, 1);
  const sent = Object.keys(frame.tensors).filter((name) => name.startsWith("obs/"));
  must(isDeepStrictEqual(sent, [`obs/${last}`]), `asked for [${last}], the frame has [${sent}]`);
}

async function unknownGroup(visit: Visit): Promise<void> {
  const guest = visit.guest();
  const heard = await guest.hello({ ...visit.wishes, groups: ["no.such_group"] });
  mustRefuse(heard, "unknown-group", "hello with the group no.such_group");
}

async function numEnvs(visit: Visit): Promise<void> {
  const { spec } = await visit.sit();
  await visit.end();
  const asked = spec.numEnvs + 1;
  const heard = await visit.guest().hello({ num_envs: asked });
  if (heard.header.type === "welcome") {
    const { num_envs } = heard.header.spec;
    must(num_envs === asked, `asked for ${asked} environments, welcomed with ${num_envs}`);
  } else mustRefuse(heard, "num-envs-refused", `hello for ${asked} environments`);
}

async function settings(visit: Visit): Promise<void> {
  const asked = { "no.such_setting": 1 };
  const heard = await visit.guest().hello({ ...visit.wishes, settings: asked });
  const error = mustRefuse(heard, "unknown-setting", "hello with the setting no.such_setting");
  must(error.hint !== "", "the error unknown-setting has no hint");
}

async function failedHello(visit: Visit): Promise<void> {
  const guest = visit.guest();
  await guest.hello({ ...visit.wishes, groups: ["no.such_group"] });
  mustRefuse(await guest.ask({ type: "reset", seed: 1 }), "unknown-session", "reset after it");
  await visit.sit();
}

async function otherMajor(visit: Visit): Promise<void> {
  const heard = await visit.guest().hello({ protocol: { major: 2, minor: 0 } });
  const error = mustRefuse(heard, "version-mismatch", "hello of version 2.0");
  must(
    error.protocol !== undefined,
    "the error version-mismatch does not say the server's version",
  );
}

async function otherMinor(visit: Visit): Promise<void> {
  await visit.sit({ protocol: { major: protocolVersion.major, minor: 99 } });
}

async function unknownKeys(visit: Visit): Promise<void> {
  const seat = await visit.sit({ from_a_later_version: { a: [1, "two", null] } });
  const { header } = await seat.guest.ask({ type: "reset", seed: 1, later: true });
  must(header.type === "frame", `reset with an unknown key was answered with ${told(header)}`);
}

async function wholeFloats(visit: Visit): Promise<void> {
  const seat = await visit.sit();
  const { guest } = seat;
  const request = { type: "reset", seq: asFloat(2), session: guest.session, seed: asFloat(7) };
  guest.seq = 2;
  await guest.say([pack(request)]);
  const heard = await guest.hear(2, "reset", 30);
  must(heard?.header.type === "frame", `seq and seed as floats: ${told(heard?.header)}`);
}

async function askedWhileLoading(visit: Visit): Promise<void> {
  const guest = visit.guest();
  const frames = encodeMessage({ ...hello, ...visit.wishes, session: guest.session });
  guest.seq = 1;
  for (let i = 0; i < 3; i++) await guest.say(frames);
  const heard = await guest.hear(1, "hello", 60);
  must(heard?.header.type === "welcome", `hello sent three times: ${told(heard?.header)}`);
  for (;;) {
    const more = await guest.hear(1, "hello", 0.3);
    if (more === undefined) break;
    must(more.header.type === "welcome", `hello sent three times: ${told(more.header)}`);
  }
  const { header } = await guest.ask({ type: "reset", seed: 1 });
  must(header.type === "frame", `reset after it was answered with ${told(header)}`);
}

async function beats(visit: Visit): Promise<void> {
  await visit.sit();
  const long = visit.waits.filter(({ seconds }) => seconds > 3);
  needs(long.length > 0, "every reply came within 3 s");
  const silent = long.find((wait) => wait.beats.length === 0);
  must(
    silent === undefined,
    `${silent?.type} took ${silent?.seconds.toFixed(1)} s without a sign of life`,
  );
  const stages = ["loading", "resetting", "stepping", "saving", "restoring"];
  const odd = long.flatMap((wait) => wait.beats).find(({ stage }) => !stages.includes(stage));
  must(odd === undefined, `a sign of life has the stage ${odd?.stage}`);
}

export const welcomeLaws: readonly Law[] = [
  {
    name: "specification",
    section: "6",
    claim: "the welcome has a specification that keeps its rules",
    check: specification,
  },
  {
    name: "spec-hash",
    section: "4",
    claim: "spec_hash is the same for the same specification, another for another",
    check: specHash,
  },
  {
    name: "groups",
    section: "4",
    claim: "specification and frames hold only the groups that were asked for",
    check: groups,
  },
  {
    name: "unknown-group",
    section: "4",
    claim: "an unknown group is refused",
    check: unknownGroup,
  },
  {
    name: "num-envs",
    section: "4",
    claim: "exactly as many environments as asked for, or num-envs-refused",
    check: numEnvs,
  },
  {
    name: "unknown-setting",
    section: "4",
    claim: "an unknown setting is refused, with a hint",
    check: settings,
  },
  {
    name: "failed-hello",
    section: "3",
    claim: "a hello that failed opens no session and blocks nobody",
    check: failedHello,
  },
  {
    name: "other-major",
    section: "9",
    claim: "another major version is refused, and the server's own told",
    check: otherMajor,
  },
  { name: "other-minor", section: "9", claim: "another minor version works", check: otherMinor },
  {
    name: "unknown-keys",
    section: "2",
    claim: "keys it does not know are ignored",
    check: unknownKeys,
  },
  {
    name: "whole-floats",
    section: "2",
    claim: "a whole number packed as a float is taken",
    check: wholeFloats,
  },
  {
    name: "asked-while-loading",
    section: "3",
    claim: "a hello repeated while it is worked on opens one session",
    check: askedWhileLoading,
  },
  {
    name: "signs-of-life",
    section: "4",
    claim: "a request that takes more than 3 s brings progress",
    check: beats,
  },
];
