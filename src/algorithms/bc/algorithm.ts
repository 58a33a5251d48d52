import { offlineAlgorithm } from "../offline/offline-algorithm.ts";
import { bcSettings } from "./settings.ts";

export const bc = offlineAlgorithm({
  name: "bc",
  summary: "behaviour cloning of recorded flights, of all or of the best",
  settings: bcSettings,
  flags: [["--bc_fraction", "X", "algorithm.bc_fraction"]],
  loss: "Loss/bc",
  lossLabel: "Imitation",
  create: async (settings, site) => (await import("./learner.ts")).createBc(settings, site),
});
