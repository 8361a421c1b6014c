import type { Command, Reply, SendOptions, Transport } from "@continuum-cache/core";

/** A transport for tests of what sits above it: keeps every trip, and answers what the test says. */
export function recordingTransport(answer: (command: Command, trip: number) => Reply | Promise<Reply>): Transport & {
  readonly trips: Command[][];
  readonly options: (SendOptions | undefined)[];
} {
  const trips: Command[][] = [];
  const options: (SendOptions | undefined)[] = [];
  return {
    name: "recording",
    trips,
    options,
    async send(commands, sendOptions) {
      trips.push([...commands]);
      options.push(sendOptions);
      const trip = trips.length;
      return Promise.all(commands.map((command) => answer(command, trip)));
    },
    async close() {},
  };
}

/** Answers like a Redis that holds nothing. */
export const empty = (command: Command): Reply => (command[0] === "MGET" ? command.slice(1).map(() => null) : "OK");
