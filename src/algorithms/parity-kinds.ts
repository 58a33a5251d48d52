import type { ParityKind } from "../learning/parity/reference.ts";
import { cqlParity } from "./cql/parity.ts";
import { distillationParity } from "./distillation/parity-kind.ts";
import { iqlParity } from "./iql/parity.ts";
import { lapoParity } from "./lapo/parity.ts";
import { rebracParity } from "./rebrac/parity.ts";
import { td3BcParity } from "./td3_bc/parity.ts";

/** Every kind of recorded updates that can be repeated; the first that recognises a file takes it. */
export const parityKinds: readonly ParityKind[] = [
  distillationParity,
  td3BcParity,
  rebracParity,
  iqlParity,
  cqlParity,
  lapoParity,
];
