import type { Victims } from "../faults/nemesis.ts";
import type { Worker } from "./worker-pool.ts";

/** The processes of a run. Each place is always taken: by its first process, or by the one that replaced it. */
export interface Cast<Task, Note> {
  readonly victims: Victims;
  /** Those who are there now, of the places whose names begin so. */
  workersOf(prefix: string): Worker<Task, Note>[];
}

/** @param begin - Starts a process for a place. `nth` is another number each time. */
export async function startCast<Task, Note>(
  places: readonly string[],
  begin: (place: string, process: string, nth: number) => Promise<Worker<Task, Note>>,
): Promise<Cast<Task, Note>> {
  const present = new Map<string, { readonly process: string; readonly worker: Worker<Task, Note> }>();
  const coming = new Map<string, Promise<void>>();
  let nth = 0;
  const fill = async (place: string, generation: number): Promise<void> => {
    const process = generation === 0 ? place : `${place}.${generation}`;
    present.set(place, { process, worker: await begin(place, process, nth++) });
  };
  await Promise.all(places.map((place) => fill(place, 0)));
  const at = (place: string) => {
    const found = present.get(place);
    if (!found) throw new Error(`Expected a process in place ${place}, there is none`);
    return found;
  };
  let generations = 0;
  return {
    victims: {
      nameOf: (place) => at(place).process,
      freeze: (place) => at(place).worker.freeze(),
      thaw: (place) => at(place).worker.thaw(),
      async kill(place) {
        await coming.get(place);
        await at(place).worker.kill();
      },
      replace(place) {
        const filling = fill(place, ++generations);
        coming.set(place, filling);
        return filling;
      },
    },
    workersOf: (prefix) => [...present].filter(([place]) => place.startsWith(prefix)).map(([, { worker }]) => worker),
  };
}
