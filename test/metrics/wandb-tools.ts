/** What W&B's own program says of a run folder, and what it uploads from it. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { runProgram, type Tools } from "./python.ts";
import { type StandIn, startWandbServer } from "./wandb-server.ts";

export interface Inspected {
  readonly num: number;
  readonly kind: string;
  readonly text: string;
}

/** `wandb leet inspect`: every record, as the program prints it. */
export async function inspect(tools: Tools, folder: string): Promise<Inspected[]> {
  const { code, stdout, stderr } = await runProgram(tools.wandb, ["leet", "inspect", folder], {
    env: wandbEnvironment(dirname(folder)),
  });
  if (code !== 0) throw new Error(`wandb leet inspect: ${stderr}${stdout.slice(-500)}`);
  return stdout
    .split(/^(?=# record )/m)
    .filter((text) => text.startsWith("# record"))
    .map((text) => {
      const [, num, kind] = /^# record (\d+): (\w+)/.exec(text)!;
      return { num: Number(num), kind: kind!, text };
    });
}

/** Nobody's account, nobody's settings; a server only where one is given. */
export function wandbEnvironment(folder: string, server?: StandIn): NodeJS.ProcessEnv {
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  const { PATH } = process.env;
  const online = server && { WANDB_BASE_URL: server.url, WANDB_API_KEY: "0".repeat(40) };
  return { PATH, HOME: home, WANDB_DIR: home, WANDB_ERROR_REPORTING: "false", ...online };
}

/** `wandb sync` against a stand-in server; gives back what the server received. */
export async function sync(tools: Tools, folder: string): Promise<StandIn & { said: string }> {
  const server = await startWandbServer();
  try {
    const env = wandbEnvironment(dirname(folder), server);
    const { code, stdout, stderr } = await runProgram(tools.wandb, ["sync", folder], { env });
    if (code !== 0) throw new Error(`wandb sync: ${stderr}${stdout}`);
    return { ...server, said: stdout + stderr };
  } finally {
    await server.close();
  }
}

/** A line of W&B's JSON, in which NaN and the infinities may stand unquoted. */
export function parseLine(line: string): Record<string, unknown> {
  const quoted = line.replace(/([:,[])(NaN|-?Infinity)(?=[,}\]])/g, '$1"$2"');
  return JSON.parse(quoted, (_key, value) =>
    value === "NaN" || value === "Infinity" || value === "-Infinity" ? Number(value) : value,
  );
}

export function historyOf(server: StandIn): Record<string, unknown>[] {
  return (server.streams.get("wandb-history.jsonl") ?? []).map(parseLine);
}
