import { fuzz } from "@continuum-cache/conformance";
import { type Command, isTransportError } from "@continuum-cache/core";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { inBoundedTime } from "@continuum-cache/test-scale/hostile-inputs";
import { it } from "vitest";
import { NotHttp } from "../src/http/http-errors.ts";
import { createReplyReader } from "../src/http/node/reply-reader.ts";
import { fromBase64 } from "../src/request/base64.ts";
import { pathOf, rawBodyPost } from "../src/request/binary-body.ts";
import { outcomesOf } from "../src/request/rest-reply.ts";
import { createSyncToken } from "../src/request/sync-token.ts";
import { errorFromStatus } from "../src/rest-error.ts";
import { createDataLines } from "../src/subscriptions/event-stream.ts";
import { createFrameReader } from "../src/subscriptions/pubsub-frame.ts";
import { b64 } from "./scripted-server.ts";

const repeated = { inputs: scaled(2_000), seed: testSeed };

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const never = (): boolean => false;
const jsonPieces = [
  "[",
  "{",
  '"',
  "\\u",
  '"result":',
  '"error":',
  '{"result":',
  "[[[[[[[[",
  "1e999",
  "__proto__",
  "null",
  ",",
  "OK",
];
const script: Command = ["EVAL", "return 1", 0];
const pair: Command[] = [
  ["GET", "a"],
  ["MGET", "a", "b"],
];
const answers = [
  JSON.stringify({ result: b64("a value") }),
  JSON.stringify({ result: [b64("0"), [b64("k1"), [null, 1, "OK"]]] }),
  JSON.stringify({ error: "ERR max request size exceeded. Limit: 10 bytes, Actual: 12 bytes" }),
  JSON.stringify([{ result: b64("x") }, { result: [null, b64("y")] }]),
  JSON.stringify([{ error: "WRONGTYPE Operation against a key" }, { error: "READONLY no" }]),
];
const reading = (form: "one" | "list", commands: readonly Command[]) => () =>
  fuzz({
    ...repeated,
    samples: answers,
    pieces: jsonPieces,
    run: (text) => {
      for (const status of [200, 400]) outcomesOf({ status, text, header: () => "application/json" }, form, commands);
    },
    isExpected: isTransportError,
  });

/** What a reader of replies makes of bytes that come in these pieces: the reply, an error of ours, or nothing yet. */
function replyIn(pieces: readonly Uint8Array[]): string {
  const reader = createReplyReader();
  try {
    for (const piece of pieces) {
      const reply = reader.read(Buffer.from(piece), 5_000);
      if (reply) return JSON.stringify([reply.status, reply.text, reply.header("x-a"), reply.header("content-length")]);
    }
    const last = reader.end();
    return last ? JSON.stringify([last.status, last.text]) : "none";
  } catch (error) {
    if (error instanceof NotHttp) return "not HTTP";
    throw error;
  }
}

const targets = {
  "a reply of HTTP": () =>
    fuzz({
      ...repeated,
      samples: [
        bytes('HTTP/1.1 200 OK\r\nContent-Length: 12\r\nx-a: b\r\n\r\n{"result":1}'),
        bytes(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n{"res\r\n7\r\nult":1}\r\n0\r\nx-a: b\r\n\r\n',
        ),
        bytes("HTTP/1.0 503 Service Unavailable\r\nConnection: close\r\n\r\n<html>"),
        bytes("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
      ],
      pieces: [
        ...["\r\n", "\r", "\n", "\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"],
        ...["content-length: 5\r\n", "content-length: ", "transfer-encoding: chunked\r\n", "x-a: ", "0\r\n", ": "],
        ...["ffffffff\r\n", "a\r\n", " ", "\t"],
      ].map(bytes),
      run(input) {
        const whole = replyIn([input]);
        const halves = [input.subarray(0, input.length / 2), input.subarray(input.length / 2)];
        const single = Array.from(input, (byte) => Uint8Array.of(byte));
        for (const pieces of [halves, single]) {
          const read = replyIn(pieces.filter(({ length }) => length > 0));
          if (read !== whole) throw new Error(`Expected ${whole}, however the bytes are cut, got ${read}`);
        }
      },
      isExpected: never,
    }),
  "the answer to one command": reading("one", [script]),
  "the answer to a pipeline": reading("list", pair),
  base64: () =>
    fuzz({
      ...repeated,
      samples: [b64("text"), b64("é🙂"), b64(Uint8Array.of(0xff, 0xfe, 0)), "", "OK"],
      pieces: ["=", "==", "-", "_", "\n", "/+"],
      run(text) {
        const fast = fromBase64(text);
        const { Buffer: own } = globalThis;
        try {
          Reflect.set(globalThis, "Buffer", undefined);
          // With and without Node's Buffer it is the same text, the same bytes, or none.
          if (String(fromBase64(text)) !== String(fast)) throw new Error(`Expected ${String(fast)} without Buffer`);
        } finally {
          Reflect.set(globalThis, "Buffer", own);
        }
      },
      isExpected: never,
    }),
  "a stream of events": () =>
    fuzz({
      ...repeated,
      samples: [
        bytes("data: subscribe,chat,1\n\ndata: message,chat,hello\r\n\n"),
        bytes(": heartbeat\n\nevent: x\ndata:y\n"),
      ],
      pieces: [
        bytes("\n"),
        bytes("\r\n"),
        bytes("data: "),
        bytes("data:"),
        Uint8Array.of(0xef, 0xbb, 0xbf),
        bytes("message,"),
      ],
      run(stream) {
        const whole = createDataLines(100_000).read(stream);
        const reader = createDataLines(100_000);
        const read = createFrameReader("subscribe", ["chat", "a,b"]);
        const parts: string[] = [];
        for (let at = 0; at < stream.length; at += 7) parts.push(...reader.read(stream.subarray(at, at + 7)));
        if (parts.join("\n") !== whole.join("\n"))
          throw new Error("Expected the same lines, however the bytes are cut");
        for (const line of whole) read(line);
      },
      isExpected: isTransportError,
    }),
  "a frame of a subscription": () =>
    fuzz({
      ...repeated,
      samples: [
        "subscribe,chat,1",
        "message,chat,hello",
        "psubscribe,a,b*,1",
        "pmessage,user:*,user:1,{}",
        "pmessage,a,b*,a,b1,x",
      ],
      pieces: [",", "message,", "pmessage,", "user:*", "a,b*"],
      run(frame) {
        createFrameReader("subscribe", ["chat", "a,b"])(frame);
        createFrameReader("psubscribe", ["user:*", "a,b*"])(frame);
      },
      isExpected: never,
    }),
  "headers of an answer": () =>
    fuzz({
      ...repeated,
      samples: ["7", "Fri, 01 Mar 2024 00:00:00 GMT", "upstash-token:1.2", "application/json; charset=utf-8"],
      pieces: ["-", "e9", " GMT", ".", "\u0000", "\u00ff"],
      run(text) {
        for (const status of [0, 302, 401, 413, 429, 503]) {
          const wait = errorFromStatus({ status, header: () => text })?.retryAfterMs ?? 0;
          if (!(wait >= 0 && wait <= 3_600_000)) throw new Error(`Expected a wait of at most an hour, got ${wait}`);
        }
        const sync = createSyncToken(true);
        sync.next()?.update(text);
        new Headers({ "upstash-sync-token": sync.current });
      },
      isExpected: never,
    }),
  "a path and a query": () =>
    fuzz({
      ...repeated,
      samples: ["SET", "a/b?c#d é%", "..", "EX", "60", "k\ud800", "_token"],
      pieces: ["/", "%", "?", "&", "\ud83d", ".", "\u0000"],
      run(text) {
        pathOf([text, text]);
        rawBodyPost([text, text, Uint8Array.of(0xff), text, "60"]);
      },
      isExpected: never,
    }),
};

it.each(Object.entries(targets))("%s: hostile input meets no error but our own, in bounded time", inBoundedTime());
