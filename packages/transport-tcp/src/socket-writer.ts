import type { Command } from "@continuum-cache/core";
import type { TcpClient } from "./tcp-options.ts";
import type { Trip } from "./trip.ts";
import { wireCommand } from "./wire-command.ts";

/** Makes what hands trips to a client: all trips of a tick share one write to the socket. */
export function createSocketWriter(client: TcpClient): (trip: Trip) => void {
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
    for (let index = 0; index < trip.wire.length; index++) {
      client.sendCommand(wireCommand(trip.wire[index] as Command, index, trip));
    }
  };
}
