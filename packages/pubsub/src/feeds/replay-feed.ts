import { createPauses, type Message as Heard, longestTimerMs } from "@continuum-cache/core";
import { advance, isBehind, type Step } from "../history/advance.ts";
import type { Entry } from "../history/entry.ts";
import { type Frame, readFrame } from "../history/frame.ts";
import type { HistoryReader } from "../history/read-history.ts";
import { createRecentMessages } from "../history/recent-messages.ts";
import type { Restoration } from "../hub/topic-listener.ts";
import type { Message } from "../message.ts";
import type { Position } from "../position.ts";
import { catchUp } from "./catch-up.ts";
import { createInterruption, gapOf } from "./interruption.ts";
import { createLiveQueue } from "./live-queue.ts";
import type { Feed, Member } from "./member.ts";
import { createSeenTags } from "./seen-tags.ts";
import { shareAttachment } from "./shared-attachment.ts";
import { type FeedParts, toMessage } from "./volatile-feed.ts";

/** What a feed of a replay channel needs besides. */
export interface ReplayFeedParts extends FeedParts {
  readonly reader: HistoryReader;
  /** How long a read of history may take. */
  readonly timeoutMs: number;
  /** Told when the history can't be read; it is tried again until it can. */
  readonly onError: (error: unknown) => void;
}

/** A follower: it has been handed everything up to the feed's cursor. */
interface Follower {
  readonly joinedMs: number;
  position: Position | undefined;
}

/**
 * Hands out what is heard and what is stored as one sequence without holes and repetitions. What comes next by its number is
 * handed out as it is heard; whatever does not fit sends the feed to the history, and what is heard meanwhile waits.
 */
export function createReplayFeed(parts: ReplayFeedParts): Feed {
  const { hub, topic, named, decode, reader, timeoutMs, onError } = parts;
  const followers = new Map<Member, Follower>();
  const interruption = createInterruption();
  const recent = createRecentMessages();
  const queue = createLiveQueue();
  const seen = createSeenTags();
  const pauses = createPauses();
  /** The last message that was handed out: `undefined` while there has been none in this channel. */
  let cursor: Position | undefined;
  /** `away` until the primary was asked for the first time, and again while it is not heard. */
  let state: "away" | "reading" | "following" = "away";
  let isStarted = false;
  let turn = 0;
  let heardMs = Date.now();
  /** A time in which there may have been a first history, and its end: nothing was known by which its loss would show. */
  let unproven: { readonly sinceMs: number; readonly atMs: number } | undefined;
  const onFollowing: (() => void)[] = [];

  const tellGap = (step: Exclude<Step, { kind: "entry" }>, sinceMs: number): void => {
    const times = { sinceMs, atMs: Date.now() };
    const missed = step.kind === "trimmed" ? step.missed : undefined;
    for (const [member, { joinedMs }] of [...followers]) {
      member.gap(gapOf(named, step.kind, { ...times, joinedMs }, missed));
    }
  };

  const handOut = (message: Message, size: number): void => {
    for (const [member, follower] of followers) {
      follower.position = message.position ?? follower.position;
      member.message(message, size);
    }
  };

  /** Before the first message: whoever followed through an unproven time may have missed others. */
  const tellUnproven = (): void => {
    if (!unproven) return;
    const times = unproven;
    unproven = undefined;
    for (const [member, { joinedMs }] of [...followers]) {
      if (joinedMs <= times.atMs) member.gap(gapOf(named, "interrupted", { ...times, joinedMs }));
    }
  };

  const pass = (frame: { readonly position: Required<Position>; readonly text: string | Uint8Array }): void => {
    const { position, text } = frame;
    tellUnproven();
    cursor = position;
    heardMs = Date.now();
    if (!seen.isNew(position.tag)) return;
    const channel = named.channel;
    const decoded = decode(channel, text);
    if (!decoded) return;
    const message: Message = { channel, data: decoded.data, position };
    recent.add({ message, position, size: text.length });
    handOut(message, text.length);
  };

  /** @returns whether it had its place: it was handed out, or had been. */
  const take = (frame: Required<Frame>, isQueued: boolean): boolean => {
    const { position } = frame;
    if (cursor && !isBehind(position, cursor)) return isQueued || recent.has(position) === true;
    const isNext = cursor?.epoch === position.epoch ? position.seq === cursor.seq + 1 : position.seq === 0;
    if (isNext) pass(frame);
    return isNext;
  };

  const listener = {
    message(heard: Heard): void {
      const frame = readFrame(heard.data);
      if (!frame?.position) {
        if (frame && !seen.isNew(frame.tag)) return;
        const message = toMessage(heard, decode, undefined);
        if (message) handOut(message, heard.data.length);
      } else if (state !== "following" || !take(frame as Required<Frame>, false)) {
        queue.push(frame as Required<Frame>);
        if (state === "following") void read();
      }
    },
    lost(loss: { readonly sinceMs: number }): void {
      interruption.begin(loss);
      // What is on its way is asked for again.
      queue.clear();
      go("away");
    },
    restored(back: Restoration): void {
      // It is over when everything has been read that came meanwhile, which the next one may keep from happening.
      if (back.degraded) interruption.end(back);
      else void read(interruption.sinceMs);
    },
  };

  /** A read that was begun in one state has nothing to say in the next. */
  const go = (next: typeof state): void => {
    state = next;
    turn++;
  };

  /** One page further. @returns whether there may be more. */
  const readOn = async (sinceMs: number, isCurrent: () => boolean): Promise<boolean> => {
    const page = await reader.page(topic.name, cursor, { timeoutMs });
    if (!isCurrent()) return false;
    const { steps, cursor: reached, isDiverged } = advance(cursor, page);
    if (isDiverged) return readAnew(sinceMs, isCurrent);
    if (steps.length > 0) tellUnproven();
    for (const step of steps) {
      if (step.kind === "entry") pass(step.entry);
      else tellGap(step, sinceMs);
    }
    cursor = reached;
    return page.more !== undefined;
  };

  /** The end of the history was lost: what was written since has old numbers, and what was handed out is known by its mark. */
  const readAnew = async (sinceMs: number, isCurrent: () => boolean): Promise<boolean> => {
    const first = cursor && recent.firstOf(cursor.epoch);
    const { newest, entries, more } = first
      ? await reader.page(topic.name, first, { timeoutMs })
      : { newest: await reader.newest(topic.name, { timeoutMs }), entries: [], more: undefined };
    if (!isCurrent()) return false;
    tellGap({ kind: "lost" }, sinceMs);
    const news: Entry[] = entries.filter(({ position }) => recent.has(position) !== true);
    recent.clear();
    for (const entry of news) pass(entry);
    cursor = more ?? newest?.position;
    return true;
  };

  const read = async (sinceMs = heardMs): Promise<void> => {
    if (state === "reading") return;
    go("reading");
    if (isStarted && !cursor && interruption.sinceMs !== undefined) {
      unproven = { sinceMs: unproven?.sinceMs ?? sinceMs, atMs: Date.now() };
    }
    const mine = turn;
    const isCurrent = (): boolean => turn === mine;
    for (let attempt = 0; isCurrent(); attempt++) {
      try {
        if (!isStarted) await start(sinceMs);
        while (isCurrent() && (await readOn(sinceMs, isCurrent)));
        if (!isCurrent()) return;
        if (queue.drain((frame) => take(frame, true))) return follow();
      } catch (error) {
        if (attempt === 0) onError(error);
      }
      // Until the primary answers, and has what it has published, or the stream says that it is gone.
      if (attempt > 0) await pauses.wait(Math.random() * Math.min(1_000, 50 * 2 ** attempt), undefined);
    }
  };

  const follow = (): void => {
    interruption.end({ atMs: Date.now(), degraded: false });
    go("following");
    for (const wake of onFollowing.splice(0)) wake();
  };

  /** Before this there is nothing to go on from: the newest message is where everything begins. */
  const start = async (sinceMs: number | undefined): Promise<void> => {
    const newest = await reader.newest(topic.name, { timeoutMs });
    cursor = newest?.position;
    isStarted = true;
    if (sinceMs === undefined) return;
    for (const [member, { joinedMs }] of [...followers]) {
      member.gap(gapOf(named, "interrupted", { sinceMs, atMs: Date.now(), joinedMs }));
    }
  };

  const attachment = shareAttachment(topic.name, async (signal) => {
    const attached = await hub.attach(topic, listener, { timeoutMs: longestTimerMs, signal });
    try {
      interruption.end(attached.start);
      if (!attached.start.degraded) {
        await start(undefined);
        queue.drain((frame) => take(frame, true));
        if (state === "away" && interruption.sinceMs === undefined) follow();
      }
      return attached;
    } catch (error) {
      attached.detach();
      throw error;
    }
  });

  return {
    close() {
      go("away");
      pauses.end();
      for (const wake of onFollowing.splice(0)) wake();
    },
    async join(member, { after, ...options }) {
      await attachment.take(options);
      const follower: Follower = { joinedMs: Date.now(), position: cursor };
      let hasLeft = false;
      if (after === undefined) {
        followers.set(member, follower);
      } else {
        follower.position = after === "beginning" ? undefined : after;
        void catchUp(after, {
          isOver: () => hasLeft,
          isFollowing: () => state === "following",
          following: () => (state === "following" ? Promise.resolve() : new Promise((wake) => onFollowing.push(wake))),
          feedCursor: () => cursor,
          recentAfter: recent.after,
          page: (from) => reader.page(topic.name, from, { timeoutMs }),
          pause: (ms) => pauses.wait(ms, undefined),
          onError,
          entry(entry) {
            follower.position = entry.position;
            const decoded = decode(named.channel, entry.text);
            if (!decoded) return;
            const message = { channel: named.channel, data: decoded.data, position: entry.position };
            member.message(message, entry.text.length);
          },
          recent({ message, size }) {
            follower.position = message.position;
            member.message(message, size);
          },
          gap(step) {
            // All that is known of the time of its place.
            const sinceMs = step.kind === "interrupted" ? follower.joinedMs : (follower.position?.epoch ?? 0);
            const times = { sinceMs, joinedMs: 0, atMs: Date.now() };
            member.gap(gapOf(named, step.kind, times, step.kind === "trimmed" ? step.missed : undefined));
          },
          join() {
            follower.position = cursor ?? follower.position;
            followers.set(member, follower);
          },
        });
      }
      return {
        get position() {
          return follower.position;
        },
        leave() {
          if (hasLeft) return;
          hasLeft = true;
          followers.delete(member);
          attachment.giveBack();
        },
      };
    },
  };
}
