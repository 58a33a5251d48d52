import { rmSync } from "node:fs";
import type { AddressInfo, Server } from "node:net";
import { networkInterfaces } from "node:os";
import { EndpointError } from "../endpoint.ts";

export interface Listening {
  readonly server: Server;
  /** With the real port. */
  readonly endpoint: string;
  /** Removes what listening left in the file system. */
  sweep(): void;
}

/** Listens at a ZeroMQ address with a plain server. @throws EndpointError */
export async function listenAt(server: Server, endpoint: string): Promise<Listening> {
  const [, transport, address = ""] = /^(ipc|tcp):\/\/(.+)$/.exec(endpoint) ?? [];
  return transport === "ipc"
    ? listenAtFile(server, endpoint, address)
    : listenAtPort(server, endpoint, address);
}

async function listenAtFile(server: Server, endpoint: string, path: string): Promise<Listening> {
  const abstract = path.startsWith("@");
  const sweep = () => {
    if (!abstract) rmSync(path, { force: true });
  };
  // A file that a dead process left; a living one was asked for before.
  sweep();
  await listening(server, endpoint, { path: abstract ? `\0${path.slice(1)}` : path });
  return { server, endpoint, sweep };
}

async function listenAtPort(server: Server, endpoint: string, address: string): Promise<Listening> {
  const cut = address.lastIndexOf(":");
  const [name, port] = [address.slice(0, cut), address.slice(cut + 1)];
  const host = addressOf(name);
  await listening(server, endpoint, {
    port: port === "*" ? 0 : Number(port),
    ...(host === undefined ? { host: "0.0.0.0" } : { host }),
  });
  const { port: real } = server.address() as AddressInfo;
  return { server, endpoint: `tcp://${name}:${real}`, sweep: () => {} };
}

/** As ZeroMQ has it: `*` is everywhere, an interface goes by its name. */
function addressOf(name: string): string | undefined {
  if (name === "*") return undefined;
  const bare = name.replace(/^\[(.*)\]$/, "$1");
  const own = networkInterfaces()[bare];
  const chosen = own?.find(({ family }) => family === "IPv4") ?? own?.[0];
  return chosen?.address ?? bare;
}

function listening(server: Server, endpoint: string, where: object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(refused(endpoint, error)));
    server.listen(where, () => {
      server.removeAllListeners("error");
      // Out of descriptors for one who knocks: no reason to end.
      server.on("error", () => {});
      resolve();
    });
  });
}

function refused(endpoint: string, { code = "", message }: NodeJS.ErrnoException): EndpointError {
  if (code === "EADDRINUSE") {
    const hint = "Stop the process that listens there, or choose another port.";
    return new EndpointError("address-in-use", `${endpoint}: another process listens there`, hint);
  }
  const hint = "Check that the address belongs to this machine and the folder exists.";
  return new EndpointError("bad-endpoint", `${endpoint}: ${code || message}`, hint);
}
