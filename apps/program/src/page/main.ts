import type { SessionAnswer } from "../api.ts";
import { ask } from "./ask.ts";
import { pollStats } from "./dashboard.ts";
import { byId } from "./elements.ts";
import { startLive } from "./live.ts";
import { remember } from "./past-searches.ts";
import { searchFromAddress, showFailure } from "./search.ts";

if (location.search === "") byId("query").focus();
try {
  const { session, channel } = await ask<SessionAnswer>("/api/session");
  for (const past of [...session.recent].reverse()) remember(past);
  startLive(channel);
} catch (error) {
  startLive();
  showFailure(error);
}
await searchFromAddress();
void pollStats();
