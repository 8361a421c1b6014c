import type { CommonRecord } from "../checking/records.ts";
import type { FaultStep } from "../faults/fault-plan.ts";
import { runFaults } from "../faults/run-faults.ts";
import type { Session, TaskBase } from "../fleet/serve.ts";
import { createTeam, type TaskDetails, type Team, type TeamOptions } from "../fleet/team.ts";
import { openSite, type Site, type SiteOptions } from "../site/site.ts";

export interface FleetHistory<Task extends TaskBase, Api extends Session, Entry>
  extends Omit<TeamOptions<Task, Api>, "taskOf"> {
  readonly site: SiteOptions;
  readonly faults: readonly FaultStep[];
  taskOf(site: Site, ...args: Parameters<TeamOptions<Task, Api>["taskOf"]>): TaskDetails<Task>;
  /** What happens: the processes start, faults happen to them, and all is brought to its end. */
  script(team: Team<Task, Api, Entry>, site: Site, hurt: () => Promise<void>): Promise<void>;
}

/** Runs processes on a server of their own while things go wrong, and returns all that was recorded. */
export async function runFleetHistory<Task extends TaskBase, Api extends Session, Entry>(
  history: FleetHistory<Task, Api, Entry>,
): Promise<(Entry | CommonRecord)[]> {
  const { pool, folder, faults, taskOf, script } = history;
  const site = await openSite(history.site);
  const team = createTeam<Task, Api, Entry>({ pool, folder, taskOf: (...args) => taskOf(site, ...args) });
  try {
    await script(team, site, () => runFaults(site, faults, team.targets, team.note));
  } finally {
    team.close();
    await site.close();
  }
  return team.records();
}
