/** Cuts the demo's own server off and restores it, to show what the cache does in an outage. */
export interface PrimarySwitch {
  readonly isCut: boolean;
  cut(): void;
  restore(): void;
}
