/** BIS that is aimed at. */
export const targetBis = 50;

/** Below this there is nothing but blame. */
const tooDeep = 40;

/** Shares of both parts. */
const bisShare = 0.8;
const pressureShare = 0.2;

/**
 * How good a depth of anaesthesia is, −1 to 1: 1 at BIS 50, 0.61 at 45 and 55, 0.18 at 40 and 60,
 * −0.42 at 70, −1 below 40. With x = 1.12·(|BIS − 50| + 50) it is
 * clip(10·(1.509·((ln x)^1.084 − 5.381))², 0, 15.5)/7.75 − 1, the form of a risk of blood glucose.
 */
export function depthReward(bis: number): number {
  if (bis < tooDeep) return -1;
  const x = Math.log(1.12 * (Math.abs(bis - targetBis) + 50)) ** 1.084;
  const risk = 10 * (1.509 * (x - 5.381)) ** 2;
  return Math.min(risk, 15.5) / 7.75 - 1;
}

/** 1 within a tenth of the first pressure, 0 within a fifth, −1 beyond. */
export function pressureReward(pressure: number, first: number): number {
  const away = Math.abs(pressure / first - 1);
  if (away <= 0.1) return 1;
  return away <= 0.2 ? 0 : -1;
}

/** Of one control step, −1 to 1. */
export function reward(bis: number, pressure: number, first: number): number {
  return bisShare * depthReward(bis) + pressureShare * pressureReward(pressure, first);
}
