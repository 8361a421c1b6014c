import { serveFleet } from "../fleet.ts";
import { type DemandTask, demand, type OutageDecision } from "./demand.ts";

serveFleet<DemandTask, never, OutageDecision[]>((task) => ({ hear: () => {}, done: demand(task) }));
