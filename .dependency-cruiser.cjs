/** The arrows between rooms; ARCHITECTURE.md draws them. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: from },
  to: { path: "^(src|protocol|policies|sim-adapters|test|bench)/", pathNot: allowed },
});

module.exports = {
  forbidden: [
    only("protocol-imports-nothing", "^protocol/", "^protocol/", "what travels knows nobody"),
    only(
      "policies-know-spec-and-frame",
      "^policies/",
      "^policies/|^protocol/(spec|frame)\\.ts$",
      "who flies knows only what it sees",
    ),
    only(
      "adapters-know-protocol",
      "^sim-adapters/",
      "^sim-adapters/|^protocol/",
      "who we fly in knows only what travels",
    ),
    only(
      "src-knows-no-tests",
      "^src/",
      "^(src|protocol|policies|sim-adapters)/",
      "nothing leans on tests or bench",
    ),
    {
      name: "learning-knows-no-loop",
      severity: "error",
      comment: "learners know what a program is, and not who compiles it",
      from: { path: "^src/learning/" },
      to: {
        path: "^src/(running|runs|tui|cli|config|engine)/",
        pathNot: "^src/engine/compile/program\\.ts$",
      },
    },
    {
      name: "running-knows-no-concrete-class",
      severity: "error",
      from: { path: "^src/running/" },
      to: { path: "^src/(runs|tui|cli|config|engine)/|^sim-adapters/(remote|mujoco|serve)/" },
    },
    {
      name: "metrics-are-leaves",
      severity: "error",
      from: { path: "^src/metrics/" },
      to: { path: "^src/(running|runs|tui|cli|learning|engine)/" },
    },
    {
      name: "only-the-codec-packs",
      severity: "error",
      from: { pathNot: "^(protocol/codec\\.ts$|test/|bench/)" },
      to: { path: "node_modules/msgpackr" },
    },
    {
      name: "sockets-live-in-adapters",
      severity: "error",
      from: { pathNot: "^(sim-adapters/|src/engine/|test/|bench/)" },
      to: { path: "node_modules/zeromq" },
    },
    {
      name: "tensors-live-in-policies-learning-engine",
      severity: "error",
      from: { pathNot: "^(policies/|src/learning/|src/engine/|test/|bench/)" },
      to: { path: "node_modules/@tensorflow" },
    },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
