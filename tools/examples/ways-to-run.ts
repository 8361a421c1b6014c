import type { Example } from "./examples.ts";

/** How an example ends when it does what it says. */
export type WayToRun =
  | { readonly kind: "ends" }
  /** It is there to fail, and its error says this. */
  | { readonly kind: "fails"; readonly with: RegExp }
  /** It listens for as long as the process lives: it is right once it has printed this. */
  | { readonly kind: "goes on"; readonly prints: RegExp }
  | { readonly kind: "compiles only"; readonly reason: string };

const exceptions: readonly { readonly file: string; readonly contains: string; readonly way: WayToRun }[] = [
  {
    file: "packages/core/src/errors/config-error.ts",
    contains: "throw new ConfigError",
    way: { kind: "fails", with: /ConfigError: Expected `url`/ },
  },
  {
    file: "packages/pubsub/README.md",
    contains: "of pubsub.listen()",
    way: { kind: "goes on", prints: /orders \{ id: 7 \}/ },
  },
  {
    file: "packages/pubsub/src/pubsub.ts",
    contains: "of pubsub.listen()",
    // The transport is the caller's, who may want it for more.
    way: { kind: "goes on", prints: /orders \{ id: 7 \} \d+/ },
  },
  {
    file: "packages/conformance/src/histories/command-histories.ts",
    contains: "compareHistories",
    way: { kind: "goes on", prints: /\d+ commands, no difference/ },
  },
  {
    file: "packages/conformance/src/servers/closing.ts",
    contains: 'from "vitest"',
    way: { kind: "compiles only", reason: "Vitest runs it, not node" },
  },
];

export function wayToRun({ file, code }: Example): WayToRun {
  const exception = exceptions.find((each) => each.file === file && code.includes(each.contains));
  return exception?.way ?? { kind: "ends" };
}

/** Exceptions that fit none of the examples any more. */
export function staleExceptions(examples: readonly Example[]): string[] {
  return exceptions
    .filter((each) => !examples.some(({ file, code }) => file === each.file && code.includes(each.contains)))
    .map(({ file, contains }) => `${file}: ${contains}`);
}
