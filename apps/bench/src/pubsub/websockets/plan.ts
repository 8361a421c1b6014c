/** What one run does. */
export interface WebSocketPlan {
  readonly clients: number;
  /** How many of them stop reading once they listen. */
  readonly frozen: number;
  /** How long is published. */
  readonly seconds: number;
  /** Messages a second to all clients, on a channel with a history. */
  readonly rate: number;
  /** Messages a second to the frozen and as many others, on a channel without; so large that sockets fill. */
  readonly wideRate: number;
  readonly wideBytes: number;
  readonly maxBufferedBytes: number;
  readonly patienceMs: number;
}

export const channels = { all: "bench:all", wide: "bench:wide" } as const;

/** The history of the channel that all listen to: enough for a client that was frozen from beginning to end. */
export const history = { count: 100_000, age: "1h" } as const;

/** Which clients do what, by their numbers: the frozen are the first, and those who thaw in time the first of them. */
export const roleOf = (
  client: number,
  { frozen }: WebSocketPlan,
): "thaws" | "stays frozen" | "hears all" | "healthy" => {
  if (client < Math.ceil(frozen / 2)) return "thaws";
  if (client < frozen) return "stays frozen";
  return client < 2 * frozen ? "hears all" : "healthy";
};
