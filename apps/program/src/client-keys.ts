import { clientKey } from "@continuum-cache/ratelimit";

const shared = "unknown";

/**
 * Makes the id by which the limiter counts a visitor. Visitors without a usable address share one id: the service
 * answers them, and no text that a visitor can choose becomes an id.
 *
 * @param logError - Called once at the first such visitor: this home reads addresses from the wrong place.
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
