import { inspect } from "node:util";
import { CommanderError } from "commander";
import { visibleText, wordsOf } from "../../protocol/visible.ts";
import { exitCodeOf, exitCodes } from "../training/exit-codes.ts";
import { explainSystemError } from "./system-error.ts";

/** The text for stderr and the exit code of whatever ended the command. */
export interface ErrorReport {
  /** Empty where all has been said. */
  readonly text: string;
  readonly exitCode: number;
}

/**
 * `firstsolo: <message>` and `  → <hint>`.
 *
 * @param options `debug` shows the stack as well: FIRSTSOLO_DEBUG=1; `command`: whose help is pointed to.
 */
export function reportError(
  error: unknown,
  { debug, command }: { readonly debug: boolean; readonly command?: string },
): ErrorReport {
  if (error instanceof CommanderError) return usageReport(error, command);
  const system = explainSystemError(error);
  if (system) {
    const text = lines(system.message, system.hint) + (debug ? `${inspect(error)}\n` : "");
    return { text, exitCode: system.exitCode };
  }
  const exitCode = exitCodeOf(error);
  const { message, hint } = (error ?? {}) as Record<string, unknown>;
  const said = typeof message === "string" ? message : wordsOf(error);
  const expected = typeof hint === "string";
  const title = expected || exitCode === exitCodes.interrupted ? said : `internal error: ${said}`;
  const bug = "FIRSTSOLO_DEBUG=1 shows where; please report it.";
  const next = expected ? hint : exitCode === exitCodes.interrupted ? "" : bug;
  return { text: lines(title, next) + (debug ? `${inspect(error)}\n` : ""), exitCode };
}

/** Commander's `error: unknown option '--x'\n(Did you mean --y?)`; help and version have no error in them. */
function usageReport(error: CommanderError, command: string | undefined): ErrorReport {
  if (error.exitCode === 0) return { text: "", exitCode: exitCodes.ok };
  if (error.code === "commander.help") return { text: "", exitCode: exitCodes.badInput };
  const [first = "", ...rest] = error.message.split("\n");
  const guess = rest
    .join(" ")
    .trim()
    .replace(/^\((.*)\)$/s, "$1");
  const help =
    command === undefined
      ? "`firstsolo --help` lists commands."
      : `\`firstsolo ${command} --help\` lists its options.`;
  const hint = guess === "" ? help : guess;
  return { text: lines(first.replace(/^error: /, ""), hint), exitCode: exitCodes.badInput };
}

/** Names in files of others are in the words too: nothing in them may steer a terminal. */
function lines(message: string, hint: string): string {
  const next = hint === "" ? "" : `  → ${visibleText(hint)}\n`;
  return `firstsolo: ${visibleText(message)}\n${next}`;
}
