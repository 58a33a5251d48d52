import type { EnvSpec } from "../../protocol/spec.ts";
import { dtypeOf, type Tensor, type Tensors } from "../../protocol/tensor.ts";
import type { Law } from "./law.ts";
import { must, needs } from "./verdict.ts";
import { actionsAt, reset, step, type Visit } from "./visit.ts";

/** A step at which something ended. */
interface Ending {
  readonly step: number;
  /** Environments with a flag, ascending. */
  readonly rows: readonly number[];
  readonly tensors: Tensors;
}

interface LongFlight {
  readonly spec: EnvSpec;
  readonly steps: number;
  readonly endings: readonly Ending[];
  /** Tensors `final/…` at steps where nothing ended. */
  readonly stray: string | undefined;
  /** Steps of the longest episode, and of the longest that is still flying. */
  readonly longest: number;
  /** Most steps in a row that ended the same environment. */
  readonly mostInARow: number;
}

/** One flight until the clock must have ended every episode; all laws of this page look at it. */
function longFlight(visit: Visit): Promise<LongFlight> {
  return visit.keep("long flight", () => fly(visit));
}

async function fly(visit: Visit): Promise<LongFlight> {
  const seat = await visit.sit();
  const { spec } = seat;
  const steps = Math.min(visit.steps, spec.maxEpisodeSteps + 2);
  await reset(seat, 31);
  const [ages, streaks] = [new Int32Array(spec.numEnvs), new Int32Array(spec.numEnvs)];
  const endings: Ending[] = [];
  let [longest, mostInARow, stray] = [0, 0, undefined as string | undefined];
  for (let i = 0; i < steps; i++) {
    const { tensors } = await step(seat, actionsAt(spec, i));
    const rows = [...ages.keys()].filter((row) => ended(tensors, row));
    for (let row = 0; row < spec.numEnvs; row++) longest = Math.max(longest, ++ages[row]!);
    const over = new Set(rows);
    for (let row = 0; row < spec.numEnvs; row++) {
      if (over.has(row)) ages[row] = 0;
      streaks[row] = over.has(row) ? streaks[row]! + 1 : 0;
      mostInARow = Math.max(mostInARow, streaks[row]!);
    }
    if (rows.length > 0) endings.push({ step: i + 1, rows, tensors });
    else stray ??= Object.keys(tensors).find((name) => name.startsWith("final/"));
  }
  return { spec, steps, endings, stray, longest, mostInARow };
}

function ended({ terminated, truncated }: Tensors, row: number): boolean {
  return terminated?.data[row] === 1 || truncated?.data[row] === 1;
}

async function clock(visit: Visit): Promise<void> {
  const { spec, steps, longest } = await longFlight(visit);
  must(
    longest <= spec.maxEpisodeSteps,
    `an episode went on for ${longest} steps, max_episode_steps is ${spec.maxEpisodeSteps}`,
  );
  needs(steps > spec.maxEpisodeSteps, `an episode may last longer than the ${steps} steps flown`);
}

async function sameStep(visit: Visit): Promise<void> {
  const { spec, steps, endings, mostInARow } = await longFlight(visit);
  needs(endings.length > 0, `no episode ended in ${steps} steps`);
  must(
    mostInARow < 3 || spec.maxEpisodeSteps < 3,
    `an environment ended ${mostInARow} steps in a row: was it reset?`,
  );
  const finals = endings.filter(({ tensors }) => tensors["final/rows"] !== undefined);
  needs(finals.length > 0, "without final observations it can't be told");
  const fresh = finals.some((ending) => differs(ending, spec));
  must(fresh, "a step that ends an episode returns its last observation, not the next one's first");
}

/** Whether any ended environment shows another observation than its last. */
function differs({ tensors }: Ending, spec: EnvSpec): boolean {
  const rows = tensors["final/rows"]!.data;
  return Object.entries(spec.observations).some(([group, { shape }]) => {
    const width = shape.reduce((product, size) => product * size, 1);
    const [all, last] = [tensors[`obs/${group}`]?.data, tensors[`final/${group}`]?.data];
    if (all === undefined || last === undefined) return false;
    return last.some(
      (value, i) => value !== all[rows[Math.floor(i / width)]! * width + (i % width)],
    );
  });
}

async function finals(visit: Visit): Promise<void> {
  const { spec, steps, endings, stray } = await longFlight(visit);
  must(stray === undefined, `${stray} was sent where no episode ended`);
  needs(endings.length > 0, `no episode ended in ${steps} steps`);
  const telling = endings.filter(({ tensors }) =>
    Object.keys(tensors).some((name) => name.startsWith("final/")),
  );
  needs(telling.length > 0, "this simulator does not tell final observations");
  must(telling.length === endings.length, "final observations came at some endings, not at others");
  for (const { step, rows, tensors } of endings) {
    const found = tensors["final/rows"];
    must(
      found?.data instanceof Int32Array && String(found.data) === String(rows),
      `at step ${step}, final/rows is [${found?.data ?? "missing"}], ended have [${rows}]`,
    );
    for (const [group, { dtype, shape }] of Object.entries(spec.observations)) {
      const tensor = tensors[`final/${group}`];
      const expected = [rows.length, ...shape];
      must(
        tensor !== undefined &&
          dtypeOf(tensor.data) === dtype &&
          String(tensor.shape) === String(expected),
        `at step ${step}, final/${group} is ${shown(tensor)}, expected ${dtype} [${expected}]`,
      );
      const finite = tensor.data.every((value) => Number.isFinite(value));
      must(finite, `at step ${step}, final/${group} is not finite`);
    }
  }
}

function shown(tensor: Tensor | undefined): string {
  return tensor === undefined ? "missing" : `${dtypeOf(tensor.data)} [${tensor.shape}]`;
}

export const episodeLaws: readonly Law[] = [
  {
    name: "same-step",
    section: "5",
    claim: "the step that ends an episode returns the next one's first observation",
    check: sameStep,
  },
  {
    name: "final-observations",
    section: "5",
    claim:
      "final/rows are exactly the environments that ended, ascending, with their last observations",
    check: finals,
  },
  {
    name: "clock",
    section: "6",
    claim: "no episode lasts longer than max_episode_steps",
    check: clock,
  },
];
