import type { Random } from "@continuum-cache/conformance/servers";

/** What the handler of a message does. */
export type Behavior =
  /** It is done, soon or after a while that outlasts several leases. */
  | { readonly kind: "done"; readonly takesMs: number }
  /** Its handler fails so often before it is done. */
  | { readonly kind: "flaky"; readonly failures: number }
  /** Its handler always fails. */
  | { readonly kind: "poison" };

/** What is pushed: which message it is, what its handler is to do, and a text that must arrive as it was. */
export interface MessageData {
  readonly name: string;
  readonly behavior: Behavior;
  readonly text: string;
}

export function drawBehavior(random: Random, leaseMs: number): Behavior {
  const kind = random.weighted({ quick: 900, work: 80, long: 12, flaky: 10, poison: 1 });
  if (kind === "quick") return { kind: "done", takesMs: 0 };
  if (kind === "work") return { kind: "done", takesMs: random.between(1, 40) };
  if (kind === "long") return { kind: "done", takesMs: random.between(leaseMs / 2, 2 * leaseMs) };
  return kind === "flaky" ? { kind, failures: random.between(1, 3) } : { kind };
}
