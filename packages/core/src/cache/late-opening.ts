import { loadedOnce } from "../time/loaded-once.ts";
import { loadFeatures } from "./load-features.ts";
import type { OpeningParts } from "./opened-value.ts";
import type { Opening } from "./values.ts";

/** Opens what may have a header, by code that is loaded at its first use: until then what it brings is a promise. */
export function lateOpening(parts: OpeningParts): Opening {
  let opening: Opening | undefined;
  const load = loadedOnce(loadFeatures, ({ createOpening }) => {
    opening = createOpening(parts);
    return opening;
  });
  // What settles a call by the promise awaits it.
  return (...given) => (opening ? opening(...given) : (load().then((open) => open(...given)) as never));
}
