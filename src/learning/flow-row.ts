/** One group at one measured update. Norms are L2. */
export interface FlowRow {
  readonly update: string;
  readonly group: string;
  /** Of the update's loss by the group's parameters; null: no path leads from the one to the other. */
  readonly gradient: number | null;
  /** Of what the step changed. */
  readonly change: number;
  /** The largest gradient of any group at this measurement: what a gradient is small against. */
  readonly scale: number;
}
