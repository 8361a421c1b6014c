import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { fuzz } from "@continuum-cache/conformance";
import { type Command, isConfigError } from "@continuum-cache/core";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { inBoundedTime } from "@continuum-cache/test-scale/hostile-inputs";
import { it } from "vitest";
import { readCommandLine } from "../src/cli-options.ts";
import { refusalOf } from "../src/engine/command-policy.ts";
import { createKeyLocking } from "../src/engine/key-locking.ts";
import { RequestError } from "../src/errors/request-error.ts";
import { createPagePolicy } from "../src/http/page-policy.ts";
import { parseCommand, parseCommandList } from "../src/protocol/json-command.ts";
import { formatOf, listBody } from "../src/protocol/response-format.ts";
import { createAuthorization } from "../src/request/authorization.ts";
import { parseTarget } from "../src/request/request-target.ts";
import { readSettings } from "../src/settings.ts";

const repeated = { inputs: scaled(2_000), seed: testSeed };

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const never = (): boolean => false;
const isRequestError = (error: unknown): boolean => error instanceof RequestError;
const jsonPieces = [
  "[",
  "]",
  "{",
  '"',
  "\\",
  "\\u00",
  "12345678901234567890",
  "1e999",
  "-0",
  "[[[[[[[[",
  '["GET",',
  ",",
].map(bytes);

/** The same numbers and texts, when the text is read as plain JSON. */
const plain = (body: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(body));

const targets = {
  "the body of a command": () =>
    fuzz({
      ...repeated,
      samples: [bytes('["SET","key",13,"v"]'), bytes('["SET","k\\u00e9\\"",true,null,-1.50]')],
      pieces: jsonPieces,
      run(body) {
        const command = parseCommand(Buffer.from(body));
        // What is accepted is what JSON says, with each number as it was written.
        const expected = (plain(body) as unknown[]).map((value) =>
          typeof value === "number" ? Number(value) : String(value),
        );
        const got = command.map((value, at) => (typeof expected[at] === "number" ? Number(value) : value));
        if (JSON.stringify(got) !== JSON.stringify(expected)) throw new Error(`Expected ${JSON.stringify(expected)}`);
      },
      isExpected: isRequestError,
    }),
  "the body of a pipeline": () =>
    fuzz({
      ...repeated,
      samples: [bytes('[["SET","key",13],[],["GET","key"]]'), bytes('[["PING"],["ECHO","[[,]]"]]')],
      pieces: jsonPieces,
      run(body) {
        if (parseCommandList(Buffer.from(body), "pipeline", 100).length > 100) throw new Error("Expected at most 100");
      },
      isExpected: isRequestError,
    }),
  "a request line": () =>
    fuzz({
      ...repeated,
      samples: [
        "/set/foo/bar?EX=60&NX&_token=t",
        "/get/%F0%9F%99%82%ff",
        "http://127.0.0.1/pipeline?_token=a=b",
        "//x/",
      ],
      pieces: ["%", "%2F", "%zz", "?", "&", "=", "/", "_token=", "http://"],
      run: parseTarget,
      isExpected: isRequestError,
    }),
  "headers of a request": () =>
    fuzz<string>({
      samples: [
        "Bearer token",
        "127.0.0.1:8079",
        "https://app.example/page",
        "resp2",
        "base64",
        "[::1]:80",
        "cross-site",
      ],
      pieces: ["Bearer ", ":", "[", "]", "//", ".", "\u00ff", "localhost"],
      run(text) {
        const request = new IncomingMessage(new Socket());
        Object.assign(request.headers, { host: text, referer: text, "sec-fetch-site": text, authorization: text });
        const pages = createPagePolicy({ cors: ["https://app.example"], allowedHosts: [] });
        pages.refusalOf(request);
        request.headers.origin = text;
        if (pages.refusalOf(request) === undefined && text !== "https://app.example")
          throw new Error("Expected a refusal");
        pages.headersFor(request);
        createAuthorization({ token: "token", readOnlyToken: "ro" }).accessOf(request.headers, text);
        formatOf({ "upstash-response-format": text, "upstash-encoding": text });
      },
      isExpected: isRequestError,
    }),
  "a script": () =>
    fuzz({
      ...repeated,
      samples: [
        "#!lua flags=allow-key-locking\nreturn 1",
        "#!lua  flags=no-writes,allow-key-locking\t\r\nreturn 1",
        "return 1",
      ],
      pieces: ["#!lua", " flags=", "allow-key-locking", ",", "\t", "\n", " "],
      run(script) {
        const locking = createKeyLocking();
        const load: Command = ["SCRIPT", "LOAD", script];
        locking.restore(load, "x".repeat(40));
        locking.rewrite(load);
        locking.rewrite(["EVAL", script, 0]);
      },
      isExpected: never,
    }),
  "a command's name and words": () =>
    fuzz({
      ...repeated,
      samples: ["CONFIG", "config", "SeT", "notify-keyspace-events", "XREAD", "BLOCK", "STREAMS", "copy", "DB", "KILL"],
      pieces: ["\u0130", "ﬁ", "\u0000", "ı", "GET", "SET"],
      run(word) {
        for (const command of [
          [word.toUpperCase(), word],
          ["CONFIG", "SET", word, word],
          ["CONFIG", word, "maxmemory", "1"],
        ]) {
          const [name = "", ...args] = command;
          const refusal = refusalOf([name, ...args], "standard");
          const isShown = word.toLowerCase() === "notify-keyspace-events";
          if (name === "CONFIG" && args[0] === "SET" && (refusal === undefined) !== isShown)
            throw new Error("CONFIG SET");
          if (name === "CONFIG" && args[1] === "maxmemory" && word.toUpperCase() !== "GET" && !refusal)
            throw new Error(word);
        }
      },
      isExpected: never,
    }),
  "a reply, as it is written": () =>
    fuzz({
      ...repeated,
      samples: ["text", "OK", "é🙂", "+OK\r\n-ERR"],
      pieces: ["\r\n", "\u2028", "\ud83d", '"', "\\"],
      run(text) {
        const answered = [text, [text, [null, 1]], bytes(text)].map((reply) => ({
          command: ["GET", "k"] as const,
          reply,
        }));
        for (const format of ["json", "base64"] as const) JSON.parse(listBody(answered, format).body.toString());
        listBody(answered, "resp2");
      },
      isExpected: never,
    }),
  "options and the command line": () =>
    fuzz({
      ...repeated,
      samples: ["--port", "--cors=http://localhost:3000", "--token=x", "http://localhost:3000", "*", "redis.internal"],
      pieces: ["--", "=", "__proto__", "constructor", "://", ":"],
      run(text) {
        // A developer's own: Node takes longer for a long word of short flags than for all others together.
        const word = text.slice(0, 500);
        readCommandLine([word, "--port", word]);
        const outcomes = [{ cors: [text] }, { allowedHosts: [text] }, { token: text }, { host: text }].map(
          (options) => {
            try {
              return readSettings(options);
            } catch (error) {
              if (isConfigError(error)) return error;
              throw error;
            }
          },
        );
        if (outcomes.every(isConfigError)) throw outcomes[0];
      },
      isExpected: isConfigError,
    }),
};

it.each(Object.entries(targets))("%s: hostile input meets no error but our own, in bounded time", inBoundedTime());
