import { join } from "node:path";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { planFlight } from "../../policies/checkpoint/load-teacher.ts";
import { buildGraph } from "../../policies/graph/build-graph.ts";
import type { PolicyGraph } from "../../policies/graph/policy-graph.ts";
import { activationNamed } from "../../policies/networks/activation.ts";
import { cases, dataFolder, type Example } from "./examples.ts";

export interface GraphCase {
  readonly title: string;
  readonly graph: PolicyGraph;
  /** What rsl_rl's own model gave. */
  readonly example: Example;
}

/** The networks of every checkpoint of the tests, as graphs. */
export async function graphCases(): Promise<readonly GraphCase[]> {
  const made: GraphCase[] = [];
  for (const [name, { activation, beta, networks }] of Object.entries(cases)) {
    for (const [role, example] of Object.entries(networks)) {
      const path = join(dataFolder, `${name}.pt`);
      const checkpoint = await readCheckpointFile(path);
      const chosen = role === "actor" ? undefined : (role as "student" | "teacher");
      const { actor } = await planFlight(path, checkpoint, { role: chosen });
      const head = beta
        ? ({ kind: "beta", low: beta[0], high: beta[1] } as const)
        : ({ kind: "mean-and-noise" } as const);
      const graph = buildGraph({ actor, activation: activationNamed(activation).name, head });
      made.push({ title: `${name} ${role}`, graph, example });
    }
  }
  return made;
}
