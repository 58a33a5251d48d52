import { CodedError } from "../../protocol/coded-error.ts";
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
export class RemoteError extends CodedError {
  override readonly name = "RemoteError";
  readonly fatal: boolean;

  constructor(code: string, message: string, detail: RemoteErrorDetail) {
    super(code, visibleText(message), visibleText(detail.hint), detail);
    this.fatal = detail.fatal ?? true;
  }
}
