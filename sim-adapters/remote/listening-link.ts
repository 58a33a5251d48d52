import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientCurve } from "../curve-keys.ts";
import { checkEndpoint, refuseOpenDoor, refuseTakenFile } from "../endpoint.ts";
import { GuestRoom } from "./guest-room.ts";
import type { Guest, Link, LinkEvents } from "./link.ts";
import { type Listening, listenAt } from "./listen-at.ts";

export interface ListeningOptions {
  readonly endpoint: string;
  readonly curve?: ClientCurve;
}

/** Connections kept at a time: the simulator, its spares, and strangers until they are found out. */
const mostGuests = 16;

/**
 * Waits for a simulator to dial in. A bound DEALER would hand every other request to whoever else connects, a port
 * scan included; so connections are taken by a plain server and every one gets a DEALER of its own, which is spoken to
 * by name. Costs one copy of what travels, in this process.
 */
export class ListeningLink implements Link {
  readonly endpoint: string;
  readonly #server: Server;
  readonly #listening: Listening;
  readonly #folder: string;
  readonly #curve: ClientCurve | undefined;
  readonly #rooms = new Map<Guest, GuestRoom>();
  #chosen: Guest | undefined;
  #count = 0;
  #events: LinkEvents | undefined;

  private constructor(listening: Listening, folder: string, curve: ClientCurve | undefined) {
    this.endpoint = listening.endpoint;
    this.#listening = listening;
    this.#server = listening.server;
    this.#folder = folder;
    this.#curve = curve;
    this.#server.on("connection", (socket: Socket) => this.#knock(socket));
  }

  /** @throws EndpointError */
  static async open({ endpoint, curve }: ListeningOptions): Promise<ListeningLink> {
    checkEndpoint(endpoint);
    refuseOpenDoor(endpoint, curve !== undefined);
    await refuseTakenFile(endpoint);
    const listening = await listenAt(
      createServer({ noDelay: true, pauseOnConnect: true }),
      endpoint,
    );
    return new ListeningLink(listening, await privateFolder(), curve);
  }

  start(events: LinkEvents): void {
    this.#events = events;
  }

  send(frames: readonly Uint8Array[]): void {
    const to = this.#chosen === undefined ? this.others() : [this.#chosen];
    for (const guest of to) this.sendTo(guest, frames);
  }

  sendTo(guest: Guest, frames: readonly Uint8Array[]): void {
    this.#rooms.get(guest)?.send(frames);
  }

  choose(guest: Guest): void {
    if (this.#rooms.has(guest)) this.#chosen = guest;
  }

  get chosen(): Guest | undefined {
    return this.#chosen;
  }

  others(): readonly Guest[] {
    const inside = [...this.#rooms].filter(
      ([guest, room]) => room.entered && guest !== this.#chosen,
    );
    return inside.map(([guest]) => guest);
  }

  judge(guest: Guest, verdict: "peer" | "stranger"): void {
    const room = this.#rooms.get(guest);
    if (room === undefined) return;
    if (verdict === "peer") room.known = true;
    else room.close();
  }

  close(): void {
    this.#events = undefined;
    this.#server.close();
    for (const room of this.#rooms.values()) room.close();
    this.#listening.sweep();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #knock(socket: Socket): void {
    if (this.#events === undefined || !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    const guest = ++this.#count;
    const room = new GuestRoom(socket, join(this.#folder, String(guest)), this.#curve, {
      entered: () => this.#events?.weather({ type: "up", guest }),
      message: (frames) => this.#events?.message(frames, guest),
      left: () => this.#left(guest),
    });
    this.#rooms.set(guest, room);
  }

  /** The oldest that has not yet spoken makes room for who comes; peers stay. */
  #makeRoom(): boolean {
    if (this.#rooms.size < mostGuests) return true;
    const oldest = [...this.#rooms.values()].find((room) => !room.known);
    oldest?.close();
    return oldest !== undefined;
  }

  #left(guest: Guest): void {
    this.#rooms.delete(guest);
    if (this.#chosen !== guest) return;
    this.#chosen = undefined;
    this.#events?.weather({ type: "down" });
  }
}

/** Where nobody else can connect, and the path is short enough for a socket. */
async function privateFolder(): Promise<string> {
  const parent = tmpdir().length > 70 ? "/tmp" : tmpdir();
  return mkdtemp(join(parent, "firstsolo-door-"));
}
