import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pilotFor } from "../../../sim-adapters/built-in.ts";

/** Flies wherever twelve exact numbers of the nominal quadcopter are seen. */
const hover = "hover-rsl_rl-5.4.2.pt";

/** Tasks whose teacher has to know more. */
const specialists: Readonly<Record<string, string>> = {
  "quadcopter-random": "hover-random-rsl_rl-5.4.2.pt",
};

/** Who teaches where nobody is named: a network that comes with the project, or the task's pilot. */
export function usualTeacher(task: string): string {
  const pilot = pilotFor(task);
  return pilot === "hover" ? shippedTeacher(task) : pilot;
}

/**
 * Path of the teacher that comes with the project for a task. The project's folder lies two above
 * the sources and three above what is compiled from them.
 */
export function shippedTeacher(task: string): string {
  const file = Object.hasOwn(specialists, task) ? specialists[task] : hover;
  const paths = ["../../..", "../../../.."].map((up) =>
    fileURLToPath(new URL(`${up}/policies/teachers/${file}`, import.meta.url)),
  );
  return paths.find(existsSync) ?? paths[0]!;
}
