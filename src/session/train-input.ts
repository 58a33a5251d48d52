import type { ResolveInput } from "../config/resolve.ts";

export interface ResumeRequest {
  /** Run folder, experiment folder or checkpoint; absent: the experiment of the configuration. */
  readonly path?: string;
  /** As Isaac Lab's flags: regular expressions for the run folder's and the file's name. */
  readonly load_run?: string;
  readonly checkpoint?: string;
}

/** The teacher's run by Isaac Lab's patterns, where nothing is resumed. */
export interface TeacherRequest {
  readonly load_run: string;
  readonly checkpoint?: string;
}

/** What was asked for, from wherever: before anything is looked at. */
export interface TrainInput {
  readonly config: ResolveInput;
  readonly teacher?: TeacherRequest;
  readonly resume?: ResumeRequest;
  /** Where the flights of this session are kept. */
  readonly record?: string;
  readonly printConfig?: boolean;
  /** All is checked, nothing flown or written. */
  readonly dryRun?: boolean;
  /** Flags that were taken and do nothing, for people. */
  readonly notices?: readonly string[];
  /** Of a run that goes on: the newest checkpoint or none. */
  readonly strict: boolean;
  /** Of a run that goes on: code that its own configuration names may be run. */
  readonly allowSinks: boolean;
}
