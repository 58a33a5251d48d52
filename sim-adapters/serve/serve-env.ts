import { EnvHost } from "./env-host.ts";
import { RouterLink } from "./router-link.ts";
import type { ServeOptions } from "./served-env.ts";

export type { OpenRequest, ServedEnv, ServeOptions } from "./served-env.ts";

export interface EnvServer {
  /** Where it listens, with the real port; in dial-out mode the address dialled. */
  readonly endpoint: string;
  /** Closes the environment and the socket. */
  close(): Promise<void>;
  /** Settles when the server has closed. */
  readonly done: Promise<void>;
}

/**
 * Serves an in-process environment under protocol/README.md. One driver at a time, no step carried out twice,
 * malformed input answered with an error and never more.
 *
 * @throws EndpointError or ServeError when the address cannot be used, or must not be.
 */
export async function serveEnv(options: ServeOptions): Promise<EnvServer> {
  const link = await RouterLink.open(options);
  let end: Promise<void> | undefined;
  const close = (): Promise<void> => {
    end ??= host.close().finally(() => link.close());
    return end;
  };
  const host = new EnvHost(options, link, () => {
    if (options.once === true) void close();
  });
  const done = link.listen((from, frames) => host.receive(from, frames)).finally(close);
  return { endpoint: link.endpoint, close, done };
}
