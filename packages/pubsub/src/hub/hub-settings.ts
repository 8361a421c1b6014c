/** How a process listens; those who listen alike share a stream. */
export interface HubSettings {
  /** How long the server may take to confirm, in milliseconds. */
  readonly timeoutMs: number;
  /** After so long a stream has to prove that it lives. */
  readonly watchdogMs: number;
  /** How long its answer may take. */
  readonly probeTimeoutMs: number;
  /** The longest wait before another attempt to reconnect. */
  readonly maxReconnectWaitMs: number;
  /** What the channel is named through which a stream proves that it lives, before the process's own mark. */
  readonly probeChannel: string;
}
