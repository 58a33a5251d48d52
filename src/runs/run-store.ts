/** `model_<iteration>.pt`, or the best student so far; the latter sorts before all others by Isaac Lab's rule. */
export type CheckpointName = `model_${number}.pt` | "best_model.pt";

/** Where a run is kept. What a checkpoint holds is not its business. */
export interface RunStore {
  /** 8 of [a-z0-9], the same in every session of the run. */
  readonly id: string;
  /** Absolute path of the run folder. */
  readonly path: string;
  /** All or nothing: whatever fails, an older file of that name stays whole. Gives the path. @throws RunError */
  saveCheckpoint(name: CheckpointName, bytes: Uint8Array): Promise<string>;
  /** Path of the checkpoint with the highest iteration. */
  latestCheckpoint(): Promise<string | undefined>;
  /** Path of the best student. */
  bestCheckpoint(): Promise<string | undefined>;
}
