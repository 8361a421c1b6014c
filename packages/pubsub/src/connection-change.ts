/** What has become of the stream through which this process listens. */
export interface ConnectionChange {
  /** `"degraded"`: the primary is away, and only what this process publishes is heard. */
  readonly state: "connected" | "disconnected" | "degraded";
  readonly at: Date;
  /** Why it broke. */
  readonly reason?: string;
}
