import type { Bodies } from "../bodies.ts";
import { type Ray, sceneDistance } from "./rays.ts";
import { hallScene } from "./scene.ts";
import { type CameraSettings, channels, directionsOf } from "./views.ts";

type Poses = Pick<Bodies, "positions">;

/**
 * What the cameras of all environments see, and saw: one byte for depth (0 at the lens, 255 at `far` and beyond)
 * and one for the goal's marker (255 where it is seen, less at its edge, by the share of the pixel that it fills).
 */
export class Film {
  readonly #settings: CameraSettings;
  readonly #directions: readonly Float64Array[];
  /** World frame, m. */
  readonly #goals: Float64Array;
  readonly #shot: number;
  readonly #slots: number;
  /** `[numEnvs, slots, size², views × 2]`: the latest shots, in turn. */
  readonly #shots: Uint8Array;
  /** The slot of the newest shot; one for all environments. */
  readonly #newest = new Uint32Array(1);

  /** @param goals `[numEnvs, 3]`, looked at whenever a picture is taken */
  constructor(numEnvs: number, settings: CameraSettings, goals: Float64Array) {
    this.#settings = settings;
    this.#directions = settings.views.map((view) => directionsOf(view, settings));
    this.#goals = goals;
    this.#shot = settings.size ** 2 * settings.views.length * channels.length;
    this.#slots = (settings.memory - 1) * settings.memoryEvery + 1;
    this.#shots = new Uint8Array(numEnvs * this.#slots * this.#shot);
  }

  /** For a snapshot. */
  get state(): readonly (Uint8Array | Uint32Array)[] {
    return [this.#shots, this.#newest];
  }

  /** A control step has passed: a new shot in every environment. */
  shoot(poses: Poses): void {
    this.#newest[0] = (this.#newest[0]! + 1) % this.#slots;
    const envs = this.#shots.length / (this.#slots * this.#shot);
    for (let i = 0; i < envs; i++) this.#take(i, poses);
  }

  /** Episodes begin in these environments: what was before looked the same. */
  begin(envs: Int32Array, poses: Poses): void {
    for (const i of envs) {
      this.#take(i, poses);
      const newest = this.#at(i, 0);
      for (let slot = 0; slot < this.#slots; slot++) {
        const to = (i * this.#slots + slot) * this.#shot;
        if (to !== newest) this.#shots.copyWithin(to, newest, newest + this.#shot);
      }
    }
  }

  /** `[envs, size, size, memory × views × 2]`: a fresh array, of all environments or of these. */
  copy(envs?: Int32Array): Uint8Array {
    const { memory, memoryEvery } = this.#settings;
    const all = this.#shots.length / (this.#slots * this.#shot);
    const rows = envs ?? Int32Array.from({ length: all }, (_, i) => i);
    const picture = this.#shot * memory;
    const copies = new Uint8Array(rows.length * picture);
    const deep = this.#shot / this.#settings.size ** 2;
    for (const [k, i] of rows.entries()) {
      for (let age = 0; age < memory; age++) {
        const from = this.#at(i, age * memoryEvery);
        for (let at = 0; at < this.#shot; at += deep) {
          const to = k * picture + at * memory + age * deep;
          for (let c = 0; c < deep; c++) copies[to + c] = this.#shots[from + at + c]!;
        }
      }
    }
    return copies;
  }

  /** Where environment `i`'s shot of so many steps ago begins. */
  #at(i: number, ago: number): number {
    const slot = (this.#newest[0]! + this.#slots - ago) % this.#slots;
    return (i * this.#slots + slot) * this.#shot;
  }

  #take(i: number, { positions }: Poses): void {
    const { views, far } = this.#settings;
    const deep = views.length * channels.length;
    const eye = pose(positions, i);
    const marker = this.#marker(i);
    const start = this.#at(i, 0);
    for (const [view, directions] of this.#directions.entries()) {
      for (let k = 0; 3 * k < directions.length; k++) {
        const ray = rotated(eye, directions, 3 * k);
        const behind = sceneDistance(hallScene, ray);
        const seen = this.#see(ray, marker, behind);
        const at = start + k * deep + view * channels.length;
        this.#shots[at] = Math.round(255 * Math.min(1, seen.depth / far));
        this.#shots[at + 1] = Math.round(255 * seen.share);
      }
    }
  }

  #marker(i: number): Vector {
    const [x, y, z] = this.#goals.subarray(3 * i, 3 * i + 3) as unknown as Vector;
    return [x + this.#settings.markerAhead, y, z];
  }

  /** Edges are smoothed over a pixel, so that a marker of few pixels still shows where its middle is. */
  #see(ray: Ray, [x, y, z]: Vector, behind: number): { depth: number; share: number } {
    const { markerRadius: radius, fov, size } = this.#settings;
    const [ox, oy, oz] = [x - ray.px, y - ray.py, z - ray.pz];
    const along = ox * ray.dx + oy * ray.dy + oz * ray.dz;
    if (along <= 0) return { depth: behind, share: 0 };
    const aside = Math.sqrt(Math.max(0, ox * ox + oy * oy + oz * oz - along * along));
    const pixel = (along * fov) / size;
    const share = Math.min(1, Math.max(0, 0.5 + (radius - aside) / pixel));
    if (share === 0) return { depth: behind, share: 0 };
    const depth = along - Math.sqrt(Math.max(0, radius * radius - aside * aside));
    if (depth >= behind) return { depth: behind, share: 0 };
    return { depth: aside < radius ? Math.max(0, depth) : behind, share };
  }
}

type Vector = [x: number, y: number, z: number];

/** Of an eye: where it is, and its attitude's matrix, body to world. */
interface Eye {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly turn: readonly number[];
}

function pose(positions: Float64Array, i: number): Eye {
  const [px, py, pz, w, x, y, z] = positions.subarray(7 * i, 7 * i + 7) as unknown as number[] &
    [number, number, number, number, number, number, number];
  return {
    x: px,
    y: py,
    z: pz,
    turn: [
      ...[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
      ...[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
      ...[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ],
  };
}

function rotated({ x, y, z, turn }: Eye, directions: Float64Array, at: number): Ray {
  const [a, b, c] = [directions[at]!, directions[at + 1]!, directions[at + 2]!];
  return {
    px: x,
    py: y,
    pz: z,
    dx: turn[0]! * a + turn[1]! * b + turn[2]! * c,
    dy: turn[3]! * a + turn[4]! * b + turn[5]! * c,
    dz: turn[6]! * a + turn[7]! * b + turn[8]! * c,
  };
}
