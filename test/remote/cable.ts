import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { atEnd } from "./servers.ts";

/** A TCP relay that can be cut. */
export class Cable {
  readonly endpoint: string;
  readonly #ends: Set<Socket>;

  private constructor(server: Server, ends: Set<Socket>) {
    this.endpoint = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#ends = ends;
  }

  static async lay(to: { port: number; host: string }): Promise<Cable> {
    const ends = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect(to);
      for (const [end, other] of [
        [near, far],
        [far, near],
      ] as const) {
        ends.add(end);
        end.on("error", () => {}).on("close", () => other.destroy());
        end.pipe(other);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const cable = new Cable(server, ends);
    atEnd(() => {
      server.close();
      cable.cut();
    });
    return cable;
  }

  /** Ends what is connected now; new connections are taken again. */
  cut(): void {
    for (const end of this.#ends) end.destroy();
    this.#ends.clear();
  }
}
