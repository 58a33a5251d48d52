import { closedLoopParity } from "../learning/parity/anaesthesia/closed-loops.ts";
import { trajectoryParity } from "../learning/parity/anaesthesia/trajectories.ts";
import type { AnyKind } from "../learning/parity/run-parity.ts";
import { sardineParity } from "../learning/parity/slates/sardine.ts";
import { mctxParity } from "../learning/planning/mctx-parity.ts";
import { cqlParity } from "./cql/parity.ts";
import { distillationParity } from "./distillation/parity-kind.ts";
import { iqlParity } from "./iql/parity.ts";
import { lapoParity } from "./lapo/parity.ts";
import { rebracParity } from "./rebrac/parity.ts";
import { td3BcParity } from "./td3_bc/parity.ts";

/** Every kind of recorded results that can be repeated; the first that recognises a file takes it. */
export const parityKinds: readonly AnyKind[] = [
  distillationParity,
  td3BcParity,
  rebracParity,
  iqlParity,
  cqlParity,
  lapoParity,
  mctxParity,
  trajectoryParity,
  closedLoopParity,
  sardineParity,
];
