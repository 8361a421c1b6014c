/** One step of a walk: what was met, and where to go on; 0 at the end. */
export interface Page {
  readonly ids: readonly string[];
  readonly cursor: number;
}

/**
 * Ids in the order in which they were added, to be walked in pages while others come and go. Each id has a number for
 * as long as it is there, and a walk goes from the newest number down, so whatever is there from the beginning of a
 * walk to its end is met exactly once, and what is added meanwhile can't prolong it.
 */
export interface InsertionOrder {
  /** Adds an id that is not there, and returns its number. */
  add(id: string): number;
  /** Removes the id that has this number. */
  remove(number: number): void;
  /** About `count` ids below a cursor (0: from the newest), looking at no more than ten times as many places. */
  page(cursor: number, count: number): Page;
  /** Any id, each as likely as the others. */
  random(): string | undefined;
}

/** A place whose id was removed. */
const hole = undefined;
/** Below this many places, holes cost nothing worth mending. */
const fewPlaces = 64;

export function createInsertionOrder(): InsertionOrder {
  // Numbers ascend from one place to the next.
  const numbers: number[] = [];
  const ids: (string | typeof hole)[] = [];
  let last = 0;
  let live = 0;

  /** The first place whose number is not below this one. */
  const placeOf = (number: number): number => {
    let [low, high] = [0, numbers.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((numbers[middle] as number) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const closeHoles = (): void => {
    let place = 0;
    for (let from = 0; from < ids.length; from++) {
      if (ids[from] === hole) continue;
      numbers[place] = numbers[from] as number;
      ids[place++] = ids[from];
    }
    numbers.length = place;
    ids.length = place;
  };

  return {
    add(id) {
      numbers.push(++last);
      ids.push(id);
      live++;
      return last;
    },
    remove(number) {
      const place = placeOf(number);
      if (numbers[place] !== number || ids[place] === hole) return;
      ids[place] = hole;
      live--;
      // At most half of the places are holes, so closing them costs each removal a constant.
      if (ids.length > fewPlaces && ids.length > 2 * live) closeHoles();
    },
    page(cursor, count) {
      let place = (cursor === 0 ? ids.length : placeOf(cursor)) - 1;
      const stop = Math.max(-1, place - 10 * count);
      const met: string[] = [];
      for (; place > stop && met.length < count; place--) {
        const id = ids[place];
        if (id !== hole) met.push(id);
      }
      return { ids: met, cursor: place < 0 ? 0 : (numbers[place + 1] as number) };
    },
    random() {
      if (live === 0) return undefined;
      for (;;) {
        const id = ids[Math.floor(Math.random() * ids.length)];
        if (id !== hole) return id;
      }
    },
  };
}
