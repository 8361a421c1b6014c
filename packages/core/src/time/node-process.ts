/** The part of Node's `process` that is used, where there is one. */
export interface NodeProcess {
  nextTick?(callback: () => void): void;
  getBuiltinModule?(name: string): object | undefined;
}

/**
 * The `process` of Node, Deno or Bun, which names the version of Node that it is or stands for. The Edge runtime of Next.js has a
 * `process` too: it holds the environment, and functions that throw when they are called.
 */
export function nodeProcess(): NodeProcess | undefined {
  const { process } = globalThis as { process?: NodeProcess & { readonly versions?: { readonly node?: string } } };
  return process?.versions?.node === undefined ? undefined : process;
}
