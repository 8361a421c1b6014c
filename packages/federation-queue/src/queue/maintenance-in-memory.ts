import type { Reply } from "@continuum-cache/core";
import { type ScriptContext, serverTimeMs } from "@continuum-cache/core/kit";
import {
  type InfoRow,
  isLater,
  type MessageFields,
  readFields,
  rowsOf,
  type StreamEntry,
  unpackDelayed,
  writeFields,
} from "./message-fields.ts";
import { group } from "./settings.ts";

type PendingRow = readonly [id: string, consumer: string, idleMs: number, deliveries: number];

/** The maintenance script for transports in memory. */
export function maintainInMemory({ call, keys, args }: ScriptContext): Reply {
  const [delayed = "", dead = "", retry = "", ...ofPriorities] = keys;
  const [lease = "", ...rest] = args.map(String);
  const [maxCrashes = 0, retention = 0, kept = 0, batch = 0] = rest.slice(0, 4).map(Number);
  const isTrimming = rest[2] !== "";
  const names = rest.slice(4);
  const nameOf = new Map(ofPriorities.map((key, index) => [key, names[index] ?? ""]));
  const stream = new Map(ofPriorities.map((key, index) => [names[index] ?? "", key]));
  const now = serverTimeMs(call("TIME"));
  const expired = String(Math.max(0, now - retention));
  const woken = new Set<string>();
  const died: string[] = [];
  let [pending, more, recovered] = [0, 0, 0];

  const add = (key: string, fields: MessageFields): void => {
    call("XADD", key, "*", ...writeFields(fields));
    if (key !== dead) woken.add(nameOf.get(key) ?? "retry");
  };
  const deadLetter = (fields: MessageFields, reason: string): void => {
    add(dead, { ...fields, r: reason });
    died.push(fields.i, reason);
  };

  const nextDue = (): string => (call("ZRANGE", delayed, 0, 0, "WITHSCORES") as readonly string[])[1] ?? "";
  const giveOutDue = (): void => {
    const due = call("ZRANGEBYSCORE", delayed, "-inf", now, "WITHSCORES", "LIMIT", 0, batch) as readonly string[];
    const members = due.filter((_, at) => at % 2 === 0);
    for (const [at, member] of members.entries()) {
      const fields = unpackDelayed(member, due[2 * at + 1] ?? "0");
      if (!fields) {
        deadLetter({ i: "", e: member, f: "0", c: "0", t: "", d: "It is not a delayed message" }, "unreadable");
        continue;
      }
      const own = fields.f === "0" && fields.c === "0" ? stream.get(fields.p ?? "") : undefined;
      add(own ?? retry, own === undefined ? fields : { ...fields, p: undefined });
    }
    call("ZREM", delayed, ...members);
    if (members.length === batch) more = 1;
  };

  /** Expired leases. */
  const recover = (key: string): number => {
    const lost = call("XPENDING", key, group, "IDLE", lease, "-", "+", batch) as readonly PendingRow[];
    const ended = lost.map(([id]) => id);
    for (const id of ended) {
      const [entry] = call("XRANGE", key, id, id) as readonly StreamEntry[];
      if (!entry) continue;
      const found = readFields(entry);
      const fields = { ...found, p: found.p ?? nameOf.get(key), c: String(Number(found.c) + 1) };
      if (now - Number(fields.w || fields.t) > retention) deadLetter(fields, "expired");
      else if (Number(fields.c) > maxCrashes) deadLetter(fields, "crashed");
      else {
        add(retry, fields);
        recovered++;
      }
    }
    if (ended.length > 0) {
      call("XACK", key, group, ...ended);
      call("XDEL", key, ...ended);
    }
    if (ended.length === batch) more = 1;
    return ended.length;
  };

  /** Messages that no worker took in time. */
  const expireOld = (key: string, last: string): void => {
    const old = call("XRANGE", key, `(${last}`, expired, "COUNT", batch) as readonly StreamEntry[];
    for (const entry of old) {
      const fields = readFields(entry);
      deadLetter({ ...fields, p: fields.p ?? nameOf.get(key) }, "expired");
    }
    if (old.length > 0) call("XDEL", key, ...old.map(([id]) => id));
    if (old.length === batch) more = 1;
  };

  /** Acked entries: all below the first leased one and below the repair window. */
  const trim = (key: string, last: string, left: number): void => {
    const [ms = "0", seq = "0"] = last.split("-");
    let cut = earlier(`${Math.max(0, now - kept)}-0`, seq.length > 15 ? last : `${ms}-${Number(seq) + 1}`);
    if (left > 0) {
      const [first] = call("XPENDING", key, group, "-", "+", 1) as readonly PendingRow[];
      if (first) cut = earlier(first[0], cut);
    }
    call("XTRIM", key, "MINID", cut);
  };

  const maintainGroup = (key: string, row: InfoRow): void => {
    const last = String(row["last-delivered-id"]);
    const had = Number(row["pending"]);
    const left = had - (had > 0 ? recover(key) : 0);
    if (row["lag"] !== 0) expireOld(key, last);
    pending += left;
    if (isTrimming) trim(key, last, left);
  };

  let nextAt = nextDue();
  if (nextAt !== "" && Number(nextAt.replace("inf", "Infinity")) <= now) {
    giveOutDue();
    nextAt = nextDue();
  }
  for (const key of [retry, ...ofPriorities]) {
    for (const row of rowsOf(() => call("XINFO", "GROUPS", key))) if (row["name"] === group) maintainGroup(key, row);
  }
  if (isTrimming) call("XTRIM", dead, "MINID", expired);
  return [String(now), pending, more, nextAt, recovered, [...woken], died];
}

const earlier = (one: string, other: string): string => (isLater(one, other) ? other : one);
