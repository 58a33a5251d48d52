import { initialState, type ScreenState } from "./state/screen-state.ts";
import { reduce } from "./state/view-model.ts";
import { WatchSource } from "./watch-source.ts";

/** The state that the earlier sessions of a run left; whatever became of them, another one begins. */
export function remembered(path: string): ScreenState {
  const source = new WatchSource(path);
  let state = initialState;
  for (let part = source.read(); part.length > 0; part = source.read()) {
    state = part.reduce(reduce, state);
  }
  return { ...state, status: "waiting", awaited: undefined, summary: undefined };
}
