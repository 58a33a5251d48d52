import type { Settings } from "../../../protocol/settings.ts";
import type { TensorSpec } from "../../../protocol/spec.ts";
import type { Rules } from "../../inside/setting-rules.ts";

/** Settings of a task with a camera. */
export const cameraRules: Rules = {
  /** Pixels of a side. */
  "camera.size": { kind: "whole", fallback: 32, least: 8, most: 128 },
  /** Degrees, from side to side and from top to bottom. */
  "camera.fov": { kind: "number", fallback: 110, least: 10, most: 160 },
  /** Whether there is a second camera, which looks down. */
  "camera.down": { kind: "flag", fallback: false },
  /** Pictures that are shown together: the newest, and those before it. */
  "camera.memory": { kind: "whole", fallback: 1, least: 1, most: 8 },
  /** Control steps from one of these to the next. */
  "camera.memory_every": { kind: "whole", fallback: 1, least: 1, most: 20 },
  /** m; what is farther looks as if it were there. */
  "camera.far": { kind: "number", fallback: 6, least: 0.5, most: 100 },
  /** m; how far in front of the goal, along the world's x, its marker hangs: who has arrived sees it. */
  "camera.marker_ahead": { kind: "number", fallback: 1.5, least: 0, most: 10 },
  /** m */
  "camera.marker_radius": { kind: "number", fallback: 0.2, least: 0.01, most: 2 },
  /** m; nearer than elsewhere, so that a start sees every marker. */
  "goal.xy": { kind: "interval", fallback: [-1, 1], least: -1e3, most: 1e3 },
};

export interface CameraSettings {
  readonly size: number;
  /** Radians. */
  readonly fov: number;
  readonly views: readonly View[];
  readonly memory: number;
  readonly memoryEvery: number;
  readonly far: number;
  readonly markerAhead: number;
  readonly markerRadius: number;
}

export type View = "front" | "down";

/** What every view shows, a channel each. */
export const channels = ["depth", "goal"] as const;

export function cameraSettings(settings: Settings): CameraSettings {
  const of = (name: string) => Number(settings[`camera.${name}`]);
  return {
    size: of("size"),
    fov: (of("fov") * Math.PI) / 180,
    views: settings["camera.down"] === true ? ["front", "down"] : ["front"],
    memory: of("memory"),
    memoryEvery: of("memory_every"),
    far: of("far"),
    markerAhead: of("marker_ahead"),
    markerRadius: of("marker_radius"),
  };
}

/** `[size, size, memory × views × 2]`: newest first; e.g. `front.depth`, then `front.depth-3` of 3 steps before. */
export function pictureSpec({ size, views, memory, memoryEvery }: CameraSettings): TensorSpec {
  const names = Array.from({ length: memory }, (_, age) =>
    views.flatMap((view) =>
      channels.map((channel) => `${view}.${channel}${age === 0 ? "" : -age * memoryEvery}`),
    ),
  ).flat();
  const units = names.map(() => "1");
  return { dtype: "|u1", shape: [size, size, names.length], names, units };
}

/**
 * Unit vectors `[size², 3]`, body frame (x forward, y left, z up), of the pixels' centres: rows from the top, each
 * from the left. A camera that looks down has the body's x at the top of its picture.
 */
export function directionsOf(view: View, { size, fov }: CameraSettings): Float64Array {
  const reach = Math.tan(fov / 2);
  const directions = new Float64Array(3 * size * size);
  for (let row = 0; row < size; row++) {
    const up = reach * (1 - (2 * row + 1) / size);
    for (let column = 0; column < size; column++) {
      const left = reach * (1 - (2 * column + 1) / size);
      const ray = view === "front" ? [1, left, up] : [up, left, -1];
      const length = Math.hypot(1, left, up);
      directions.set(
        ray.map((part) => part / length),
        3 * (row * size + column),
      );
    }
  }
  return directions;
}
