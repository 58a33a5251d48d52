import type { EnvSpec } from "../../protocol/spec.ts";
import { FlightRecorder } from "../datasets/flight-recorder.ts";
import { FlightWriter } from "../datasets/flight-writer.ts";
import type { Experience } from "../learning/experience.ts";

/** Keeps what a run flies. */
export interface Recording {
  readonly add: (experience: Experience) => void;
  /** Episodes that are under way are kept as unfinished. Says what is there. */
  close(): string;
}

/** @param path FILE.hdf5, or a folder; nothing may be there yet. @throws DatasetError */
export async function openRecording(path: string, spec: EnvSpec): Promise<Recording> {
  const writer = await FlightWriter.create(path, spec);
  const recorder = new FlightRecorder(writer);
  return {
    add: (experience) => recorder.add(experience),
    close: () => {
      const { episodes, steps } = recorder.close("keep");
      return `recorded ${path}: ${episodes} episodes, ${steps} steps`;
    },
  };
}
