/** What is shown of a patient, in the order of its numbers. */
interface Reading {
  readonly name: string;
  readonly unit: string;
}

const reading = (name: string, unit: string): Reading => ({ name, unit });

/** Earlier readings that are shown beside the newest one. */
export const remembered = 3;

const before = (signal: string, unit: string) =>
  Array.from({ length: remembered }, (_, k) => reading(`${signal}_before.${k + 1}`, unit));

/**
 * What stands beside a patient in a theatre: readings with their noise, the newest and the three
 * control periods before it (the first of an episode repeated until there are so many), what the
 * pumps do now and gave in all, who it is, and the first pressure that was read.
 */
export const monitorReadings: readonly Reading[] = [
  reading("bis", "1"),
  ...before("bis", "1"),
  reading("map", "mmHg"),
  ...before("map", "mmHg"),
  reading("propofol_rate", "mg/s"),
  reading("remifentanil_rate", "µg/s"),
  reading("propofol_given", "mg"),
  reading("remifentanil_given", "µg"),
  reading("age", "year"),
  reading("height", "cm"),
  reading("weight", "kg"),
  reading("male", "1"),
  reading("elapsed", "s"),
  reading("map_first", "mmHg"),
];

/** What nobody in a theatre sees: the body's own state, both signals without noise, and how it answers. */
export const stateReadings: readonly Reading[] = [
  ...["plasma", "fast", "slow", "bis_site", "map_site.1", "map_site.2"].map((place) =>
    reading(`propofol.${place}`, "µg/mL"),
  ),
  ...["plasma", "fast", "slow", "bis_site", "map_site"].map((place) =>
    reading(`remifentanil.${place}`, "ng/mL"),
  ),
  reading("bis_true", "1"),
  reading("map_true", "mmHg"),
  reading("bis_disturbance", "1"),
  reading("map_disturbance", "mmHg"),
  reading("hill.c50_propofol", "µg/mL"),
  reading("hill.c50_remifentanil", "ng/mL"),
  reading("hill.gamma", "1"),
  reading("hill.beta", "1"),
  reading("hill.e0", "1"),
  reading("hill.emax", "1"),
];
