/** Cuts a demo's own server off and back on, to show what the cache does then. */
export interface PrimarySwitch {
  readonly isCut: boolean;
  cut(): void;
  restore(): void;
}
