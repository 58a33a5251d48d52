import { expect } from "vitest";
import { conform } from "../../sim-adapters/conform/conform.ts";
import { connectRemote, type RemoteOptions } from "../../sim-adapters/remote/remote-env.ts";
import { type ServeOptions, serveEnv } from "../../sim-adapters/serve/serve-env.ts";
import { atEnd, socketFile } from "./servers.ts";

/** A simulator of this process behind a socket, to the end of the test; gives the endpoint. */
export async function serveHere(open: ServeOptions["open"]): Promise<string> {
  const server = await serveEnv({ bind: socketFile(), open });
  atEnd(() => server.close());
  return server.endpoint;
}

/** A connection to the end of the test. */
export async function connectHere(options: RemoteOptions) {
  const env = await connectRemote(options);
  atEnd(() => env.close());
  return env;
}

/** Of frames, episodes and snapshots: what a simulator inside keeps whatever it simulates. */
const laws = [
  ...["specification", "frame", "result", "seeds", "bitwise", "bounds", "snapshot"],
  ...["same-step", "final-observations", "clock", "bad-value"],
];

export async function expectLaws(endpoint: string): Promise<void> {
  const findings = await conform({ endpoint, only: laws });
  expect(findings.map(({ law, verdict }) => `${law} ${verdict}`)).toEqual(
    findings.map(({ law }) => `${law} holds`),
  );
  expect(findings).toHaveLength(11);
}
