import type { ControlFrame, GapFrame } from "@continuum-cache/pubsub/websocket";
import { type EventFrame, type MemoryEvent, memoryUpdates, sessionEvents } from "../live/live-event.ts";
import { button, byId, element, grouped, prependItem, timeOf } from "./elements.ts";
import { openMemory } from "./memory.ts";
import { remember } from "./past-searches.ts";

/*
 * What happens to memories and sessions, in this window and in others. After an interruption the page subscribes again
 * behind the last event that it has, and shows as a gap what the history no longer holds.
 */

const mostEvents = 50;
const longestWaitMs = 10_000;
const retryMs = 2_000;
/** The position to continue behind, by channel. */
const positions = new Map<string, EventFrame["position"] | "beginning">();

/** @param ownChannel - Where this session's own searches are published, from every window in which they are made. */
export function startLive(ownChannel?: string): void {
  connect([memoryUpdates, sessionEvents, ...(ownChannel === undefined ? [] : [ownChannel])], 0);
}

function connect(channels: readonly string[], attempts: number): void {
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`);
  const awaited = new Set(channels);
  let failed = attempts;
  socket.addEventListener("open", () => {
    failed = 0;
    for (const channel of channels) subscribe(socket, channel);
  });
  socket.addEventListener("message", ({ data }) => {
    const frame: ControlFrame | EventFrame = JSON.parse(data);
    if (isSettled(frame) && awaited.delete(frame.channel ?? "") && awaited.size === 0) showState("live", "hit");
    onFrame(socket, frame);
  });
  socket.addEventListener("close", () => {
    showState("reconnecting", "miss");
    const waitMs = Math.min(longestWaitMs, 250 * 2 ** failed) * (0.5 + Math.random() / 2);
    setTimeout(() => connect(channels, failed + 1), waitMs);
  });
}

/** Whether a channel is subscribed, or stays closed to this page: as that of a session does that has expired. */
function isSettled(frame: ControlFrame | EventFrame): frame is Extract<ControlFrame, { type: "subscribed" | "error" }> {
  return frame.type === "subscribed" || (frame.type === "error" && frame.code !== "unavailable");
}

function subscribe(socket: WebSocket, channel: string): void {
  socket.send(JSON.stringify({ type: "subscribe", channel, after: positions.get(channel) }));
}

function onFrame(socket: WebSocket, frame: ControlFrame | EventFrame): void {
  if ("position" in frame && frame.position) positions.set(frame.channel, frame.position);
  // When nothing has been published so far, every event comes behind the beginning.
  else if (frame.type === "subscribed" && !positions.has(frame.channel)) positions.set(frame.channel, "beginning");
  if (frame.type === "message") showMessage(frame);
  else if (frame.type === "gap") showGap(frame);
  else if (frame.type === "error" && frame.code === "unavailable") retry(socket, frame.channel);
}

function retry(socket: WebSocket, channel: string | undefined): void {
  setTimeout(() => {
    if (channel !== undefined && socket.readyState === WebSocket.OPEN) subscribe(socket, channel);
  }, retryMs);
}

function showMessage({ data, degraded }: EventFrame): void {
  if (data.type === "search_remembered") remember(data);
  else {
    const badge = element("span", { className: "badge miss", textContent: "this server only" });
    showEvent("", new Date(data.timestamp * 1_000), ...describe(data), ...(degraded ? [" ", badge] : []));
  }
}

function describe(event: Exclude<EventFrame["data"], { type: "search_remembered" }>): readonly (Node | string)[] {
  switch (event.type) {
    case "memory_updated":
      return ["Now in the cache: ", memoryLink(event)];
    case "memory_read":
      return ["Read again: ", memoryLink(event)];
    case "memory_found":
      return ["Found: ", memoryLink(event)];
    case "cache_invalidated":
      return [`${event.pattern}: ${grouped(event.deleted)} forgotten`];
    case "session_started":
      return ["A session has begun"];
    case "session_updated":
      return ["A session has remembered a search"];
  }
}

const memoryLink = ({ memory_id, title }: Extract<MemoryEvent, { title: string }>): HTMLElement =>
  button("link", () => openMemory(memory_id), title);

function showGap({ channel, from, to, missed, reason }: GapFrame): void {
  const since = new Date(from).toLocaleTimeString();
  showEvent("gap", new Date(to), `${channel}: ${missedEvents(missed)} since ${since} (${reason})`);
}

function missedEvents(missed: number | undefined): string {
  if (missed === undefined) return "events may be missing";
  return missed === 1 ? "1 event is missing" : `${grouped(missed)} events are missing`;
}

function showEvent(className: string, date: Date, ...children: readonly (Node | string)[]): void {
  byId("no-events").hidden = true;
  const item = element("li", { className }, element("span", {}, ...children), timeOf(date));
  prependItem(byId("events"), item, mostEvents);
}

function showState(textContent: string, className: string): void {
  Object.assign(byId("live-state"), { textContent, className: `badge ${className}` });
}
