import { hillWidth } from "./models/bouillon.ts";
import { type Drug, holdWidth, stateWidth } from "./models/zero-order-hold.ts";
import { remembered } from "./monitor.ts";

/** BIS site and two of pressure; BIS site and one of pressure. */
export const propofolSites = 3;
export const remifentanilSites = 2;

/** Age in years, height in cm, weight in kg, 1 for a man. */
export const bodyWidth = 4;

/** Newest reading first. */
export const signalWidth = 1 + remembered;

/**
 * All patients' numbers, an array for each quantity and a row for each patient. Whoever simulates,
 * draws or observes reads and writes here; it is all that a snapshot holds of the patients.
 */
export class Ward {
  readonly numEnvs: number;
  /** `[numEnvs, 6]` µg/mL and `[numEnvs, 5]` ng/mL. */
  readonly propofol: Drug;
  readonly remifentanil: Drug;
  /** `[numEnvs, 6]` */
  readonly hill: Float64Array;
  /** `[numEnvs, 4]` */
  readonly bodies: Float64Array;
  /** mmHg without drugs. */
  readonly pressureBase: Float64Array;
  /** Of the operation's disturbance: a factor, and s by which it comes later. */
  readonly strength: Float64Array;
  readonly delay: Float64Array;
  /** What is true now, BIS and mmHg, the disturbance included and by itself. */
  readonly bis: Float64Array;
  readonly pressure: Float64Array;
  readonly addedBis: Float64Array;
  readonly addedPressure: Float64Array;
  /** mmHg, true, when the episode began. */
  readonly firstPressure: Float64Array;
  /** The filtered noise of BIS. */
  readonly bisNoise: Float64Array;
  /** What was read: `[numEnvs, 4]`, newest first, BIS and mmHg. */
  readonly shownBis: Float64Array;
  readonly shownPressure: Float64Array;
  readonly firstShownPressure: Float64Array;
  /** `[numEnvs, 2]`: mg/s and µg/s in the last control period, mg and µg since the episode began. */
  readonly rates: Float64Array;
  readonly given: Float64Array;
  /** Control steps since the episode began. */
  readonly ages: Int32Array;
  /** Episodes that have begun since the reset. */
  readonly episodes: Int32Array;

  constructor(numEnvs: number) {
    const numbers = (width = 1) => new Float64Array(numEnvs * width);
    const drug = (sites: number): Drug => ({
      concentrations: numbers(stateWidth(sites)),
      holds: numbers(holdWidth(sites)),
      sites,
    });
    this.numEnvs = numEnvs;
    this.propofol = drug(propofolSites);
    this.remifentanil = drug(remifentanilSites);
    this.hill = numbers(hillWidth);
    this.bodies = numbers(bodyWidth);
    this.pressureBase = numbers();
    this.strength = numbers();
    this.delay = numbers();
    this.bis = numbers();
    this.pressure = numbers();
    this.addedBis = numbers();
    this.addedPressure = numbers();
    this.firstPressure = numbers();
    this.bisNoise = numbers();
    this.shownBis = numbers(signalWidth);
    this.shownPressure = numbers(signalWidth);
    this.firstShownPressure = numbers();
    this.rates = numbers(2);
    this.given = numbers(2);
    this.ages = new Int32Array(numEnvs);
    this.episodes = new Int32Array(numEnvs);
  }

  /** Everything, for a snapshot. */
  get state(): readonly (Float64Array | Int32Array)[] {
    const { propofol, remifentanil, numEnvs: _, ...arrays } = this;
    const drugs = [propofol, remifentanil].flatMap((drug) => [drug.concentrations, drug.holds]);
    return [...drugs, ...Object.values(arrays)];
  }
}
