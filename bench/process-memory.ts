/** Memory and processor time of other processes, as Linux's /proc tells. */
import { readFileSync } from "node:fs";

export interface ProcessFigures {
  /** Resident now, MB (10⁶ bytes). */
  readonly resident: number;
  /** The most it ever was, MB. */
  readonly peak: number;
  /** User and system, seconds. */
  readonly cpuSeconds: number;
}

/** Ticks of the kernel's clock in /proc/PID/stat; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Undefined where there is no such process, or no /proc. */
export function lookAt(pid: number): ProcessFigures | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in brackets may hold blanks; user and system time are the 14th and 15th field.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const megabytes = (name: string) => {
      const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
      return (Number(kilobytes) * 1024) / 1e6;
    };
    const peak = megabytes("VmHWM");
    // A process that has ended but was not waited for has no memory any more.
    if (!Number.isFinite(peak)) return undefined;
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
    return { resident: megabytes("VmRSS"), peak, cpuSeconds };
  } catch {
    return undefined;
  }
}

/** Processes that a process started, from its first thread. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return list.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
