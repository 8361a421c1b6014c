import { createRandom } from "@continuum-cache/conformance/servers";

const alphabet = ["a", "é", "猫", "🐈", "\n", ",", "/", "%", '"', "\\", "\u0000", " data: x\n\n"];

/**
 * A text that must arrive as it was: mostly short, sometimes kilobytes, seldom as long as `longest`. It is a function
 * of the name, so a receiver can check it.
 */
export function textOf(name: string, longest?: number): string {
  const random = createRandom(...Array.from(name, (letter) => letter.charCodeAt(0)));
  const kind = random.next();
  const usual = kind < 0.95 ? random.between(0, 60) : random.between(100, 3_000);
  const length = longest !== undefined && kind > 0.99 ? longest : usual;
  const some = Array.from({ length: Math.min(length, 60) }, () => random.pick(alphabet)).join("");
  return some + "x".repeat(Math.max(0, length - 60));
}
