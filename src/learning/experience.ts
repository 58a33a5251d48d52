/** Row-major arrays by name. */
export type Arrays = Readonly<Record<string, Float32Array | Uint8Array | Int32Array>>;

/**
 * What was seen and done. Time-major `[steps, numEnvs, …]`: `obs/GROUP`; `next/GROUP`, the true successor (the
 * last observation of an episode where it ended, never the next one's first); `actions`, what was sent to the
 * simulator; `rewards`, `terminated`, `truncated`, `started`; `notes/NAME`, what the actor noted. Beside them
 * `memory/0` …, the acting policy's before the first step, `[numEnvs, width]`, and `after/GROUP`, the frame after
 * the last step, `[numEnvs, width]`. Of transitions drawn one by one, `steps` are batches of `numEnvs` rows.
 * Observations that are pictures are bytes (`Uint8Array`), all others `Float32Array`.
 */
export interface Experience {
  readonly steps: number;
  readonly numEnvs: number;
  readonly arrays: Arrays;
}
