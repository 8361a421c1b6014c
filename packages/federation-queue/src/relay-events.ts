import type { LogGap } from "./log-entry.ts";

/** What a relay tells whoever listens. No event ever holds a log event's content. */
export interface RelayEvents {
  /** It could not do its work; told once until it can again. */
  error: { readonly operation: string; readonly error: Error };
  /** Events of an origin were brought to the destination. */
  copied: { readonly origin: string; readonly count: number };
  /** Events are missing at the source that the destination has not got: its readers will be told of the same gap. */
  gap: LogGap;
  /** The destination has lost events that it had (a failover, a flush): they are brought again, as far as they are kept. */
  repaired: { readonly origin: string };
}
