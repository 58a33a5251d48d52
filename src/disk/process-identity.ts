import { readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { isRunning } from "./is-running.ts";

/** What tells a process from every other, also from later ones of its number, in other containers, on other hosts. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Id of the machine's boot; null where the system has none (macOS). */
  readonly boot: string | null;
  /** The namespace its number counts in: a container's, or the machine's; null as above. */
  readonly space: string | null;
  /** When it was started, in ticks of the clock since the boot; null as above. */
  readonly born: number | null;
  readonly user: string;
}

export type Fate =
  | "runs"
  /** There is no process of that number. */
  | "gone"
  /** There is one, and it is another. */
  | "replaced"
  /** On another machine, of another boot, or in another container: it can't be looked at from here. */
  | "elsewhere";

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    ...surroundings(),
    born: bornOf("self"),
    user: us(),
  };
}

/**
 * What has become of a process. What its identity lacks, as those of version 0.1 do, is not compared.
 *
 * @param seen Unix seconds of a moment at which it was running: whoever was born later is another
 */
export function fateOf(
  known: Partial<ProcessIdentity> & { readonly pid: number; readonly host: string },
  seen?: number,
): Fate {
  const here = surroundings();
  if (known.boot || known.space) {
    if (known.boot !== here.boot || known.space !== here.space) return "elsewhere";
  } else if (known.host !== hostname()) return "elsewhere";
  if (!isRunning(known.pid)) return "gone";
  const born = bornOf(known.pid);
  if (born === null) return "runs";
  if (typeof known.born === "number") return known.born === born ? "runs" : "replaced";
  const since = bootTime();
  // Two seconds for clocks that were set meanwhile.
  const later = seen !== undefined && since !== null && since + born / ticks > seen + 2;
  return later ? "replaced" : "runs";
}

/** Linux counts in hundredths of a second wherever programs can see it (USER_HZ). */
const ticks = 100;

function surroundings() {
  return {
    boot: textOf("/proc/sys/kernel/random/boot_id"),
    space: linkOf("/proc/self/ns/pid"),
  };
}

/** Field 22 of its `stat`; the second, its name in brackets, may hold anything. */
function bornOf(pid: number | "self"): number | null {
  const fields = textOf(`/proc/${pid}/stat`)?.replace(/^.*\)/s, "").trim().split(/\s+/);
  const born = Number(fields?.[19]);
  return fields !== undefined && Number.isFinite(born) ? born : null;
}

/** Unix seconds. */
function bootTime(): number | null {
  const found = /^btime (\d+)$/m.exec(textOf("/proc/stat") ?? "");
  return found ? Number(found[1]) : null;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** A container's user may have no name. */
function us(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "");
  }
}
