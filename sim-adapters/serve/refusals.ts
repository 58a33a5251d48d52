import { pictureGroups } from "../../protocol/env-spec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { picturesSince } from "../../protocol/limits.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { ServeError } from "./serve-error.ts";

/** A log without the figures that are not finite. */
export function finiteOnly(log: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(log).filter(([, value]) => Number.isFinite(value)));
}

/** The specification with the groups that were asked for. @throws ProtocolError `unknown-group` */
export function chooseGroups(spec: EnvSpec, groups: readonly string[] | undefined): EnvSpec {
  if (groups === undefined) return spec;
  const known = Object.keys(spec.observations);
  const stranger = groups.find((group) => !known.includes(group));
  if (stranger !== undefined) {
    throw new ProtocolError("unknown-group", `there is no observation group ${stranger}`, {
      field: "groups",
      hint: `Known: ${known.join(", ")}.`,
    });
  }
  const kept = Object.entries(spec.observations).filter(([group]) => groups.includes(group));
  return { ...spec, observations: Object.fromEntries(kept) };
}

/**
 * What a driver can be sent: one whose version knows no pictures gets the other groups.
 *
 * @param asked groups by name, where the driver named them
 * @throws ServeError `unsupported` where it named a picture, or there is nothing else
 */
export function withoutStrangePictures(
  spec: EnvSpec,
  { minor, asked }: { readonly minor: number; readonly asked: readonly string[] | undefined },
): { readonly spec: EnvSpec; readonly notices: readonly string[] } {
  const pictures = minor < picturesSince ? pictureGroups(spec) : [];
  if (pictures.length === 0) return { spec, notices: [] };
  const others = Object.keys(spec.observations).filter((group) => !pictures.includes(group));
  const told = `${pictures.join(", ")}: pictures (|u1), which protocol 1.${minor} does not know`;
  if (asked !== undefined || others.length === 0) {
    const hint = `Speak protocol 1.${picturesSince} on both sides, or ask for other groups: ${others.join(", ") || "there are none"}.`;
    throw new ServeError("unsupported", `observation group ${told}`, { hint });
  }
  return { spec: chooseGroups(spec, others), notices: [`left out: ${told}`] };
}

/** @throws ServeError `num-envs-refused` */
export function refuseOtherSize({ numEnvs }: EnvSpec, asked: number | undefined): void {
  if (asked === undefined || asked === numEnvs) return;
  const message = `${asked} environments were asked for, the simulator has ${numEnvs}`;
  const hint = `Ask for ${numEnvs}, or start the simulator with ${asked}.`;
  throw new ServeError("num-envs-refused", message, { hint });
}

export function notReset(): ServeError {
  const message = "there is no frame to go on from yet";
  return new ServeError("not-reset", message, { hint: "Send reset first." });
}

export function unsupported(what: string): ServeError {
  const message = `this simulator cannot ${what}`;
  const hint = "Only simulators with the capability snapshot can.";
  return new ServeError("unsupported", message, { hint });
}

/** To whoever asks while the server ends. */
export function closing(): ServeError {
  const message = "the simulator was asked to end, and does";
  const hint = "Start it again, and resume the run.";
  return new ServeError("closing", message, { hint, fatal: true });
}

/** Whoever wanted an environment went away while it was made. */
export function driverLeft(): ServeError {
  return new ServeError("closing", "the driver left meanwhile", {
    hint: "Start again.",
    fatal: true,
  });
}
