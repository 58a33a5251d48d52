import { execFileSync } from "node:child_process";

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
  execFileSync("prlimit", ["--pid", String(process.pid), `--fsize=${soft}:unlimited`]);
}

function hasPrlimit(): boolean {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
