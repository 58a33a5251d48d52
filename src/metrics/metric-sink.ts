/** Figures of one iteration by name, e.g. `Loss/behavior`; times in seconds, rates per second. */
export type Metrics = Readonly<Record<string, number>>;

/** Something that happened: a phase switch, a checkpoint, a reconnection. */
export interface RunEvent {
  /** Which kind, e.g. `checkpoint`. */
  readonly type: string;
  /** From 0. */
  readonly iteration: number;
  /** Unix seconds. */
  readonly time: number;
  /** For people. */
  readonly message: string;
  readonly [detail: string]: unknown;
}

/** Where figures go. Never throws, never blocks the flight: a sink that fails says so once. */
export interface MetricSink {
  write(iteration: number, metrics: Metrics): void;
  event(event: RunEvent): void;
  close(): Promise<void>;
}
