import {
  checkpoints,
  configurations,
  dataSets,
  members,
  models,
  programs,
  references,
} from "./files.ts";
import { replies, requests } from "./messages.ts";
import { pythonRequests } from "./python-server.ts";
import type { Target } from "./target.ts";

/** Everything that takes bytes from strangers. */
export const targets = {
  requests,
  replies,
  python: pythonRequests,
  checkpoints: () => checkpoints,
  members: () => members,
  programs: () => programs,
  models: () => models,
  references: () => references,
  configurations,
  datasets: dataSets,
} as const satisfies Readonly<Record<string, () => Target | Promise<Target>>>;

export type TargetName = keyof typeof targets;
