/** What there is to be seen; nothing of it is ever touched. Lengths in m, world frame, z up from the ground. */
export interface Scene {
  /** The hall's walls are at ± this, in x and y. */
  readonly hall: number;
  /** Upright round pillars, from the ground up. */
  readonly pillars: readonly {
    readonly x: number;
    readonly y: number;
    readonly radius: number;
    readonly height: number;
  }[];
}

const around = (count: number, distance: number, first: number) =>
  Array.from({ length: count }, (_, i) => {
    const angle = first + (2 * Math.PI * i) / count;
    return { x: distance * Math.cos(angle), y: distance * Math.sin(angle) };
  });

/** A hall of 10 × 10 m with two rings of pillars, tall and thin, low and thick; none stands where goals are. */
export const hallScene: Scene = {
  hall: 5,
  pillars: [
    ...around(5, 4, 0.35).map((at) => ({ ...at, radius: 0.12, height: 3 })),
    ...around(3, 3.4, 1.05).map((at) => ({ ...at, radius: 0.3, height: 0.8 })),
  ],
};

/** The scene and a goal's marker as a model of MuJoCo's. */
export function sceneXml(
  { hall, pillars }: Scene,
  marker: { readonly x: number; readonly y: number; readonly z: number; readonly radius: number },
): string {
  const wall = (pos: string, zaxis: string) =>
    `<geom type="plane" size="0 0 1" pos="${pos}" zaxis="${zaxis}"/>`;
  const standing = pillars.map(
    ({ x, y, radius, height }) =>
      `<geom type="cylinder" size="${radius} ${height / 2}" pos="${x} ${y} ${height / 2}"/>`,
  );
  return (
    `<mujoco><worldbody>${wall("0 0 0", "0 0 1")}` +
    `${wall(`${hall} 0 0`, "-1 0 0")}${wall(`${-hall} 0 0`, "1 0 0")}` +
    `${wall(`0 ${hall} 0`, "0 -1 0")}${wall(`0 ${-hall} 0`, "0 1 0")}${standing.join("")}` +
    `<geom type="sphere" size="${marker.radius}" pos="${marker.x} ${marker.y} ${marker.z}"/>` +
    "</worldbody></mujoco>"
  );
}
