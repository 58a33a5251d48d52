/** The arrows between rooms; ARCHITECTURE.md draws them. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: from },
  to: { path: "^(src|protocol|policies|sim-adapters|test|bench)/", pathNot: allowed },
});

/** A room of `src` and the other parts of `src` that it may import. */
const rooms = (name, room, allowed) => ({
  name,
  severity: "error",
  from: { path: `^src/${room}/` },
  to: { path: "^src/", pathNot: `^src/(${allowed})` },
});

module.exports = {
  forbidden: [
    only("protocol-imports-nothing", "^protocol/", "^protocol/", "what travels knows nobody"),
    only(
      "policies-know-spec-and-frame",
      "^policies/",
      "^policies/|^protocol/(spec|frame|coded-error|nearest|parse-json|protobuf|visible)\\.ts$",
      "who flies knows only what it sees",
    ),
    only(
      "adapters-know-protocol",
      "^sim-adapters/",
      "^sim-adapters/|^protocol/",
      "who we fly in knows only what travels",
    ),
    {
      name: "a-simulator-knows-no-other",
      comment: "what two share belongs into sim-adapters/inside",
      severity: "error",
      from: { path: "^sim-adapters/(inside|mujoco|patient|slates)/" },
      to: { path: "^sim-adapters/(mujoco|patient|slates)/", pathNot: "^sim-adapters/$1/" },
    },
    only(
      "src-knows-no-tests",
      "^src/",
      "^(src|protocol|policies|sim-adapters)/",
      "nothing leans on tests or bench",
    ),
    // A learner knows what a program is, and not who compiles it.
    rooms(
      "learning-knows-no-loop",
      "learning",
      "learning|metrics/metric-sink|engine/compile/program\\.ts$",
    ),
    {
      name: "datasets-know-no-loop",
      comment: "flights on disk know what travels and what a learner asks for",
      severity: "error",
      from: { path: "^src/datasets/" },
      to: {
        path: "^(src|policies|protocol|sim-adapters)/",
        pathNot:
          "^src/(datasets|disk)/|^src/learning/(experience|learner|stage)\\.ts$|^policies/(random|named-array)\\.ts$|^protocol/(spec|frame|coded-error|parse-json|visible)\\.ts$",
      },
    },
    {
      name: "hdf5-lives-in-datasets",
      severity: "error",
      from: { pathNot: "^src/datasets/" },
      to: { path: "node_modules/h5wasm" },
    },
    rooms("running-knows-stages-not-algorithms", "running", "running|learning|metrics"),
    {
      name: "running-knows-no-simulator",
      severity: "error",
      from: { path: "^src/running/" },
      to: { path: "^sim-adapters/(remote|mujoco|serve)/" },
    },
    rooms(
      "algorithms-know-no-program",
      "algorithms",
      "algorithms|learning|running|datasets|runs|metrics|config/(leaf|config-error|schema|idle)|engine/compile/program\\.ts$",
    ),
    {
      name: "an-algorithm-knows-no-other",
      comment: "what two share belongs into src/learning, or offline/ here",
      severity: "error",
      from: { path: "^src/algorithms/([^/]+)/" },
      to: { path: "^src/algorithms/[^/]+/", pathNot: "^src/algorithms/($1|offline)/" },
    },
    rooms("metrics-are-leaves", "metrics", "metrics|disk|config/schema"),
    rooms("engine-knows-nobody", "engine", "engine|disk"),
    rooms("disk-knows-nobody", "disk", "disk"),
    rooms("runs-know-no-algorithm", "runs", "runs|running|learning|metrics|disk"),
    rooms("screen-knows-state-alone", "tui", "tui|metrics|running/requests|runs|disk"),
    rooms(
      "configuration-is-data",
      "config",
      "config|algorithms|running/env-split|running/running-error",
    ),
    rooms("a-flight-knows-no-session", "training", "(?!cli/|api/|session/)"),
    rooms("a-session-knows-no-command", "session", "(?!cli/|api/)"),
    rooms("programs-call-no-command", "api", "(?!cli/)"),
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
      from: { pathNot: "^(policies/|src/(learning|algorithms|engine)/|test/|bench/)" },
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
