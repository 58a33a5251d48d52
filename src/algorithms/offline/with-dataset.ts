import type { Layout } from "../../datasets/flights-spec.ts";
import { openFlights } from "../../datasets/open-flights.ts";
import type { RecordedFlights } from "../../datasets/recorded-flights.ts";

/** Keys by which a configuration names recorded flights. */
interface DatasetConfig {
  readonly dataset: string | null;
  readonly dataset_format: Layout | null;
  /** MiB. */
  readonly dataset_memory: number;
}

/** What `use` makes of the flights, which stay open for it; closed where it throws. @throws DatasetError */
export async function withDataset<T>(
  { dataset, dataset_format, dataset_memory }: DatasetConfig,
  use: (flights: RecordedFlights) => T | Promise<T>,
): Promise<T> {
  const flights = await openFlights(dataset!, {
    memoryBytes: dataset_memory * 2 ** 20,
    ...(dataset_format && { layout: dataset_format }),
  });
  try {
    return await use(flights);
  } catch (error) {
    flights.close();
    throw error;
  }
}
