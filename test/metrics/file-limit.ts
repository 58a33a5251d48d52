import { execFileSync } from "node:child_process";

/** Of util-linux; changes the limits of a process that runs. */
const tool = "prlimit";

/** Whether this system can take a process's disk away while it runs. */
export const canLimitFiles = process.platform === "linux" && hasPrlimit();

/**
 * Lets this process write no file beyond `bytes` until the returned function is called: to a writer
 * that is as good as a full disk.
 */
export function limitFileSize(bytes: number): () => void {
  setLimit(String(bytes));
  return () => setLimit("unlimited");
}

function setLimit(soft: string): void {
  execFileSync(tool, ["--pid", String(process.pid), `--fsize=${soft}:unlimited`]);
}

function hasPrlimit(): boolean {
  try {
    execFileSync(tool, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
