import { startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, type Codec, json, type Transport } from "@continuum-cache/core";
import { compressed } from "@continuum-cache/core/compressed";
import { msgpack } from "@continuum-cache/core/msgpack";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { payloads } from "./payloads.ts";

const codecs: readonly Codec[] = [json(), msgpack(), compressed(json()), compressed(msgpack())];

/** One payload: bytes in Redis for each codec (`undefined` where the codec can't hold it), over TCP and over REST. */
export interface SizeRow {
  readonly payload: string;
  readonly jsonBytes: number;
  readonly bytes: Readonly<Record<string, { readonly tcp: number; readonly rest: number } | undefined>>;
}

/** Writes every payload with every codec over both transports, and asks Redis how long each became (STRLEN). */
export async function measureSizes(): Promise<SizeRow[]> {
  const redis = await startRedisServer();
  const gateway = await startUpstashLocal({ port: 0, token: "bench", redisUrl: redis.url });
  const tcp = tcpTransport({ url: redis.url });
  const rest = restTransport({ url: gateway.url, token: "bench" });
  try {
    const rows: SizeRow[] = [];
    for (const [payload, value] of Object.entries(payloads())) {
      const bytes: Record<string, { tcp: number; rest: number } | undefined> = {};
      for (const codec of codecs) bytes[codec.name] = await storedBytes(codec, value, tcp, rest);
      rows.push({ payload, jsonBytes: JSON.stringify(asJson(value)).length, bytes });
    }
    return rows;
  } finally {
    await Promise.all([tcp.close(), rest.close()]);
    await gateway.close();
    await redis.close();
  }
}

async function storedBytes(
  codec: Codec,
  value: unknown,
  tcp: Transport,
  rest: Transport,
): Promise<{ tcp: number; rest: number } | undefined> {
  const write = async (transport: Transport, key: string): Promise<number> => {
    await new Cache({ transport, codec, maxValueBytes: 1 << 20 }).set(key, value);
    const [length] = await tcp.send([["STRLEN", key]]);
    return Number(length);
  };
  try {
    return { tcp: await write(tcp, "bench:tcp"), rest: await write(rest, "bench:rest") };
  } catch (error) {
    if (error instanceof Error && error.name === "CodecError") return undefined;
    throw error;
  }
}

/** What JSON would make of it, typed arrays as lists of their numbers at the precision that they were sent with. */
function asJson(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("embedding" in value)) return value;
  return { ...value, embedding: Array.from(value.embedding as Iterable<number>, (x) => Number(x.toPrecision(8))) };
}

/** The rows as a table in Markdown: bytes of JSON, then each codec's share of them. */
export function sizeTable(rows: readonly SizeRow[]): string {
  const names = codecs.map((codec) => codec.name);
  const cell = (row: SizeRow, name: string): string => {
    const size = row.bytes[name];
    if (!size) return "refused";
    const share = (bytes: number) => (bytes / row.jsonBytes).toFixed(2);
    return size.tcp === size.rest ? share(size.tcp) : `${share(size.tcp)} / ${share(size.rest)}`;
  };
  return [
    `| payload | JSON bytes | ${names.join(" | ")} |`,
    `| --- | ---: | ${names.map(() => "---:").join(" | ")} |`,
    ...rows.map((row) => `| ${row.payload} | ${row.jsonBytes} | ${names.map((name) => cell(row, name)).join(" | ")} |`),
  ].join("\n");
}
