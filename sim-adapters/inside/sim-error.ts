import { CodedError } from "../../protocol/coded-error.ts";

export interface SimErrorDetail {
  readonly hint: string;
  /** What it is about, e.g. `actions` or `num_envs`. */
  readonly field?: string;
  readonly cause?: unknown;
}

/**
 * The built-in simulator refuses something. Codes: `unknown-task`, `bad-num-envs`, `bad-seed`,
 * `bad-tensor`, `bad-value`, `not-reset`, `bad-snapshot`, `other-snapshot`, `diverged`, `closed`,
 * `bad-threads`, `thread-lost`, `no-mujoco`. Settings are refused with the protocol's `unknown-setting` and `bad-setting`.
 */
export class SimError extends CodedError {
  override readonly name = "SimError";
  readonly field?: string;

  constructor(code: string, message: string, detail: SimErrorDetail) {
    super(code, message, detail.hint, detail);
    if (detail.field !== undefined) this.field = detail.field;
  }
}
