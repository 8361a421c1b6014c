import type { ClientLog, History } from "./history.ts";

/** How many clients of a history lost the primary again while they were telling it what had happened meanwhile. */
export function interruptedReplays({ clients, nemesis }: History): number {
  const relapses = nemesis.filter(({ relapse }) => relapse === true);
  return clients.filter((log) =>
    relapses.some(({ startUs, client }) => (client ?? log.client) === log.client && wasRecovering(log, startUs)),
  ).length;
}

function wasRecovering({ statuses }: ClientLog, atUs: number): boolean {
  const inForce = statuses.findLast((status) => status.atUs <= atUs);
  return inForce?.backend === "local" && inForce.pending > 0;
}
