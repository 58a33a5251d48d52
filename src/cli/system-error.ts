import { readFileSync } from "node:fs";
import { ConfigError } from "../config/config-error.ts";
import { exitCodes } from "../training/exit-codes.ts";

/** A flight has up to 115 at once, sockets and libraries among them; past its limit ZeroMQ aborts the process. */
const leastFiles = 128;

/**
 * Before the first library is loaded: one that can't be opened is a puzzle later on. Where the system doesn't
 * say how many files it allows (macOS), nothing is refused. @throws ConfigError `too-few-files`
 */
export function refuseFewFiles(): void {
  const allowed = openFilesAllowed();
  if (allowed === undefined || allowed >= leastFiles) return;
  throw new ConfigError(
    "too-few-files",
    `This shell allows ${allowed} open files; a flight needs ${leastFiles}`,
    "Allow more in the shell that starts it: ulimit -n 1024.",
  );
}

function openFilesAllowed(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const found = /^Max open files\s+(\d+)/m.exec(limits);
    return found ? Number(found[1]) : undefined;
  } catch {
    return undefined;
  }
}

/** What the system refuses, in words for people. */
export interface Explained {
  readonly message: string;
  readonly hint: string;
  readonly exitCode: number;
}

/** Errors of the system that are no mistake of ours and not a file's alone; undefined for all others. */
export function explainSystemError(error: unknown): Explained | undefined {
  const { code, syscall, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall === "uv_cwd") {
    return {
      message: "The folder this was started in is gone",
      hint: "Go to one that is there, e.g. cd ~, and start again.",
      exitCode: exitCodes.badInput,
    };
  }
  if (code === "EMFILE" || code === "ENFILE") {
    return {
      message: `Too many files are open for what this shell allows (${message})`,
      hint: "Allow more in the shell that starts it: ulimit -n 1024. A run goes on with --resume.",
      exitCode: exitCodes.internal,
    };
  }
  if (code === "ENOSPC" || code === "EDQUOT") {
    return {
      message: `No space left, of bytes or of files: ${message}`,
      hint: "Free some space, or set TMPDIR to a folder that has some; a run goes on with --resume.",
      exitCode: exitCodes.internal,
    };
  }
  if (syscall === "mkdtemp") {
    return {
      message: `No folder for temporary files can be made: ${message}`,
      hint: "Set TMPDIR to a folder that is there and may be written.",
      exitCode: exitCodes.badInput,
    };
  }
  return undefined;
}
