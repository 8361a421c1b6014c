/** One step of a walk: the ids it met, and the cursor of the next step; 0 at the end. */
export interface Page {
  readonly ids: readonly string[];
  readonly cursor: number;
}

/**
 * Ids in the order in which they were added, to be walked in pages while others come and go. Each id has a number for
 * as long as it is there, and a walk goes from the newest number down, so each id that exists from the beginning of a
 * walk to its end is met exactly once, and ids that are added meanwhile can't prolong it.
 *
 * No operation takes longer than a block of ids takes, however many ids there are.
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

/** A run of places. Numbers ascend from one place to the next, and from one block to the next. */
interface Block {
  readonly numbers: number[];
  readonly ids: (string | typeof hole)[];
  live: number;
}

/** So many places make a block: to close the holes of one takes microseconds. */
const blockPlaces = 512;

export function createInsertionOrder(): InsertionOrder {
  const blocks: Block[] = [];
  let last = 0;
  let places = 0;
  let live = 0;
  /** Which block was tidied last. */
  let turn = 0;

  /** The last block that begins below a number. Each block has a place, so each has a first number. */
  const blockBelow = (number: number): number =>
    firstWhere(blocks.length, (at) => (blocks[at]?.numbers[0] as number) >= number) - 1;

  /** Joins a block to the one before it when both fit into one. */
  const join = (at: number): void => {
    const [before, block] = [blocks[at - 1], blocks[at]];
    if (!before || !block || before.live + block.live > blockPlaces / 2) return;
    places -= before.ids.length - before.live + block.ids.length - block.live;
    closeHoles(before);
    appendLive(block, before);
    blocks.splice(at, 1);
  };

  /** Closes the holes of the next block that has some; joins it to its neighbors when they have few ids left. */
  const tidyNext = (): void => {
    for (let looked = 0; looked < blocksLookedAt; looked++) {
      turn = (turn + 1) % blocks.length;
      const block = blocks[turn] as Block;
      if (block.live === block.ids.length) continue;
      places -= block.ids.length - block.live;
      closeHoles(block);
      if (block.live === 0) blocks.splice(turn, 1);
      else {
        join(turn + 1);
        join(turn);
      }
      return;
    }
  };

  return {
    add(id) {
      let block = blocks.at(-1);
      if (!block || block.ids.length >= blockPlaces) {
        block = { numbers: [], ids: [], live: 0 };
        blocks.push(block);
      }
      block.numbers.push(++last);
      block.ids.push(id);
      block.live++;
      places++;
      live++;
      return last;
    },
    remove(number) {
      const block = blocks[blockBelow(number + 1)];
      if (!block) return;
      const place = placeOf(block, number);
      if (block.numbers[place] !== number || block.ids[place] === hole) return;
      block.ids[place] = hole;
      block.live--;
      live--;
      // At most about half of the places are holes, so closing them costs each removal a constant.
      if (places > fewPlaces && places > 2 * live) tidyNext();
    },
    page(cursor, count) {
      let at = cursor === 0 ? blocks.length - 1 : blockBelow(cursor);
      let looked = 0;
      let lowest = 0;
      const met: string[] = [];
      for (; at >= 0; at--) {
        const { numbers, ids } = blocks[at] as Block;
        let place = cursor === 0 || looked > 0 ? ids.length : placeOf({ numbers }, cursor);
        while (place > 0 && looked < 10 * count && met.length < count) {
          const id = ids[--place];
          looked++;
          lowest = numbers[place] as number;
          if (id !== hole) met.push(id);
        }
        if (place > 0) return { ids: met, cursor: lowest };
      }
      return { ids: met, cursor: 0 };
    },
    random() {
      if (live === 0) return undefined;
      let skipped = Math.floor(Math.random() * live);
      for (const block of blocks) {
        if (skipped < block.live) return block.ids.filter((id) => id !== hole)[skipped];
        skipped -= block.live;
      }
      return undefined;
    },
  };
}

/** Below this many places, closing holes gains nothing. */
const fewPlaces = 64;
/** A removal looks at so many blocks for one that has holes. */
const blocksLookedAt = 8;

/** The first place whose number is not below this one. */
const placeOf = ({ numbers }: Pick<Block, "numbers">, number: number): number =>
  firstWhere(numbers.length, (place) => (numbers[place] as number) >= number);

function closeHoles(block: Block): void {
  const { numbers, ids, live } = block;
  let place = 0;
  for (let from = 0; from < ids.length; from++) {
    if (ids[from] === hole) continue;
    numbers[place] = numbers[from] as number;
    ids[place++] = ids[from];
  }
  numbers.length = live;
  ids.length = live;
}

function appendLive(from: Block, to: Block): void {
  for (const [place, id] of from.ids.entries()) {
    if (id === hole) continue;
    to.numbers.push(from.numbers[place] as number);
    to.ids.push(id);
  }
  to.live += from.live;
}

/** The first index below `length` that passes a test which all behind it pass too; `length` when there is none. */
function firstWhere(length: number, test: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
