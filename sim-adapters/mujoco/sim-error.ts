export interface SimErrorDetail {
  readonly hint: string;
  /** What it is about, e.g. `actions` or `num_envs`. */
  readonly field?: string;
  readonly cause?: unknown;
}

/**
 * The built-in simulator refuses something. Codes: `unknown-task`, `bad-num-envs`, `bad-seed`,
 * `bad-tensor`, `bad-value`, `not-reset`, `bad-snapshot`, `other-snapshot`, `diverged`, `closed`,
 * `no-mujoco`. Settings are refused with the protocol's `unknown-setting` and `bad-setting`.
 */
export class SimError extends Error {
  override readonly name = "SimError";
  readonly code: string;
  readonly hint: string;
  readonly field?: string;

  constructor(code: string, message: string, { hint, field, cause }: SimErrorDetail) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.hint = hint;
    if (field !== undefined) this.field = field;
  }
}
