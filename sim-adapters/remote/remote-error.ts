import { visibleText } from "../../protocol/visible.ts";

export interface RemoteErrorDetail {
  readonly hint: string;
  readonly cause?: unknown;
  /** The simulator cannot be used any more; a new connection may. Default true. */
  readonly fatal?: boolean;
}

/**
 * The simulator at the other end cannot be used, or refused something. Codes of this side: `not-started`,
 * `simulator-lost`, `epoch-changed`, `spec-changed`, `bad-reply`, `call-in-flight`, `curve-refused`, `closed`,
 * `aborted`; any other is the server's own (protocol/README.md §7).
 */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  readonly code: string;
  readonly hint: string;
  readonly fatal: boolean;

  constructor(code: string, message: string, { hint, cause, fatal = true }: RemoteErrorDetail) {
    super(visibleText(message), cause === undefined ? {} : { cause });
    this.code = code;
    this.hint = visibleText(hint);
    this.fatal = fatal;
  }
}
