import type { Frame } from "../../protocol/frame.ts";
import type { BeliefEncoder, Believed } from "../beliefs/belief.ts";
import type { Flown, Memory, Policy } from "../policy.ts";
import { PolicyError } from "../policy-error.ts";
import type { LatentChoice } from "./nearest-latents.ts";
import { asksJudge, type Judge, type Ranker } from "./ranker.ts";

/** What latents are worth in these states, `[rows, stateWidth]`. */
export type Critic = (state: Float32Array) => Judge;

export interface RankedParts {
  readonly belief: BeliefEncoder;
  /** States in, latents out. */
  readonly agent: Policy;
  readonly ranker: Ranker;
  /** For a ranker that asks for a judgement. */
  readonly critic?: Critic | undefined;
  /** What the critic makes of the agent's latents first; absent: nothing. */
  readonly choose?: LatentChoice | undefined;
}

/** A belief, an agent and a ranker, one behind the other: observations in, slates out. */
export class RankedPolicy implements Policy {
  readonly parts: RankedParts;

  /** All three are disposed of with it. @throws PolicyError `state-width`, `latent-width` with both widths */
  constructor(parts: RankedParts) {
    const { belief, agent, ranker } = parts;
    const { stateWidth, belief: kind } = belief.get_config();
    const { latentWidth, ranker: name } = ranker.get_config();
    if (agent.observationWidth !== stateWidth) {
      throw apart("state-width", [
        `the belief '${kind}' gives states of ${stateWidth} numbers`,
        `the agent takes ${agent.observationWidth}`,
      ]);
    }
    if (agent.actionWidth !== latentWidth) {
      throw apart("latent-width", [
        `the agent gives latents of ${agent.actionWidth} numbers`,
        `the ranker ${name} takes ${latentWidth}`,
      ]);
    }
    this.parts = parts;
  }

  get reads(): readonly string[] {
    return this.parts.belief.reads;
  }

  get observationWidth(): number {
    return this.parts.belief.get_config().observationWidth;
  }

  get actionWidth(): number {
    return this.parts.ranker.get_config().slots;
  }

  initialMemory(numEnvs: number): Memory {
    return this.parts.belief.reset(numEnvs);
  }

  async act(frame: Frame, memory: Memory): Promise<Flown> {
    const { believed, proposed } = await this.propose(frame, memory);
    const { slates } = await this.show(proposed, believed.state);
    return { actions: slates, memory: believed.memory };
  }

  /** What the agent would do, `[rows, latentWidth]`, by what is believed of the users. */
  async propose(
    frame: Frame,
    memory: Memory,
  ): Promise<{ readonly believed: Believed; readonly proposed: Float32Array }> {
    const { belief, agent } = this.parts;
    const believed = await belief.encode(frame, memory);
    const { started } = frame;
    const observations = { [agent.reads[0]!]: believed.state };
    const { actions: proposed } = await agent.act({ observations, started }, []);
    return { believed, proposed };
  }

  /** Slates for latents, and the latents that stand for them, others where a critic had a say. */
  async show(
    proposed: Float32Array,
    state: Float32Array,
  ): Promise<{ readonly slates: Float32Array; readonly latents: Float32Array }> {
    const { ranker, critic, choose } = this.parts;
    const judge = critic?.(state);
    const latents = choose && judge ? await choose(proposed, judge) : proposed;
    const slates = await ranker.rank(latents, judge);
    const { ranker: name, slots } = ranker.get_config();
    if (!judge || !asksJudge(name)) return { slates, latents };
    const shown = { slates: Uint16Array.from(slates), clicks: new Uint8Array(slates.length) };
    return { slates, latents: ranker.encode({ rows: slates.length / slots, ...shown }).mean };
  }

  dispose(): void {
    const { belief, agent, ranker } = this.parts;
    for (const part of [belief, agent, ranker]) part.dispose();
  }
}

function apart(code: string, [gives, takes]: readonly [string, string]): PolicyError {
  return new PolicyError(
    code,
    `${gives}, ${takes}`,
    "Put together what was trained together, or train an agent for this ranker and belief.",
  );
}
