import { clientKey } from "@continuum-cache/ratelimit";

const shared = "unknown";

/**
 * Makes the id that a visitor's limits are counted by. Visitors without a usable address share one: they are answered, and no
 * text that a visitor can choose is ever an id.
 *
 * @param logError - Is told once, since it means that this home reads addresses from the wrong place.
 */
export function createClientKeys(logError: (message: string) => void): (client: string | undefined) => string {
  let isTold = false;
  return (client) => {
    if (client === undefined) return shared;
    try {
      return clientKey(client);
    } catch (error) {
      if (!isTold) logError(`Visitors without a usable address share one limit: ${(error as Error).message}`);
      isTold = true;
      return shared;
    }
  };
}
