import { afterEach } from "vitest";

interface Closable {
  close(): Promise<void>;
}

/** Registers whatever a test opens, to be closed after it, last opened first. */
export function closing(): <T extends Closable>(opened: T) => T {
  const opened: Closable[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });
  return (one) => {
    opened.push(one);
    return one;
  };
}
