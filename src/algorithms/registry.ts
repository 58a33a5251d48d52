import type { Algorithm } from "./algorithm.ts";
import { bc } from "./bc/algorithm.ts";
import { cql } from "./cql/algorithm.ts";
import { distillation } from "./distillation/algorithm.ts";
import { iql } from "./iql/algorithm.ts";
import { lapo } from "./lapo/algorithm.ts";
import { rebrac } from "./rebrac/algorithm.ts";
import { reinforce } from "./reinforce/algorithm.ts";
import { sac } from "./sac/algorithm.ts";
import { td3Bc } from "./td3_bc/algorithm.ts";
import { wolpertinger } from "./wolpertinger/algorithm.ts";
import { worldModel } from "./world_model/algorithm.ts";

/** Every algorithm there is: the only list. The first is meant where none is named. */
export const algorithms: readonly [Algorithm, ...Algorithm[]] = [
  distillation,
  bc,
  td3Bc,
  rebrac,
  iql,
  cql,
  worldModel,
  lapo,
  sac,
  reinforce,
  wolpertinger,
];

/** By its name, however it is spelt: `Distillation` in files of rsl_rl. */
export function algorithmNamed(name: string): Algorithm | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  return algorithms.find((algorithm) => plain(algorithm.name) === plain(name));
}

/** What a flag named, or the first where it named none there is. */
export function algorithmMeant(name: unknown): Algorithm {
  return (typeof name === "string" && algorithmNamed(name)) || algorithms[0];
}
