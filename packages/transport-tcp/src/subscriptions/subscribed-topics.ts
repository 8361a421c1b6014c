import type { Topics } from "@continuum-cache/core";
import { NameMap } from "@continuum-cache/core/kit";
import type { Redis } from "ioredis";

/** What one connection listens to, and the commands that change it. */
export interface SubscribedTopics {
  hasChannel(name: string): boolean;
  hasPattern(name: string): boolean;
  /**
   * Takes the topics in at once, and asks the server for those that it has not confirmed yet.
   *
   * @returns a promise that the server has confirmed all of them, and what takes back those that it has not.
   */
  add(topics: Topics): Addition;
  /** Lets go of the topics at once, and tells the server. Resolves once it has confirmed. */
  remove(topics: Topics): Promise<void>;
}

export interface Addition {
  readonly confirmed: Promise<void>;
  /** Leaves the connection as if nothing had been added; what others have added too stays. Safe to call twice. */
  takeBack(): void;
}

/** A topic from the first request for it on. The server may confirm it several times over, and does so in order. */
interface Claim {
  isConfirmed: boolean;
  /** Additions that wait for it. */
  waiting: number;
}

/** More names than this in one command would hold the server up. */
const namesPerCommand = 1_000;

export function createSubscribedTopics(client: Redis): SubscribedTopics {
  const channels = createNames(
    (names) => client.subscribe(...names),
    (names) => client.unsubscribe(...names),
  );
  const patterns = createNames(
    (names) => client.psubscribe(...names),
    (names) => client.punsubscribe(...names),
  );
  return {
    hasChannel: channels.has,
    hasPattern: patterns.has,
    add(topics) {
      const additions = [channels.add(topics.channels ?? []), patterns.add(topics.patterns ?? [])];
      return {
        confirmed: Promise.all(additions.map(({ confirmed }) => confirmed)).then(() => {
          for (const addition of additions) addition.keep();
        }),
        takeBack() {
          for (const addition of additions) addition.takeBack();
        },
      };
    },
    async remove(topics) {
      await Promise.all([channels.remove(topics.channels ?? []), patterns.remove(topics.patterns ?? [])]);
    },
  };
}

type Send = (names: readonly string[]) => Promise<unknown>;

interface Names {
  has(name: string): boolean;
  add(names: readonly string[]): NamesAddition;
  remove(names: readonly string[]): Promise<void>;
}

interface NamesAddition extends Addition {
  /** To be called when the whole addition is confirmed: all of it stays, or nothing. */
  keep(): void;
}

/**
 * The names of one kind. Commands of a connection take effect in the order in which they were sent, so what is sent
 * last about a name decides, whether or not a caller still waits for its answer.
 */
function createNames(subscribe: Send, unsubscribe: Send): Names {
  const claims = new NameMap<Claim>();

  const sendAll = async (names: readonly string[], send: Send): Promise<void> => {
    const sent: Promise<unknown>[] = [];
    for (let at = 0; at < names.length; at += namesPerCommand) sent.push(send(names.slice(at, at + namesPerCommand)));
    await Promise.all(sent);
  };

  return {
    has: claims.has.bind(claims),
    add(names) {
      const own = new Map<string, Claim>();
      for (const name of names.map(asHeard)) {
        const claim = claims.get(name) ?? { isConfirmed: false, waiting: 0 };
        if (claim.isConfirmed || own.has(name)) continue;
        claim.waiting++;
        claims.set(name, claim);
        own.set(name, claim);
      }
      return {
        confirmed: sendAll([...own.keys()], subscribe),
        keep() {
          for (const claim of own.values()) claim.isConfirmed = true;
          own.clear();
        },
        takeBack() {
          const left: string[] = [];
          for (const [name, claim] of own) {
            own.delete(name);
            claim.waiting--;
            if (claim.isConfirmed || claim.waiting > 0 || claims.get(name) !== claim) continue;
            claims.delete(name);
            left.push(name);
          }
          // A connection that can't carry this is over, and with it whatever it listened to.
          sendAll(left, unsubscribe).catch(() => {});
        },
      };
    },
    async remove(names) {
      await sendAll(
        names.map(asHeard).filter((name) => claims.delete(name)),
        unsubscribe,
      );
    },
  };
}

/** Half a surrogate pair is no text: UTF-8 has a replacement character for it, and so have the messages. */
const asHeard = (name: string): string => name.replace(/\p{Surrogate}/gu, "\ufffd");
