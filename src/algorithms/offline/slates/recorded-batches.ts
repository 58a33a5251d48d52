import { openFlights } from "../../../datasets/open-flights.ts";
import { withRewardsToGo } from "../../../datasets/rewards-to-go.ts";
import { Transitions } from "../../../datasets/transitions.ts";
import type { Experience } from "../../../learning/experience.ts";
import type { Needs } from "../../../learning/learner.ts";
import { RunError } from "../../../runs/run-error.ts";
import type { Agent } from "./agent.ts";
import { asLatents, rankedOf } from "./ranked-site.ts";

export interface RecordedOptions {
  /** Turns of one update. Default: 256. */
  readonly rows?: number;
  /** Of the draw. Default: 0. */
  readonly seed?: number;
  /** Bytes that reading may take. Default: 1 GiB. */
  readonly memoryBytes?: number;
}

/** Turns drawn at random, as often as they are asked for. */
export interface RecordedTurns {
  /** An experience of so many steps, `rows` turns each: arrays `[updates, rows, …]`. @throws DatasetError */
  draw(updates: number): Experience;
  /** Closes the file. */
  close(): void;
}

/**
 * Logged slates as an agent learns from them: through its ranker and for its belief.
 *
 *     const turns = await recordedTurns(agent, "topdown.hdf5", { rows: 256 });
 *     await agent.train_step(turns.draw(1));
 *
 * @throws DatasetError; RunError `no-slates`, `other-slates`, `no-user`, `frozen-agent`
 */
export async function recordedTurns(
  agent: Agent,
  path: string,
  { rows = 256, seed = 0, memoryBytes = 1 << 30 }: RecordedOptions = {},
): Promise<RecordedTurns> {
  const { needs, belief } = agent.get_config();
  if (!needs) throw frozen();
  const ranked = await rankedOf(agent.policy.parts.ranker, belief, null);
  const flights = await openFlights(path, { memoryBytes });
  try {
    const drawn = summed(asLatents(flights, ranked), needs);
    const transitions = new Transitions(drawn, needs, { batch: rows, seed, memoryBytes });
    return { draw: (updates) => transitions.draw(updates), close: () => flights.close() };
  } catch (error) {
    flights.close();
    throw error;
  }
}

function summed(flights: Parameters<typeof withRewardsToGo>[0], { rewardsToGo }: Needs) {
  return rewardsToGo === undefined ? flights : withRewardsToGo(flights, rewardsToGo);
}

function frozen(): RunError {
  return new RunError(
    "frozen-agent",
    "Nothing is drawn for an agent that can't learn",
    "Load it from its run's folder, and with the ranker it was trained with.",
  );
}
