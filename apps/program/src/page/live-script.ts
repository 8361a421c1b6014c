/**
 * Fifth part: what happens to memories and sessions, here and in other windows, as it happens. After an interruption it goes
 * on behind the last event that it has got; what can't be had any more is shown as a gap.
 */
export const liveScript: string = `
const maxEvents = 50;
const longestWaitMs = 10_000;
/** Behind which event to go on, by channel. */
const places = new Map();
const live = { channels: ["ws:memory:updates", "ws:session:events"], socket: undefined, attempts: 0 };

const showEvent = (className, date, ...children) => {
  byId("no-events").hidden = true;
  const list = byId("events");
  list.prepend(element("li", { className }, element("span", {}, ...children), timeOf(date)));
  while (list.children.length > maxEvents) list.lastElementChild.remove();
};

const showLive = (text, className) => {
  const state = byId("live-state");
  state.textContent = text;
  state.className = "badge " + className;
};

const memoryLink = ({ memory_id, title }) => {
  const button = element("button", { type: "button", className: "link", textContent: title });
  button.addEventListener("click", () => openMemory(memory_id));
  return button;
};

const descriptions = {
  memory_updated: (event) => ["Now in the cache: ", memoryLink(event)],
  memory_read: (event) => ["Read again: ", memoryLink(event)],
  memory_found: (event) => ["Found: ", memoryLink(event)],
  cache_invalidated: ({ pattern, deleted }) => [pattern + ": " + grouped(deleted) + " forgotten"],
  session_started: () => ["A session has begun"],
  session_updated: () => ["A session has remembered a search"],
};

const showMessage = ({ data, degraded }) => {
  if (data.type === "search_remembered") return remember(data);
  const describe = descriptions[data.type];
  if (!describe) return;
  const mark = degraded ? [" ", element("span", { className: "badge miss", textContent: "this server only" })] : [];
  showEvent("", new Date(data.timestamp * 1000), ...describe(data), ...mark);
};

const showGap = ({ channel, from, to, missed, reason }) => {
  const count = missed === undefined ? "events may be missing" : missed === 1 ? "1 event is missing" : grouped(missed) + " events are missing";
  const since = new Date(from).toLocaleTimeString();
  showEvent("gap", new Date(to), channel + ": " + count + " since " + since + " (" + reason + ")");
};

const subscribeTo = (channel) => live.socket.send(JSON.stringify({ type: "subscribe", channel, after: places.get(channel) }));

const hear = (frame) => {
  const { type, channel, position } = frame;
  if (position) places.set(channel, position);
  // With nothing published so far, whatever comes is behind the beginning.
  else if (type === "subscribed" && !places.has(channel)) places.set(channel, "beginning");
  if (type === "message") showMessage(frame);
  else if (type === "gap") showGap(frame);
  else if (type === "error" && frame.code === "unavailable") setTimeout(() => live.socket.readyState === 1 && subscribeTo(channel), 2_000);
};

const connect = () => {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");
  live.socket = socket;
  socket.addEventListener("open", () => {
    live.attempts = 0;
    showLive("live", "hit");
    for (const channel of live.channels) subscribeTo(channel);
  });
  socket.addEventListener("message", ({ data }) => hear(JSON.parse(data)));
  socket.addEventListener("close", () => {
    showLive("reconnecting", "miss");
    const waitMs = Math.min(longestWaitMs, 250 * 2 ** live.attempts++) * (0.5 + Math.random() / 2);
    setTimeout(connect, waitMs);
  });
};

/** @param ownChannel - Where this session's own searches are told, in whichever window they were made. */
const startLive = (ownChannel) => {
  if (ownChannel) live.channels.push(ownChannel);
  connect();
};
`;
