import type { Scene } from "./scene.ts";

/** Where a ray begins and where it points: a unit vector, world frame. */
export interface Ray {
  readonly px: number;
  readonly py: number;
  readonly pz: number;
  readonly dx: number;
  readonly dy: number;
  readonly dz: number;
}

/**
 * Distance to the nearest wall, pillar or the ground, m; infinite where there is nothing.
 *
 * Quadratics of the ray are solved here and not by MuJoCo's mj_multiRay, which gives the same distances: through
 * its WebAssembly binding each ray costs a hundred times as much (npm run bench -- camera).
 */
export function sceneDistance(scene: Scene, ray: Ray): number {
  const { px, py, pz, dx, dy, dz } = ray;
  let nearest = Number.POSITIVE_INFINITY;
  if (dz < 0 && pz > 0) nearest = -pz / dz;
  const { hall, pillars } = scene;
  if (dx !== 0) nearest = nearer(nearest, ((dx > 0 ? hall : -hall) - px) / dx);
  if (dy !== 0) nearest = nearer(nearest, ((dy > 0 ? hall : -hall) - py) / dy);
  const flat = dx * dx + dy * dy;
  for (let i = 0; i < pillars.length; i++) {
    const { x, y, radius, height } = pillars[i]!;
    const [ox, oy] = [px - x, py - y];
    const toward = ox * dx + oy * dy;
    // Seen from outside and moving away from it: only its lid may be hit, which is inside the circle.
    const outside = ox * ox + oy * oy - radius * radius;
    if (outside > 0 && toward >= 0) continue;
    const square = toward * toward - flat * outside;
    if (square <= 0) continue;
    const root = Math.sqrt(square);
    const side = (-toward - root) / flat;
    if (side > 0 && inHeight(pz + side * dz, height)) nearest = nearer(nearest, side);
    const lid = dz < 0 && pz > height ? (height - pz) / dz : -1;
    if (lid > 0 && lid >= side && lid <= (-toward + root) / flat) nearest = nearer(nearest, lid);
  }
  return nearest;
}

function inHeight(z: number, height: number): boolean {
  return z >= 0 && z <= height;
}

function nearer(nearest: number, distance: number): number {
  return distance > 0 && distance < nearest ? distance : nearest;
}
