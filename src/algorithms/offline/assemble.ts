import { checkOwnExample } from "../../../policies/checkpoint/load-teacher.ts";
import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Policy } from "../../../policies/policy.ts";
import { deriveSeed } from "../../../policies/random.ts";
import { RankedPolicy } from "../../../policies/rankers/ranked-policy.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import { bestEpisodes } from "../../datasets/best-episodes.ts";
import { isPictureArray } from "../../datasets/flights-spec.ts";
import type { RecordedFlights } from "../../datasets/recorded-flights.ts";
import { withRewardsToGo } from "../../datasets/rewards-to-go.ts";
import { type FlightStatistics, flightStatistics } from "../../datasets/statistics.ts";
import { Transitions } from "../../datasets/transitions.ts";
import { compiledPolicy } from "../../learning/compiled-policies.ts";
import { watchDivergence } from "../../learning/monitors/divergence.ts";
import type { Monitor } from "../../learning/monitors/monitor.ts";
import {
  type OfflineSite,
  type RewardSettings,
  rewardUnits,
  rewardWarnings,
  valueFacts,
} from "../../learning/offline/site.ts";
import type { Judge } from "../../running/judge.ts";
import type { Assembled, Site } from "../algorithm.ts";
import { checkData } from "./check-data.ts";
import { drawActions } from "./draw-actions.ts";
import {
  actionOf,
  choiceRemark,
  paceRemark,
  pictureRemark,
  readsOf,
  unseenRemark,
} from "./fit-data.ts";
import { FlyingJudge, noJudge } from "./flying-judge.ts";
import type { LearnerMaker, OfflineConfig } from "./keys.ts";
import { MixedSource } from "./mixed-source.ts";
import { OneStagePlan } from "./one-stage-plan.ts";
import { onlineOf } from "./online.ts";
import { RecordedSource } from "./recorded-source.ts";
import { bytesOf, type SavedPolicy } from "./run-checkpoint.ts";
import { rankedFor } from "./slates/ranked-run.ts";
import { asLatents, type Ranked, rankedSite } from "./slates/ranked-site.ts";
import { itemsIn, itemsNamed, refuseOtherItems } from "./slates/same-items.ts";
import { withDataset } from "./with-dataset.ts";

/** @throws DatasetError, RunningError, LearningError when data, simulator and settings don't fit */
export function assemble(site: Site<OfflineConfig>, maker: LearnerMaker): Promise<Assembled> {
  return withDataset(site.config, async (opened) =>
    assembleOn(await dataOf(opened, site), site, maker),
  );
}

async function assembleOn(
  data: Data,
  site: Site<OfflineConfig>,
  maker: LearnerMaker,
): Promise<Assembled> {
  const { config, env, say, compile } = site;
  const { ranked } = data;
  if (ranked) checkItems(data.flights, ranked, env?.spec);
  for (const remark of data.flights.remarks) say(`${config.dataset}: ${remark}`);
  const offline = siteOf(data, site);
  for (const remark of remarksOf(data.flights, site, { offline, maker })) if (remark) say(remark);
  const learner = await maker.create(config, { ...offline, ...(compile && { compile }) });
  const student = learner.policies.student!;
  const agent = (student instanceof RankedPolicy ? student.parts.agent : student) as NetworkPolicy;
  const recorded = recordedOf(data, learner.needs, config);
  const acting = ranked ? student : compiledPolicy(student, compile);
  const online = onlineOf(site, { learner, student: acting, ranked });
  const mixed = online && new MixedSource({ ...online, recorded: recorded.source });
  return {
    plan: new OneStagePlan("offline", config.max_iterations),
    source: mixed ?? recorded.source,
    learner,
    judge: judgeOf(site, acting, mixed && (() => mixed.interrupt())),
    monitors: monitorsOf(data, config),
    write: async (state) => {
      const algorithm = config.algorithm.class_name;
      return bytesOf(state, { algorithm, student: agent, ranked, graph: await learner.graph() });
    },
    check: ({ own, path }) => checkOwnExample(agent, (own as SavedPolicy).file, "actor", path),
    dispose: () => {
      if (!ranked) acting.dispose();
      learner.dispose();
    },
    facts: {
      dataset: describe(data.flights, recorded.transitions),
      updates_per_iteration: config.updates_per_iteration,
      ...(env ? {} : { task: data.flights.spec.env?.task ?? "" }),
    },
  };
}

/** @param onFlight see `FlyingOptions` */
function judgeOf(
  { config, env }: Site<OfflineConfig>,
  student: Policy,
  onFlight: (() => void) | undefined,
): Judge {
  if (!env) return noJudge;
  const { interval, episodes } = config.evaluation;
  const { discount } = config.algorithm;
  const flights = { interval, episodes, iterations: config.max_iterations, discount };
  const seed = deriveSeed(config.seed, "evaluation in flight");
  return new FlyingJudge({ env, student, seed, onFlight, ...flights });
}

interface Data {
  readonly flights: RecordedFlights;
  readonly episodes: Int32Array | undefined;
  readonly statistics: FlightStatistics;
  readonly ranked: Ranked | undefined;
}

async function dataOf(opened: RecordedFlights, site: Site<OfflineConfig>): Promise<Data> {
  const { algorithm } = site.config;
  const saved = (site.saved?.own as SavedPolicy | undefined)?.ranked;
  const ranked = await rankedFor(site.config, saved, opened);
  const flights = ranked ? asLatents(opened, ranked) : opened;
  const { bc_fraction = 1, discount } = algorithm;
  const episodes = bc_fraction < 1 ? bestEpisodes(flights, bc_fraction) : undefined;
  const chosen = { ...(episodes && { episodes }), ...(discount && { discount }) };
  const statistics = flightStatistics(flights, chosen);
  return { flights, episodes, statistics, ranked };
}

function checkItems({ path, spec }: RecordedFlights, { ranker }: Ranked, flown?: EnvSpec): void {
  const { ranker: name, task } = ranker.get_config();
  refuseOtherItems([
    ...[itemsIn(path, spec.env), itemsNamed(`the ranker ${name}`, task)],
    itemsIn(`the task '${flown?.task}'`, flown),
  ]);
}

function remarksOf(
  flights: RecordedFlights,
  { config, env }: Pick<Site<OfflineConfig>, "config" | "env">,
  { offline, maker }: { readonly offline: OfflineSite; readonly maker: LearnerMaker },
): readonly (string | undefined)[] {
  const { encoder } = maker;
  return [
    ...(encoder
      ? [encoder(config, offline), unseenRemark(flights, offline)]
      : [pictureRemark(flights, offline, config.algorithm.class_name)]),
    ...(env ? [] : [nobodyFlies(flights)]),
    choiceRemark(flights),
    paceRemark(flights, env?.spec),
    ...rewardWarnings(rewardSettings(config), hasDeaths(flights)),
  ];
}

function nobodyFlies({ path, spec }: RecordedFlights): string {
  const task = spec.env?.task;
  const why = task ? `its task '${task}' is none of those built in` : "it names no task";
  return `nothing is evaluated: ${path} is learned from without a simulator, as ${why}; evaluation.* and env.* have no effect. Name one with --task or --sim to fly the student`;
}

function siteOf(
  { flights, statistics, ranked }: Data,
  { config, env, say }: Site<OfflineConfig>,
): OfflineSite {
  // Latents are between the learner and the ranker: the simulator knows nothing of them.
  const spec = ranked ? undefined : env?.spec;
  const reads = readsOf(flights, ranked ? null : config.obs_groups.student, spec);
  checkData(flights, statistics, reads);
  const { remark, ...action } = actionOf(flights, spec, statistics.actions);
  if (remark) say(remark);
  const parts = reads.map((group) => statistics.groups[group]!);
  const joined = (pick: (part: (typeof parts)[number]) => ArrayLike<number>) =>
    Float32Array.from(parts.flatMap((part) => Array.from(pick(part))));
  const offline: OfflineSite = {
    reads,
    observationWidth: reads.reduce((sum, group) => sum + flights.spec.groups[group]!.width, 0),
    action,
    statistics: {
      mean: joined(({ mean }) => mean),
      std: joined(({ std }) => std),
      count: statistics.steps,
    },
    shapes: shapesOf(flights, reads),
    actionStatistics: { ...statistics.actions, count: statistics.steps },
    ...(statistics.rewards && {
      rewards: { least: statistics.rewards.min[0]!, most: statistics.rewards.max[0]! },
    }),
    returns: spanOf(flights),
    seed: config.seed,
    drawActions: (count) => drawActions(flights, count, config.seed),
  };
  return ranked ? rankedSite(offline, ranked) : offline;
}

/** Of pictures their own, of all else the width: numbers of any shape are read side by side. */
function shapesOf({ spec }: RecordedFlights, reads: readonly string[]) {
  const shapes = reads.map((name) => {
    const group = spec.groups[name]!;
    return [name, isPictureArray(group) ? group.shape! : [group.width]] as const;
  });
  return Object.fromEntries(shapes);
}

function hasDeaths({ episodes }: RecordedFlights): boolean {
  return episodes.endings.includes("terminated");
}

function recordedOf(
  { flights, episodes }: Data,
  needs: ConstructorParameters<typeof Transitions>[1],
  config: OfflineConfig,
) {
  const { rewardsToGo } = needs;
  const drawn = rewardsToGo === undefined ? flights : withRewardsToGo(flights, rewardsToGo);
  const transitions = new Transitions(drawn, needs, {
    batch: config.algorithm.batch_size,
    seed: deriveSeed(config.seed, "transitions"),
    memoryBytes: config.dataset_memory * 2 ** 20,
    ...(episodes && { episodes }),
  });
  const source = new RecordedSource(flights, transitions, config.updates_per_iteration);
  return { source, transitions };
}

/** Of a value function, where the algorithm has one and the data have rewards. */
function monitorsOf({ flights, statistics }: Data, config: OfflineConfig): readonly Monitor[] {
  const { rewards, returns } = statistics;
  const { discount } = config.algorithm;
  if (discount === undefined || !rewards || !returns) return [];
  const recorded = {
    least: rewards.min[0]!,
    most: rewards.max[0]!,
    horizon: valued(flights, discount),
    largestDiscounted: returns.largestDiscounted,
  };
  const units = rewardUnits(rewardSettings(config), { returns: spanOf(flights) });
  return [watchDivergence({ facts: valueFacts(recorded, { discount, units }) })];
}

/** Behind an episode that the clock cut, the value of a discounted return goes on without end. */
function valued(flights: RecordedFlights, discount: number): number {
  const goesOn = flights.episodes.endings.some((ending) => ending !== "terminated");
  return goesOn && discount < 1 ? Number.POSITIVE_INFINITY : longest(flights);
}

function rewardSettings({ algorithm }: OfflineConfig): RewardSettings {
  const { normalize_reward = false, reward_shift = null } = algorithm;
  return { normalize_reward, reward_shift };
}

function longest({ episodes }: RecordedFlights): number {
  return episodes.lengths.reduce((most, length) => Math.max(most, length), 0);
}

/** Undiscounted returns of all episodes; absent where no rewards are recorded. */
function spanOf(flights: RecordedFlights): OfflineSite["returns"] {
  if (!flights.spec.hasRewards) return undefined;
  const { returns } = flights.episodes;
  return {
    worst: returns.reduce((a, b) => Math.min(a, b)),
    best: returns.reduce((a, b) => Math.max(a, b)),
    horizon: longest(flights),
  };
}

function describe(flights: RecordedFlights, { facts }: Transitions): string {
  const { lengths } = flights.episodes;
  const { drawable, leftOut, fits } = facts;
  const parts = [
    `${flights.path}, ${flights.layout}: ${lengths.length} episodes, ${flights.steps} steps`,
    ...(drawable === flights.steps ? [] : [`${drawable} learned from`]),
    ...(leftOut ? [`${leftOut} left out`] : []),
    ...(fits ? [] : ["read piece by piece"]),
  ];
  return parts.join(", ");
}
