import { createRandom, type Random } from "@continuum-cache/conformance/servers";

/** What becomes of a message in a handler. */
export type Fate =
  /** It is done, soon or after a while that outlasts several leases. */
  | { readonly kind: "done"; readonly takesMs: number }
  /** Its handler fails so often before it is done. */
  | { readonly kind: "flaky"; readonly failures: number }
  /** Its handler always fails. */
  | { readonly kind: "poison" };

/** What is pushed: which message it is, what is to become of it, and something that must arrive as it was. */
export interface MessageData {
  readonly name: string;
  readonly fate: Fate;
  readonly text: string;
}

const alphabet = ["a", "é", "猫", "🐈", "\n", ",", "/", "%", '"', "\\", "\u0000", " data: x\n\n"];

export function drawFate(random: Random, leaseMs: number): Fate {
  const kind = random.weighted({ quick: 900, work: 80, long: 12, flaky: 10, poison: 1 });
  if (kind === "quick") return { kind: "done", takesMs: 0 };
  if (kind === "work") return { kind: "done", takesMs: random.between(1, 40) };
  if (kind === "long") return { kind: "done", takesMs: random.between(leaseMs / 2, 2 * leaseMs) };
  return kind === "flaky" ? { kind, failures: random.between(1, 3) } : { kind };
}

/** Mostly short, sometimes kilobytes; a function of the message's name. */
export function textOf(name: string): string {
  const random = createRandom(...Array.from(name, (letter) => letter.charCodeAt(0)));
  const length = random.chance(0.95) ? random.between(0, 60) : random.between(100, 3_000);
  const some = Array.from({ length: Math.min(length, 60) }, () => random.pick(alphabet)).join("");
  return some + "x".repeat(Math.max(0, length - 60));
}
