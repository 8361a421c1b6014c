import type { BridgeSettings } from "./bridge-options.ts";
import type { ClientChannels } from "./client-channels.ts";
import { readClientFrame } from "./client-frame.ts";
import type { ClientOutlet } from "./client-subscription.ts";
import type { GuardedSocket } from "./guarded-socket.ts";
import type { ControlFrame } from "./server-frame.ts";

/** One connected client. */
export interface BridgeClient {
  readonly channels: ClientChannels;
  readonly isLagging: boolean;
  /** Begins to listen to the socket. */
  start(): void;
  readonly bufferedBytes: number;
  /** Checks whether a lagging client has drained, or has taken too long. */
  checkDrained(): void;
  /** Checks whether the client is alive, and asks it to show that again. */
  checkAlive(): void;
  /** Sends a close frame and ends everything but the socket, which has a while to close. */
  leave(code: number, reason: string): void;
  /** Ends a socket that has not closed long after the close frame. */
  checkLeft(): void;
}

/** Is called with what happens to a client. */
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
  readonly channelsOf: (outlet: ClientOutlet) => ClientChannels;
}

type Phase =
  | { readonly is: "open" | "gone" }
  /** The client's socket is full; or the close frame was sent. */
  | { readonly is: "lagging" | "leaving"; readonly sinceMs: number };

/** Answers and gaps are sent even while messages are not. A client that lets them pile up beyond this is closed. */
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
  let phase: Phase = { is: "open" };
  const frames = createFrameCount(maxFramesPerSecond);
  const liveness = createLiveness(socket, mustSpeak);
  const isConnected = (): boolean => phase.is === "open" || phase.is === "lagging";

  const send = (text: string): boolean => {
    if (!isConnected() || !socket.isOpen) return false;
    if (socket.send(text)) return true;
    // The socket is broken, and its `close` event may be late.
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
    for (const subscription of channels.subscriptions()) subscription.pause();
    listener.lags(client);
  };
  const outlet: ClientOutlet = {
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
    // A socket that can't send a close frame is closed already, or broken.
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

  const hear = (data: unknown): void => {
    if (!isConnected()) return;
    liveness.heard();
    if (frames.isOneTooMany()) {
      leave(policyViolation, `more than ${maxFramesPerSecond} frames a second`);
      return;
    }
    answer(readClientFrame(data, maxFrameBytes), channels, tell);
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
        for (const subscription of channels.subscriptions()) {
          if (phase.is === "open") subscription.resume();
        }
      } else if (Date.now() - phase.sinceMs >= patienceMs) {
        tooSlow();
      }
    },
    checkAlive() {
      // A lagging client can't answer in time. `checkDrained` closes it instead.
      if (phase.is !== "open") {
        liveness.heard();
      } else if (!liveness.check()) {
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
      if (!socket.listen({ message: hear, pong: liveness.heard, gone })) terminate();
    },
  };
  return client;
}

function answer(
  read: ReturnType<typeof readClientFrame>,
  channels: ClientChannels,
  tell: (frame: ControlFrame) => void,
): void {
  if ("code" in read) tell({ type: "error", ...read });
  else if (read.frame.type === "ping") tell({ type: "pong" });
  else if (read.frame.type === "subscribe") channels.subscribe(read.frame.channel, read.frame.after);
  else channels.unsubscribe(read.frame.channel);
}

/** Counts the frames of the current second. */
function createFrameCount(most: number) {
  let secondMs = 0;
  let count = 0;
  return {
    isOneTooMany(): boolean {
      const now = Date.now();
      if (Math.abs(now - secondMs) >= 1_000) {
        secondMs = now;
        count = 0;
      }
      return ++count > most;
    },
  };
}

/** Watches for signs of life. A client that can't be pinged, and need not send by itself, counts as alive. */
function createLiveness({ canPing, ping }: Pick<GuardedSocket, "canPing" | "ping">, mustSpeak: boolean) {
  /** The checks since the last sign of life. */
  let silentChecks = 0;
  return {
    heard(): void {
      silentChecks = 0;
    },
    /** @returns whether it is alive. Asks for another sign of life. */
    check(): boolean {
      if (!canPing && !mustSpeak) return true;
      const isDead = silentChecks >= (canPing ? 1 : 2);
      silentChecks++;
      return !isDead && (!canPing || ping());
    },
  };
}
