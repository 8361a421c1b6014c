/** What some work did with every `Map` and `Set` of the process, so that a test can count work instead of timing it. */
export interface MapUse {
  /** Calls of their methods, and entries that were iterated over. */
  steps: number;
  /**
   * The length of the longest text that was looked up. V8 hashes texts of more than 16,383 characters by their length
   * alone: many of one length would be compared character by character.
   */
  longestText: number;
}

/** Watches all maps and sets while `work` runs. Other work of the process counts too. */
export async function watchMaps(work: () => unknown): Promise<MapUse> {
  const use: MapUse = { steps: 0, longestText: 0 };
  const restorers: (() => void)[] = [];
  const replace = (prototype: object, method: PropertyKey, make: (original: Method) => Method): void => {
    const original = Reflect.get(prototype, method) as Method;
    restorers.push(() => Reflect.set(prototype, method, original));
    Reflect.set(prototype, method, make(original));
  };
  const lookup = (original: Method): Method =>
    function (this: unknown, ...args) {
      use.steps++;
      if (typeof args[0] === "string") use.longestText = Math.max(use.longestText, args[0].length);
      return original.apply(this, args);
    };
  const iteration = (original: Method): Method =>
    function (this: unknown, ...args) {
      return counted(original.apply(this, args) as Iterable<unknown>, use);
    };
  for (const method of ["get", "set", "has", "delete"]) replace(Map.prototype, method, lookup);
  for (const method of ["add", "has", "delete"]) replace(Set.prototype, method, lookup);
  for (const prototype of [Map.prototype, Set.prototype])
    for (const method of ["keys", "values", "entries", Symbol.iterator]) replace(prototype, method, iteration);
  try {
    await work();
  } finally {
    for (const restore of restorers) restore();
  }
  return use;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

function* counted(iterable: Iterable<unknown>, use: MapUse): Generator<unknown> {
  for (const each of iterable) {
    use.steps++;
    yield each;
  }
}
