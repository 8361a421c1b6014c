import type { Command } from "@continuum-cache/core";
import { writeCommands } from "./request-writer.ts";
import type { TcpClient } from "./tcp-options.ts";
import type { Trip } from "./trip.ts";
import type { WatchedReplies } from "./watched-replies.ts";
import { wireCommand } from "./wire-command.ts";

/**
 * Makes what writes trips: to the socket where their replies are read there, else through the client. All trips of a tick
 * share one write to the socket.
 */
export function createSocketWriter(client: TcpClient, replies: WatchedReplies): (trip: Trip) => void {
  let corked: TcpClient["stream"] | undefined;

  const corkForThisTick = (): void => {
    const { stream } = client;
    if (!stream || corked === stream) return;
    corked = stream;
    stream.cork();
    process.nextTick(() => {
      if (corked === stream) corked = undefined;
      stream.uncork();
    });
  };

  return (trip) => {
    corkForThisTick();
    if (replies.expects(trip)) {
      writeCommands(client.stream, trip.wire);
      return;
    }
    for (let index = 0; index < trip.wire.length; index++) {
      client.sendCommand(wireCommand(trip.wire[index] as Command, index, trip));
    }
  };
}
