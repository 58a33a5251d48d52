import type { NamedArrays } from "../../policies/named-array.ts";
import type { Stage } from "./stage.ts";

/** What acts, to be handed from one copy of a learner to another whose policies act meanwhile. */
export interface Acting {
  /** `parameters/…` of its policies and `normalisers/…`, in fresh arrays. */
  give(): Promise<NamedArrays>;
  /** Takes in what `give` gave, or a whole state that holds it. @throws LearningError `parameter-mismatch` */
  take(arrays: NamedArrays): void;
  /** Whether what acts after such a stage's update may be one update older at no cost to what is learned. */
  mayLag(stage: Stage): boolean;
}
