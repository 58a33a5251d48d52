import { SimError } from "./sim-error.ts";

/** Where an environment stands between its opening and its closing. */
export class EnvLife {
  #state: "idle" | "flying" | "closed" = "idle";

  get closed(): boolean {
    return this.#state === "closed";
  }

  /** There is a frame to go on from. */
  fly(): void {
    this.#state = "flying";
  }

  /** There is none any more. */
  idle(): void {
    this.#state = "idle";
  }

  close(): void {
    this.#state = "closed";
  }

  /** @throws SimError `closed`, `not-reset` */
  refuseIdle(): void {
    this.refuseClosed();
    if (this.#state === "flying") return;
    const hint = "Call reset or restore first.";
    throw new SimError("not-reset", "there is no frame to go on from", { hint });
  }

  /** @throws SimError `closed` */
  refuseClosed(): void {
    if (!this.closed) return;
    throw new SimError("closed", "the simulator was closed", { hint: "Open a new one." });
  }
}
