/**
 * What goes wrong in the room of policies: a policy that can't be built, or can't fly what it is
 * given.
 */
export class PolicyError extends Error {
  override readonly name: string = "PolicyError";
  /** A kebab-case word for programs, e.g. `unknown-activation`. */
  readonly code: string;
  /** What to do next. */
  readonly hint: string;

  constructor(code: string, message: string, hint: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}

/** A file that can't be read as a checkpoint, or isn't whole. */
export class CheckpointError extends PolicyError {
  override readonly name = "CheckpointError";
}
