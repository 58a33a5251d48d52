import { CodedError } from "../protocol/coded-error.ts";
import { visibleText } from "../protocol/visible.ts";

/** Names in files are as long as somebody made them. */
const MESSAGE = 2000;

/**
 * What goes wrong in the room of policies: a policy that can't be built, or can't fly what it is
 * given.
 */
export class PolicyError extends CodedError {
  override readonly name: string = "PolicyError";

  /** @param message may quote a file: it is cut where it gets long, and what can't be seen is made visible */
  constructor(code: string, message: string, hint: string, options: ErrorOptions = {}) {
    const cut = message.length > MESSAGE ? `${message.slice(0, MESSAGE)}…` : message;
    super(code, visibleText(cut), hint, options);
  }
}

/** A file that can't be read as a checkpoint, or isn't whole. */
export class CheckpointError extends PolicyError {
  override readonly name = "CheckpointError";
}
