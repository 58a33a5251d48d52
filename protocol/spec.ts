/** What a simulator offers: sizes, names and units of everything that crosses the border. */

/** NumPy's names for the element types that may travel: float32, uint8, int32. */
export type Dtype = "<f4" | "|u1" | "<i4";

/**
 * One environment's share of an array; on the wire `[numEnvs, ...shape]`, row-major. An observation group of
 * dtype `|u1` is a picture: `[height, width, channels]`.
 */
export interface TensorSpec {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** One name per component, e.g. `lin_vel_b.x`; of a picture one per channel. */
  readonly names?: readonly string[];
  /** One SI unit per component, e.g. `m/s`; `1` for a pure number. Of a picture one per channel. */
  readonly units?: readonly string[];
}

export interface ActionSpec extends TensorSpec {
  /** Bounds per component, in its unit; the simulator clamps to them. */
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/**
 * `bitwise`: same seed and actions give the same bits. `snapshot`: state can be saved and restored.
 * `teacher_actions`: a teacher of the simulator's own says with every frame what it would do.
 */
export type Capability = "bitwise" | "snapshot" | "teacher_actions" | (string & {});

export interface EnvSpec {
  /** Its name, e.g. `quadcopter`. */
  readonly task: string;
  /** Environments that are stepped together: the first axis of every array. */
  readonly numEnvs: number;
  /** Seconds of simulated time between two actions. */
  readonly controlPeriod: number;
  /** Control steps after which an episode is cut off. */
  readonly maxEpisodeSteps: number;
  /** The observation returned with a done is already the next episode's. */
  readonly autoreset: "same_step";
  /** Observation groups by name, e.g. `policy`, `teacher`. */
  readonly observations: Readonly<Record<string, TensorSpec>>;
  readonly action: ActionSpec;
  /** What it can besides; words that a client does not know are passed over. */
  readonly capabilities: readonly Capability[];
}
