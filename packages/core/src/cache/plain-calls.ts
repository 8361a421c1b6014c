import { isCommandError } from "../errors/command-error.ts";
import type { SendOptions } from "../ports/transport.ts";
import type { CacheCallOptions } from "./call-options.ts";
import { LoadCalls } from "./load-calls.ts";
import type { Request, Requests } from "./requests.ts";

/** The calls of a cache that are one command each, on counters and lists. */
export abstract class PlainCalls extends LoadCalls {
  /** What a call asks of its round trip. @param method - Checks the options, of which this method has no others. */
  protected abstract asked(options: CacheCallOptions | undefined, method?: string): SendOptions;

  /** Sends one request. */
  protected abstract one<Result>(
    make: (requests: Requests) => Request<Result>,
    options?: CacheCallOptions,
  ): Promise<Result>;

  /** Adds a whole number to a counter, which begins at 0 and has no expiry of its own. @returns the new count. */
  increment(key: string, by = 1, options?: CacheCallOptions): Promise<number> {
    return this.one((requests) => requests.increment(key, by), options).catch(async (error: unknown) => {
      if (!isCommandError(error) || !error.message.includes("not an integer")) throw error;
      // A value that is only being loaded is none: then the counter begins at 0.
      const { flights } = await this.engine.across();
      const count = await flights.increment(this.engine.requests.fullKeyOf(key), by, this.asked(options));
      if (count === undefined) throw error;
      return count;
    });
  }

  /** Puts values before the first of a list, one after the other. @returns the list's new length. */
  lpush(key: string, ...values: unknown[]): Promise<number> {
    return this.one((requests) => requests.push("LPUSH", key, values));
  }

  /** Puts values after the last of a list. @returns the list's new length. */
  rpush(key: string, ...values: unknown[]): Promise<number> {
    return this.one((requests) => requests.push("RPUSH", key, values));
  }

  /** Takes the first value off a list. @returns undefined when there is none. */
  lpop<T = unknown>(key: string, options?: CacheCallOptions): Promise<T | undefined> {
    return this.one((requests) => requests.pop("LPOP", key), options) as Promise<T | undefined>;
  }

  /** Takes the last value off a list. @returns undefined when there is none. */
  rpop<T = unknown>(key: string, options?: CacheCallOptions): Promise<T | undefined> {
    return this.one((requests) => requests.pop("RPOP", key), options) as Promise<T | undefined>;
  }

  /** The values of a list from `start` to `stop`, both included; negative indexes count from the end. */
  lrange<T = unknown>(
    key: string,
    start: number,
    stop: number,
    options?: CacheCallOptions,
  ): Promise<(T | undefined)[]> {
    return this.one((requests) => requests.lrange(key, start, stop), options) as Promise<(T | undefined)[]>;
  }

  /** How many values a list holds. */
  llen(key: string, options?: CacheCallOptions): Promise<number> {
    return this.one((requests) => requests.llen(key), options);
  }
}
