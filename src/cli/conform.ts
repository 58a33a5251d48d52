import { type Command, InvalidArgumentError } from "commander";
import { nearest } from "../../protocol/nearest.ts";
import { conform, type Finding, laws } from "../../sim-adapters/conform/conform.ts";
import { type ClientCurve, readClientCurve } from "../../sim-adapters/curve-keys.ts";
import { checkEndpoint, refuseOpenLine } from "../../sim-adapters/endpoint.ts";
import { ConfigError } from "../config/config-error.ts";
import { exitCodes } from "../training/exit-codes.ts";

interface ConformFlags {
  readonly num_envs?: number;
  readonly law?: readonly string[];
  readonly steps: number;
  readonly startup_timeout: number;
  readonly curve_server_key_file?: string;
  readonly curve_client_key_file?: string;
  readonly insecure?: boolean;
  readonly json?: boolean;
}

export function registerConform(program: Command): void {
  program
    .command("conform")
    .description("check a running simulator against protocol/README.md, law by law")
    .argument("<endpoint>", "ipc://PATH or tcp://HOST:PORT of a simulator that nobody drives")
    .option("--num_envs <N>", "environments to ask for (default: the simulator's number)", whole)
    .option("--law <NAME>", "this law only; repeatable", append)
    .option("--steps <N>", "longest flight of one law, control steps", whole, 1200)
    .option("--startup_timeout <S>", "seconds a simulator may take to be there", whole, 300)
    .option("--curve_server_key_file <FILE>", "the simulator's public CURVE key")
    .option("--curve_client_key_file <FILE>", "our own secret CURVE key")
    .option("--insecure", "without keys also where the simulator is on another machine")
    .option("--json", "one JSON document")
    .action(check);
}

async function check(endpoint: string, flags: ConformFlags): Promise<void> {
  checkEndpoint(endpoint);
  for (const name of flags.law ?? []) refuseUnknown(name);
  const curve = await curveOf(flags);
  refuseOpenLine(endpoint, curve !== undefined || flags.insecure === true);
  const findings = await conform({
    endpoint,
    ...(curve === undefined ? {} : { curve }),
    steps: flags.steps,
    startupTimeout: flags.startup_timeout,
    ...(flags.num_envs === undefined ? {} : { numEnvs: flags.num_envs }),
    ...(flags.law === undefined ? {} : { only: flags.law }),
    onFinding: (finding) => flags.json || console.log(line(finding)),
  });
  const broken = findings.filter(({ verdict }) => verdict === "broken").length;
  const conforms = broken === 0;
  if (flags.json) console.log(JSON.stringify({ endpoint, conforms, findings }, null, 2));
  else console.log(summary(findings, broken));
  process.exitCode = conforms ? exitCodes.ok : exitCodes.checkFailed;
}

/** @throws ConfigError when only one side's key is given, EndpointError for a bad file. */
async function curveOf(flags: ConformFlags): Promise<ClientCurve | undefined> {
  const { curve_server_key_file: server, curve_client_key_file: own } = flags;
  if (server === undefined && own === undefined) return undefined;
  if (server !== undefined && own !== undefined) return readClientCurve(server, own);
  throw new ConfigError(
    "bad-curve",
    "CURVE needs the simulator's public key and our own secret key, and only one of them is given",
    "Give both --curve_server_key_file and --curve_client_key_file.",
  );
}

const marks = { holds: "✓", broken: "✗", "not-tested": "–" } as const;

function line({ law, section, claim, verdict, detail }: Finding): string {
  const head = `${marks[verdict]} ${law.padEnd(20)} §${section.padEnd(2)} ${claim}`;
  return detail === ""
    ? head
    : `${head}\n  ${"".padEnd(20)} ${verdict === "broken" ? "→" : " "}  ${detail}`;
}

function summary(findings: readonly Finding[], broken: number): string {
  const untested = findings.filter(({ verdict }) => verdict === "not-tested").length;
  const hold = findings.length - broken - untested;
  return `${hold} laws hold, ${broken} are broken, ${untested} could not be told.`;
}

function refuseUnknown(name: string): void {
  const known = laws.map((law) => law.name);
  if (known.includes(name)) return;
  const near = nearest(name, known);
  const guess = near === undefined ? "" : ` Did you mean ${near}?`;
  throw new ConfigError(
    "unknown-law",
    `there is no law ${JSON.stringify(name)}`,
    `Known: ${known.join(", ")}.${guess}`,
  );
}

function whole(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("Expected a whole number from 1.");
}

function append(name: string, names: readonly string[] = []): readonly string[] {
  return [...names, name];
}
