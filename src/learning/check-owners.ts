import type { Learner } from "./learner.ts";
import { LearningError } from "./learning-error.ts";
import { isSteppedBy, isTrainable, type ParameterGroup, type Update } from "./owners.ts";

/** What a learner says of itself. */
export type Claims = Pick<Learner, "groups" | "updates" | "losses">;

/**
 * Holds what a learner says against itself, before its first step: every trainable group is stepped by
 * its owner in some stage, none belongs to two, claims are complete, every term names a loss, every
 * update that is there to move a group steps it.
 *
 * @param stages names of the plan's stages: updates that run in none of them don't count; absent: all do
 * @param onOrphan is told of gradients that would arrive for nothing, instead of an error
 * @throws LearningError `leak`, `orphan`, `starved`, or `bad-claims` for what is neither
 */
export function checkOwners(
  learner: Claims,
  stages?: readonly string[],
  { onOrphan }: { readonly onOrphan?: (orphan: LearningError) => void } = {},
): void {
  const { groups, updates, losses } = learner;
  checkNames("group", groups);
  checkNames("update", updates);
  checkDisjoint(groups);
  for (const update of updates) {
    checkClaims(update, groups);
    checkTerms(update, losses);
    checkPart(update, updates);
  }
  const running = updates.filter((update) => runsIn(update, stages));
  for (const group of groups.filter(isTrainable)) checkStepped(group, running, stages);
  for (const orphan of groups.flatMap((group) => orphansOf(group, running))) {
    if (!onOrphan) throw orphan;
    onOrphan(orphan);
  }
}

/** Gradients that are there to move a group, and that nobody steps. */
function orphansOf(group: ParameterGroup, updates: readonly Update[]): readonly LearningError[] {
  const { name, owner, trainedBy = [] } = group;
  const meant = updates.filter((update) => trainedBy.includes(update.name));
  const stepping = updates.filter((update) => update.claims[name] === "step");
  const idle = meant.filter((update) => !stepping.includes(update));
  return idle.map(
    (update) =>
      new LearningError(
        "orphan",
        `orphan: the gradient of the update '${update.name}' is there to move the group '${name}', and '${update.owner}' does not step it; its owner '${owner}' steps it on ${stepping.map((one) => `'${one.name}'`).join(", ")} alone.`,
        `Let '${update.owner}' own the group; to go on all the same: --allow_orphans.`,
      ),
  );
}

function checkNames(what: string, named: readonly { readonly name: string }[]): void {
  const names = named.map(({ name }) => name);
  const twice = names.find((name, i) => name === "" || names.indexOf(name) !== i);
  if (twice === undefined) return;
  throw bad(`The name '${twice}' of a ${what} is empty or there twice: ${names.join(", ")}.`);
}

function checkDisjoint(groups: readonly ParameterGroup[]): void {
  const seen = new Map<unknown, string>();
  for (const { name, parameters } of groups) {
    for (const parameter of parameters) {
      const other = seen.get(parameter.value);
      if (other !== undefined) {
        throw new LearningError(
          "leak",
          `leak: the parameter '${parameter.name}' belongs to the groups '${other}' and '${name}', so that two owners may move it.`,
          "Put each parameter into one group.",
        );
      }
      seen.set(parameter.value, name);
    }
  }
}

function checkClaims(update: Update, groups: readonly ParameterGroup[]): void {
  const { name, owner, claims } = update;
  const unknown = Object.keys(claims).find((key) => !groups.some((group) => group.name === key));
  if (unknown !== undefined) {
    const known = groups.map((group) => group.name).join(", ");
    throw bad(`The update '${name}' claims something of '${unknown}'; groups are ${known}.`);
  }
  for (const group of groups) checkClaim(update, group);
  if (update.partOf !== undefined || groups.some(({ name: own }) => claims[own] === "step")) return;
  throw new LearningError(
    "starved",
    `starved: the update '${name}' of the owner '${owner}' claims to step no group.`,
    `Claim 'step' for a group of '${owner}', or leave the update out.`,
  );
}

function checkClaim({ name, owner, claims }: Update, group: ParameterGroup): void {
  const claim = claims[group.name];
  if (claim === undefined) {
    if (!isTrainable(group)) return;
    throw bad(
      `The update '${name}' claims nothing of the group '${group.name}'; expected step, pass or zero.`,
    );
  }
  const owned = isSteppedBy(group, owner);
  if ((claim === "step") === owned) return;
  throw new LearningError(
    "leak",
    owned
      ? `leak: the update '${name}' claims '${claim}' of the group '${group.name}', but its owner '${owner}' steps all of its groups.`
      : `leak: the update '${name}' of the owner '${owner}' claims to step the group '${group.name}', which is '${group.owner}'.`,
    "Give the group an owner of its own, or let its owner do the update.",
  );
}

function checkPart({ name, partOf, claims, terms }: Update, updates: readonly Update[]): void {
  if (partOf === undefined) return;
  const whole = updates.find((update) => update.name === partOf);
  const stray = terms.find((term) => !whole?.terms.includes(term));
  if (whole === undefined || whole.partOf !== undefined || stray !== undefined) {
    const what =
      whole === undefined ? "there is none" : `that one adds up ${whole.terms.join(", ")}`;
    throw bad(`The update '${name}' is a share (${terms.join(", ")}) of '${partOf}', but ${what}.`);
  }
  const stepped = Object.entries(claims).find(([, motion]) => motion === "step");
  if (stepped === undefined) return;
  throw bad(`The update '${name}' claims to step '${stepped[0]}', but is a share of '${partOf}'.`);
}

function checkTerms({ name, terms }: Update, losses: Claims["losses"]): void {
  const wrong = terms.find((term, i) => term === "" || terms.indexOf(term) !== i);
  if (terms.length === 0 || wrong !== undefined) {
    throw bad(
      `The update '${name}' has the terms [${terms.join(", ")}]; expected distinct losses.`,
    );
  }
  const unknown = losses && terms.find((term) => !losses.includes(term));
  if (unknown === undefined) return;
  throw bad(`The update '${name}' adds up '${unknown}'; losses are ${losses?.join(", ")}.`);
}

function runsIn({ stages }: Update, plan?: readonly string[]): boolean {
  return !plan || !stages || stages.some((stage) => plan.includes(stage));
}

function checkStepped(
  group: ParameterGroup,
  updates: readonly Update[],
  stages?: readonly string[],
): void {
  if (updates.some((update) => update.claims[group.name] === "step")) return;
  const where = stages ? ` in the stages ${stages.join(", ")}` : "";
  throw new LearningError(
    "orphan",
    `orphan: no update steps the group '${group.name}'${where}; its owner '${group.owner}' has none.`,
    "Give its owner an update, or declare the group frozen or ema.",
  );
}

function bad(message: string): LearningError {
  return new LearningError("bad-claims", message, "Correct the groups and updates of the learner.");
}
