import type { BridgeSettings } from "./bridge-options.ts";
import type { ClientChannels } from "./client-channels.ts";
import { readClientFrame } from "./client-frame.ts";
import type { GuardedSocket } from "./guarded-socket.ts";
import type { SeatOutlet } from "./seat.ts";
import type { ControlFrame } from "./server-frame.ts";

/** One connected client. */
export interface BridgeClient {
  readonly channels: ClientChannels;
  readonly isLagging: boolean;
  /** Begins to hear the socket. */
  start(): void;
  readonly bufferedBytes: number;
  /** Looks whether a client that lags has drained, or has taken too long. */
  checkDrained(): void;
  /** Looks whether it lives, and asks it to show so again. */
  checkAlive(): void;
  /** Says farewell and gives up everything but the socket, which has a while to close. */
  leave(code: number, reason: string): void;
  /** Ends a socket that has not closed long after the farewell. */
  checkLeft(): void;
}

/** Whom a client tells what becomes of it. */
export interface ClientListener {
  lags(client: BridgeClient): void;
  hasDrained(client: BridgeClient): void;
  leaves(client: BridgeClient): void;
  isGone(client: BridgeClient): void;
  tooSlow(): void;
  dead(): void;
}

export interface ClientOptions<Context> {
  readonly socket: GuardedSocket;
  readonly settings: BridgeSettings<Context>;
  readonly listener: ClientListener;
  readonly channelsOf: (outlet: SeatOutlet) => ClientChannels;
}

type Phase =
  | { readonly is: "open" | "gone" }
  /** Its socket is full; or the farewell is on its way. */
  | { readonly is: "lagging" | "leaving"; readonly sinceMs: number };

/** Answers and gaps go out even while messages don't; whoever makes that grow beyond this without reading is closed. */
const controlHeadroomBytes = 65_536;

/** How long a socket may take to close. */
const closingGraceMs = 3_000;

/** WebSocket close codes. */
const [policyViolation, tryAgainLater] = [1008, 1013];

export function createClient<Context>({
  socket,
  settings,
  listener,
  channelsOf,
}: ClientOptions<Context>): BridgeClient {
  const { maxBufferedBytes, maxFrameBytes, maxFramesPerSecond, patienceMs, mustSpeak } = settings;
  const { canPing } = socket;
  let phase: Phase = { is: "open" };
  /** How often it was looked for a sign of life since the last. */
  let silentLooks = 0;
  const frames = { secondMs: 0, count: 0 };
  const isConnected = (): boolean => phase.is === "open" || phase.is === "lagging";

  const send = (text: string): boolean => {
    if (!isConnected() || !socket.isOpen) return false;
    if (socket.send(text)) return true;
    // Broken, and its `close` event may be late.
    terminate();
    return false;
  };
  const tell = (frame: ControlFrame): void => {
    if (socket.bufferedBytes > maxBufferedBytes + controlHeadroomBytes) tooSlow();
    else send(JSON.stringify(frame));
  };
  const lag = (): void => {
    if (phase.is !== "open") return;
    phase = { is: "lagging", sinceMs: Date.now() };
    for (const seat of channels.seats()) seat.pause();
    listener.lags(client);
  };
  const outlet: SeatOutlet = {
    get isFull() {
      return phase.is === "lagging";
    },
    offer({ text, bytes }) {
      if (phase.is !== "open") return false;
      const buffered = socket.bufferedBytes;
      if (buffered === 0 || buffered + bytes <= maxBufferedBytes) return send(text);
      lag();
      return false;
    },
    tell,
  };
  const channels = channelsOf(outlet);

  const leave = (code: number, reason: string): void => {
    if (!isConnected()) return;
    phase = { is: "leaving", sinceMs: Date.now() };
    channels.close();
    listener.leaves(client);
    // One that can't say farewell was closed already, or is broken.
    if (!socket.close(code, reason)) terminate();
  };
  const tooSlow = (): void => {
    if (isConnected()) listener.tooSlow();
    leave(tryAgainLater, "too slow: come back and resume");
  };
  const gone = (): void => {
    if (phase.is === "gone") return;
    phase = { is: "gone" };
    channels.close();
    listener.isGone(client);
  };
  const terminate = (): void => {
    socket.terminate();
    gone();
  };

  const isTooMany = (): boolean => {
    const now = Date.now();
    if (Math.abs(now - frames.secondMs) >= 1_000) Object.assign(frames, { secondMs: now, count: 0 });
    return ++frames.count > maxFramesPerSecond;
  };
  const hear = (data: unknown): void => {
    if (!isConnected()) return;
    silentLooks = 0;
    if (isTooMany()) {
      leave(policyViolation, `more than ${maxFramesPerSecond} frames a second`);
      return;
    }
    const read = readClientFrame(data, maxFrameBytes);
    if ("code" in read) tell({ type: "error", ...read });
    else if (read.frame.type === "ping") tell({ type: "pong" });
    else if (read.frame.type === "subscribe") channels.subscribe(read.frame.channel, read.frame.after);
    else channels.unsubscribe(read.frame.channel);
  };

  const client: BridgeClient = {
    channels,
    get isLagging() {
      return phase.is === "lagging";
    },
    get bufferedBytes() {
      return socket.bufferedBytes;
    },
    checkDrained() {
      if (phase.is !== "lagging") return;
      if (socket.bufferedBytes <= maxBufferedBytes / 2) {
        phase = { is: "open" };
        listener.hasDrained(client);
        for (const seat of channels.seats()) {
          if (phase.is === "open") seat.resume();
        }
      } else if (Date.now() - phase.sinceMs >= patienceMs) {
        tooSlow();
      }
    },
    checkAlive() {
      // Of one that lags nothing can come back in time; its patience runs out instead.
      if (phase.is !== "open") {
        silentLooks = 0;
      } else if (canPing || mustSpeak) {
        const isDead = silentLooks >= (canPing ? 1 : 2);
        silentLooks++;
        if (!isDead && (!canPing || socket.ping())) return;
        listener.dead();
        if (socket.canTerminate) terminate();
        else leave(tryAgainLater, "no sign of life");
      }
    },
    checkLeft() {
      if (phase.is === "leaving" && Date.now() - phase.sinceMs >= closingGraceMs) terminate();
    },
    leave,
    start() {
      const pong = (): void => {
        silentLooks = 0;
      };
      if (!socket.listen({ message: hear, pong, gone })) terminate();
    },
  };
  return client;
}
