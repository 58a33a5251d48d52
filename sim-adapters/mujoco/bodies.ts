import loadMujoco, { type MainModule, type MjData, type MjModel } from "@mujoco/mujoco";
import { Arena } from "../inside/arena.ts";
import { SimError } from "../inside/sim-error.ts";

export interface BodiesOptions {
  readonly count: number;
  /** s */
  readonly timestep: number;
  /** kg */
  readonly mass: number;
  /** kg·m² about the body's axes, which are its principal axes. */
  readonly inertia: readonly number[];
  /** rad/s; faster rotation is cut back after each physics step, its axis kept. */
  readonly maxAngularVelocity: number;
  /**
   * Most bodies in one MuJoCo model; compiling one takes time with the square of it. Default 256.
   */
  readonly blockSize?: number;
  /** Which of the bodies move here; others move them elsewhere. Default: all. */
  readonly rows?: Rows;
  /** Where the arrays lie. Default: in memory of their own. */
  readonly arena?: Arena;
}

/** Environments `first` … `end - 1`. */
export interface Rows {
  readonly first: number;
  readonly end: number;
}

/** m/s² */
export const gravity = 9.81;

/** MuJoCo's state of bodies `first` … `first + count - 1`: views into its memory. */
interface Block {
  readonly first: number;
  readonly count: number;
  readonly model: MjModel;
  readonly data: MjData;
  qpos: Float64Array;
  qvel: Float64Array;
  force: Float64Array;
}

let library: Promise<MainModule> | undefined;

/**
 * MuJoCo itself, once per process: its memory grows with the largest fleet and is reused after
 * `close`.
 *
 * @throws SimError `no-mujoco`
 */
export function loadLibrary(): Promise<MainModule> {
  library ??= loadMujoco().catch((cause: Error) => {
    library = undefined;
    const message = `MuJoCo could not be loaded: ${cause.message}`;
    const hint = "Run npm install again; @mujoco/mujoco needs no compiler.";
    throw new SimError("no-mujoco", message, { hint, cause });
  });
  return library;
}

/**
 * Free rigid bodies under gravity that never touch, simulated by MuJoCo in blocks. Body i's motion
 * depends on nothing but its own state and wrench: the same bits in any block, in any fleet.
 */
export class Bodies {
  /**
   * `[count, 7]`: position in the world frame, m; attitude as a unit quaternion (w, x, y, z), body
   * to world.
   */
  readonly positions: Float64Array;
  /** `[count, 6]`: velocity in the world frame, m/s; angular velocity in the body frame, rad/s. */
  readonly velocities: Float64Array;
  /**
   * `[count]`: mass of each body, and its moments of inertia with it, as ratios to the options'; 1
   * unless somebody writes here. They take effect at once.
   */
  readonly massRatios: Float64Array;
  readonly #mujoco: MainModule;
  readonly #blocks: readonly Block[];
  readonly #maxAngularVelocity: number;

  private constructor(mujoco: MainModule, blocks: readonly Block[], options: BodiesOptions) {
    this.#mujoco = mujoco;
    this.#blocks = blocks;
    this.#maxAngularVelocity = options.maxAngularVelocity;
    const { arena = new Arena() } = options;
    this.positions = arena.float64(7 * options.count);
    this.velocities = arena.float64(6 * options.count);
    this.massRatios = arena.float64(options.count).fill(1);
    for (let i = 0; i < options.count; i++) this.positions[7 * i + 3] = 1;
  }

  /** @throws SimError `no-mujoco` when its library cannot be loaded. */
  static async load(options: BodiesOptions): Promise<Bodies> {
    const mujoco = await loadLibrary();
    return new Bodies(mujoco, build(mujoco, options), options);
  }

  /** Body `i` at rest and level at (0, 0, `height`). Takes effect at once. */
  place(i: number, height: number): void {
    const { positions, velocities } = this;
    positions.fill(0, 7 * i, 7 * i + 7);
    positions[7 * i + 2] = height;
    positions[7 * i + 3] = 1;
    velocities.fill(0, 6 * i, 6 * i + 6);
  }

  /**
   * Passes `steps` physics steps under a wrench that is constant in the body frame; the thrust is
   * turned into the world frame with the attitude at the start of each step.
   *
   * @param thrust `[count]`, N along body z.
   * @param moment `[count, 3]`, N·m about the body's axes.
   */
  step(thrust: Float64Array, moment: Float64Array, steps: number): void {
    for (const block of this.#blocks) {
      // Views die when MuJoCo's memory grows, which another fleet's building may cause.
      if (block.qpos.length === 0) Object.assign(block, viewsOf(block.data));
      const { first, count, qpos, qvel, model, data } = block;
      qpos.set(this.positions.subarray(7 * first, 7 * (first + count)));
      qvel.set(this.velocities.subarray(6 * first, 6 * (first + count)));
      turn(block, moment, this.massRatios);
      for (let k = 0; k < steps; k++) {
        push(block, thrust, this.massRatios);
        this.#mujoco.mj_step(model, data);
        brake(block, this.#maxAngularVelocity);
      }
      this.positions.set(qpos, 7 * first);
      this.velocities.set(qvel, 6 * first);
    }
  }

  close(): void {
    const models = new Set(this.#blocks.map(({ model }) => model));
    for (const { data } of this.#blocks) data.delete();
    for (const model of models) model.delete();
  }
}

/** Blocks of nearly equal size; those of equal size share a model. */
function build(mujoco: MainModule, { blockSize = 256, ...options }: BodiesOptions): Block[] {
  const blocks: Block[] = [];
  const models = new Map<number, MjModel>();
  const { first: from, end } = options.rows ?? { first: 0, end: options.count };
  const pieces = Math.ceil((end - from) / blockSize);
  for (let first = from, k = 0; first < end; k++) {
    const count = from + Math.floor(((end - from) * (k + 1)) / pieces) - first;
    const model = models.get(count) ?? mujoco.MjModel.from_xml_string(describe(options, count));
    models.set(count, model);
    blocks.push({ first, count, model, ...empty(new mujoco.MjData(model)) });
    first += count;
  }
  // Only now: building a block may have moved the memory of those before it.
  for (const block of blocks) Object.assign(block, viewsOf(block.data));
  return blocks;
}

function empty(data: MjData) {
  const none = new Float64Array(0);
  return { data, qpos: none, qvel: none, force: none };
}

function viewsOf(data: MjData): Pick<Block, "qpos" | "qvel" | "force"> {
  return { qpos: data.qpos, qvel: data.qvel, force: data.qfrc_applied };
}

/**
 * Nothing touches and nothing is joined, so contacts and constraints are off. MuJoCo's remedy for
 * bad numbers, putting every body of the model back to its start, is off as well: one environment
 * must not reset its neighbours. The arena is sized by hand (96 bytes per body are used): MuJoCo's
 * own choice is 190 MB for 256 bodies.
 */
function describe({ timestep, mass, inertia }: BodiesOptions, count: number): string {
  const body =
    `<body><freejoint/><inertial pos="0 0 0" mass="${mass}" ` +
    `diaginertia="${inertia.join(" ")}"/></body>`;
  return (
    `<mujoco><option timestep="${timestep}" gravity="0 0 -${gravity}" integrator="Euler">` +
    '<flag contact="disable" constraint="disable" autoreset="disable"/></option>' +
    `<size memory="${64 + count}K"/>` +
    `<worldbody>${body.repeat(count)}</worldbody></mujoco>`
  );
}

/**
 * Moments: a free joint takes them in the body frame.
 *
 * A body of r times the mass and inertia moves under r times the wrench exactly as the nominal one
 * does under the wrench: m r v̇ = r f + m r g, and r I ω̇ = r τ − ω × r I ω. So the wrench is
 * divided and the model, shared by many bodies, stays as it is.
 */
function turn({ first, count, force }: Block, moment: Float64Array, ratios: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const m = 3 * (first + i);
    const ratio = ratios[first + i]!;
    force[6 * i + 3] = moment[m]! / ratio;
    force[6 * i + 4] = moment[m + 1]! / ratio;
    force[6 * i + 5] = moment[m + 2]! / ratio;
  }
}

/** Thrust times the third column of the attitude's matrix. */
function push(
  { first, count, qpos, force }: Block,
  thrust: Float64Array,
  ratios: Float64Array,
): void {
  for (let i = 0; i < count; i++) {
    const q = 7 * i + 3;
    const w = qpos[q]!;
    const x = qpos[q + 1]!;
    const y = qpos[q + 2]!;
    const z = qpos[q + 3]!;
    const twice = (2 * thrust[first + i]!) / ratios[first + i]!;
    force[6 * i] = twice * (x * z + w * y);
    force[6 * i + 1] = twice * (y * z - w * x);
    force[6 * i + 2] = twice * (0.5 - x * x - y * y);
  }
}

/** As PhysX does. The explicit integration of a fast tumbling body would run away otherwise. */
function brake({ count, qvel }: Block, limit: number): void {
  for (let i = 0; i < count; i++) {
    const v = 6 * i + 3;
    const x = qvel[v]!;
    const y = qvel[v + 1]!;
    const z = qvel[v + 2]!;
    const square = x * x + y * y + z * z;
    if (square <= limit * limit) continue;
    const share = limit / Math.sqrt(square);
    qvel[v] = x * share;
    qvel[v + 1] = y * share;
    qvel[v + 2] = z * share;
  }
}
