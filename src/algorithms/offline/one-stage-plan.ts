import type { Plan, Planned } from "../../running/plan.ts";

/** One stage from the first iteration to the last. */
export class OneStagePlan implements Plan {
  readonly #name: string;
  readonly #length: number;

  /** @param length iterations of the run */
  constructor(name: string, length: number) {
    this.#name = name;
    this.#length = length;
  }

  at(iteration: number): Planned {
    const [length, progress] = [this.#length, iteration / this.#length];
    const place = { index: 0, of: 1, iteration, length, progress };
    return { stage: { name: this.#name, ...place, settings: {} }, metrics: {} };
  }

  observe(): void {}

  ask(request: string): string {
    return `refused: there is no ${request} in a run of one stage`;
  }

  save(): null {
    return null;
  }

  load(): void {}
}
