import { howToCall } from "../../disk/how-to-call.ts";
import type { CompileFacts } from "../compile/probe.ts";
import type { Engine } from "../engine.ts";
import { type Flavour, type Host, howToInstall } from "../install/host.ts";
import type { ZeromqFacts } from "./probe-zeromq.ts";
import type { Compiler, PythonFound } from "./probes.ts";

/** A part that could not be used, in one line. */
export interface Failure {
  readonly failed: string;
  readonly hint?: string;
}

/** What the probes found; the report is made from this alone. */
export interface Facts {
  readonly node: string;
  readonly host: Host;
  readonly engine: Engine | Failure;
  /** Absent where updates run operation by operation. */
  readonly compile?: CompileFacts | Failure;
  /** What the engine warned of while it started. */
  readonly warnings: readonly string[];
  readonly python: PythonFound;
  readonly compiler?: Compiler;
  /** Which TensorFlow lies in the package; absent where there is none. */
  readonly flavour?: Flavour;
  /** Names of the NVIDIA cards that the driver shows. */
  readonly cards: readonly string[];
  readonly zeromq: ZeromqFacts | Failure;
  readonly mujoco: { readonly version: string } | Failure;
  readonly cache: { readonly path: string; readonly bytes: number };
  /** Whether tfjs-node and our own imports share one `@tensorflow/tfjs-core`. */
  readonly oneCore: boolean;
}

export interface Finding {
  /** `error`: no flight is possible; `warning`: worse than it could be; `note`: good to know. */
  readonly level: "error" | "warning" | "note";
  readonly what: string;
  /** What to do about it. */
  readonly do: string;
}

/** The document of `firstsolo doctor --json`; its keys stay as they are. */
export interface Diagnosis {
  readonly ok: boolean;
  readonly node: string;
  readonly engine: {
    readonly backend: string;
    readonly device: string;
    readonly version: string;
    readonly source: string | null;
    readonly threads: number;
    readonly accelerators: readonly string[];
  } | null;
  readonly zeromq: {
    readonly version: string;
    readonly curve: boolean;
    readonly curve_mb_per_s: number | null;
    readonly plain_mb_per_s: number;
  } | null;
  readonly mujoco: { readonly version: string } | null;
  readonly cache: { readonly path: string; readonly bytes: number };
  readonly findings: readonly Finding[];
}

/** Slower than this and encryption is what a large flight waits for, megabytes per second. */
const SLOW_CURVE = 100;

export function diagnose(facts: Facts): Diagnosis {
  const { engine, zeromq, mujoco } = facts;
  const findings = [
    ...nodeFindings(facts.node),
    ...engineFindings(facts),
    ...zeromqFindings(zeromq),
    ...mujocoFindings(mujoco),
  ];
  return {
    ok: !findings.some(({ level }) => level === "error"),
    node: facts.node,
    engine: isFailure(engine)
      ? null
      : {
          backend: engine.backend,
          device: engine.device,
          version: engine.version,
          source: engine.source ?? null,
          threads: engine.threads,
          accelerators: engine.accelerators,
        },
    zeromq: isFailure(zeromq)
      ? null
      : {
          version: zeromq.version,
          curve: zeromq.curve,
          curve_mb_per_s: rounded(zeromq.curveMegabytesPerSecond),
          plain_mb_per_s: Math.round(zeromq.plainMegabytesPerSecond),
        },
    mujoco: isFailure(mujoco) ? null : { version: mujoco.version },
    cache: facts.cache,
    findings,
  };
}

export function isFailure(part: object): part is Failure {
  return "failed" in part;
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value);
}

function nodeFindings(version: string): readonly Finding[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 15)) return [];
  return [{ level: "error", what: `Node ${version} is too old`, do: "Use Node 20.15 or later." }];
}

function engineFindings(facts: Facts): readonly Finding[] {
  const { engine } = facts;
  const findings: Finding[] = [];
  if (isFailure(engine)) {
    const hint = engine.hint ?? "Run: npm install.";
    findings.push({ level: "error", what: engine.failed, do: hint });
  }
  for (const what of facts.warnings) {
    findings.push({ level: "warning", what, do: nextStepTo(facts) });
  }
  if (!facts.oneCore) {
    findings.push({
      level: "error",
      what: "two copies of @tensorflow/tfjs-core are installed, so gradients are not found",
      do: "Remove node_modules and run: npm install.",
    });
  }
  if (isFailure(engine)) return findings;
  if (engine.source === "prebuilt") {
    findings.push({
      level: "warning",
      what: `TensorFlow ${engine.version} is the package's own of 2022`,
      do: nextStepTo(facts),
    });
  }
  if (engine.device === "cpu" && facts.cards.length > 0) {
    findings.push({
      level: "warning",
      what: `${facts.cards[0]} is not used, training runs on the processor`,
      do:
        facts.flavour === "cuda"
          ? `Update NVIDIA's driver; TF_CPP_MIN_LOG_LEVEL=0 ${howToCall("doctor", "--device", "cuda")} shows why.`
          : `Run: FIRSTSOLO_FLAVOUR=cuda ${howToCall("doctor", "--install")}.`,
    });
  }
  return findings;
}

/** What stands between this machine and a native TensorFlow. */
function nextStepTo(facts: Facts): string {
  const missing: string[] = [];
  if ("missing" in facts.python) missing.push(howToInstall(facts.python.missing, facts.host));
  if (facts.compiler === undefined) missing.push(howToInstall("compiler", facts.host));
  return `Run: ${[...missing, howToCall("doctor", "--install")].join(", then ")}.`;
}

function zeromqFindings(zeromq: Facts["zeromq"]): readonly Finding[] {
  if (isFailure(zeromq)) {
    const what = `ZeroMQ does not work: ${zeromq.failed}`;
    return [{ level: "error", what, do: "Run: npm rebuild zeromq." }];
  }
  if (!zeromq.curve) {
    const what = `ZeroMQ ${zeromq.version} can't encrypt (no CURVE)`;
    return [{ level: "note", what, do: "Keep simulators on this machine or a trusted network." }];
  }
  const speed = zeromq.curveMegabytesPerSecond ?? 0;
  const plain = zeromq.plainMegabytesPerSecond;
  // A crowded machine is slow at both: that is none of encryption's.
  if (speed >= Math.min(SLOW_CURVE, plain / 2)) return [];
  return [
    {
      level: "note",
      what: `encrypted messages run at ${speed.toFixed(0)} MB/s, 1/${(plain / speed).toFixed(0)} of plain ones`,
      do: "Encrypt where the network asks for it, and fly over ipc:// on one machine.",
    },
  ];
}

function mujocoFindings(mujoco: Facts["mujoco"]): readonly Finding[] {
  if (!isFailure(mujoco)) return [];
  return [
    {
      level: "warning",
      what: `MuJoCo does not load, so there is no built-in simulator: ${mujoco.failed}`,
      do: "Run: npm install. Simulators of your own still fly: --sim ENDPOINT.",
    },
  ];
}

/** The report for people, one line per part and two per finding. */
export function describeDiagnosis(facts: Facts): string {
  const { engine, compile, zeromq, mujoco, python, compiler, cache, host } = facts;
  const libc = host.glibc === undefined ? "" : `, glibc ${host.glibc}`;
  const lines = [
    row("Node", `${facts.node} on ${host.platform} ${host.arch}${libc}`),
    row("engine", isFailure(engine) ? "none" : engineLine(engine)),
    row("compiled", compile === undefined ? "no" : compileLine(compile)),
    row("cards", facts.cards.join(", ") || "no NVIDIA driver"),
    row("ZeroMQ", isFailure(zeromq) ? "none" : zeromqLine(zeromq)),
    row("MuJoCo", isFailure(mujoco) ? "none" : mujoco.version),
    row("Python", pythonLine(python)),
    row("compiler", compiler?.version ?? "none"),
    row("cache", `${cache.path}, ${(cache.bytes / 1e6).toFixed(0)} MB`),
  ];
  const { findings, ok } = diagnose(facts);
  for (const finding of findings) {
    lines.push("", `  ${finding.level}: ${finding.what}`, `    → ${finding.do}`);
  }
  lines.push("", ok ? "  Ready to fly." : "  Not ready to fly.");
  return lines.join("\n");
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(9)} ${text}`;
}

function engineLine(engine: Engine): string {
  const from = {
    environment: " (from FIRSTSOLO_TENSORFLOW)",
    wheel: " (from the Python wheel)",
    prebuilt: " (the package's own download)",
  };
  return engine.description + (engine.source === undefined ? "" : from[engine.source]);
}

function compileLine(compile: CompileFacts | Failure): string {
  if (isFailure(compile)) return `no: ${compile.failed}`;
  const { firstMilliseconds, eagerMilliseconds, compiledMilliseconds } = compile;
  const gain = (eagerMilliseconds / compiledMilliseconds).toFixed(1);
  const [eager, step] = [eagerMilliseconds, compiledMilliseconds].map((ms) => ms.toFixed(2));
  return `an update takes ${step} ms instead of ${eager} (${gain} times as fast), once ${firstMilliseconds.toFixed(0)} ms`;
}

function zeromqLine(zeromq: ZeromqFacts): string {
  const plain = `plain ${zeromq.plainMegabytesPerSecond.toFixed(0)} MB/s`;
  const curve =
    zeromq.curveMegabytesPerSecond === undefined
      ? "no CURVE"
      : `CURVE ${zeromq.curveMegabytesPerSecond.toFixed(0)} MB/s`;
  return `${zeromq.version}, ${plain}, ${curve}`;
}

function pythonLine(python: PythonFound): string {
  if (!("missing" in python)) return `${python.version}, pip ${python.pipVersion}`;
  return python.missing === "python" ? "none" : `${python.version}, no pip`;
}
