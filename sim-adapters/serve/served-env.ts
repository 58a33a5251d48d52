import type { Settings } from "../../protocol/settings.ts";
import type { VectorEnv } from "../vector-env.ts";
import type { LinkOptions } from "./router-link.ts";

/** What a driver asks for in its `hello`. */
export interface OpenRequest {
  /** `env.*` overrides by dotted name, without `env.`. */
  readonly settings: Settings;
  /** Exactly so many, or refuse. Absent: as many as the simulator likes. */
  readonly numEnvs?: number;
  /** Observation groups that are wanted; no others are sent. Absent: all. */
  readonly groups?: readonly string[];
}

/** An environment to be served, with what it tells its driver. */
export interface ServedEnv extends VectorEnv {
  /** The settings in effect, defaults included. */
  readonly settings: Settings;
  /** Lines for the person who drives. */
  readonly notices: readonly string[];
}

export interface ServeOptions extends LinkOptions {
  /** Builds the environment for a driver; errors with `code` and `hint` reach the driver in their own words. */
  readonly open: (request: OpenRequest) => Promise<ServedEnv>;
  /** How the server calls itself to its drivers. */
  readonly name?: string;
  readonly version?: string;
  /** Ends after the first session that closes. */
  readonly once?: boolean;
  /** `off`: tensors always travel as frames. Default `auto`: through memory where a driver on this machine can. */
  readonly sharedMemory?: "auto" | "off";
  /** A line for whoever runs the server. */
  readonly onLog?: (line: string) => void;
}
