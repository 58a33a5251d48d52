import { checkEndpoint, type EndpointError } from "../../sim-adapters/endpoint.ts";
import { ConfigError } from "./config-error.ts";
import type { Config } from "./schema.ts";

/** The way to the simulator makes sense, whatever the algorithm. @throws ConfigError */
export function checkSimulator({ sim }: Config): void {
  const keys = [sim.curve_server_key_file, sim.curve_client_key_file].filter((file) => file);
  if (sim.endpoint === null) {
    if (!sim.listen && keys.length === 0) return;
    const key = sim.listen ? "sim.listen" : "sim.curve_*_key_file";
    throw new ConfigError(
      "no-endpoint",
      `${key} is set, but no address of a simulator`,
      "Name it: --sim tcp://HOST:PORT.",
    );
  }
  if (keys.length === 1) {
    throw new ConfigError(
      "half-a-key",
      "Only one of sim.curve_server_key_file and sim.curve_client_key_file is set",
      "CURVE needs both: the simulator's public key and our own secret one.",
    );
  }
  try {
    checkEndpoint(sim.endpoint);
  } catch (cause) {
    const { code, message, hint } = cause as EndpointError;
    throw new ConfigError(code, `sim.endpoint: ${message}`, hint, { cause });
  }
}
