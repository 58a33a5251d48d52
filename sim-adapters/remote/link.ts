/** One peer's connection, as long as it lasts. */
export type Guest = number;

export type Weather =
  /** Somebody is there who may be the simulator. */
  | { readonly type: "up"; readonly guest: Guest }
  /** The connection to the simulator broke. */
  | { readonly type: "down" }
  /** The handshake failed; `denied` when a key was not accepted. Only where this side dialled. */
  | { readonly type: "refused"; readonly denied: boolean; readonly reason: string };

export interface LinkEvents {
  message(frames: readonly Uint8Array[], from: Guest): void;
  weather(change: Weather): void;
}

/** A client's way to its simulator. A listening one hears strangers too, until one of them is chosen. */
export interface Link {
  /** The address in use, with its real port. */
  readonly endpoint: string;
  start(events: LinkEvents): void;
  /**
   * To the chosen peer; before there is one, to whoever is there. Replaces a message that no connection has taken yet.
   * Frames are handed over: ZeroMQ reads them later.
   */
  send(frames: readonly Uint8Array[]): void;
  sendTo(guest: Guest, frames: readonly Uint8Array[]): void;
  /** From now on this one alone is the simulator, until its connection breaks. */
  choose(guest: Guest): void;
  readonly chosen: Guest | undefined;
  /** Everybody else who is there. */
  others(): readonly Guest[];
  /** It spoke the protocol (`true`), or it did not and is shown out. */
  judge(guest: Guest, verdict: "peer" | "stranger"): void;
  close(): void;
}
