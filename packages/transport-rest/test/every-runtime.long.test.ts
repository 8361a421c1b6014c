import { control, site } from "@continuum-cache/runtime-site";
import { afterAll, describe, it } from "vitest";
import { describeSubscription, describeTransport } from "../../conformance/src/index.ts";
import { restTransport } from "../src/index.ts";

const oneLine = "a server-sent event is one line of text";

const runner = { describe, it, afterAll };

const open = () => restTransport({ url: site.restUrl, token: site.restToken });
describeTransport("rest", open, {
  ...runner,
  skip: { "bytes-anywhere": "the REST API carries bytes only as the body of a command that travels alone" },
  faults: { stall: () => control("pause"), resume: () => control("resume") },
});
describeSubscription("rest", open, {
  ...runner,
  skip: {
    "channel names may hold spaces, commas, slashes, quotes, unicode and line ends": oneLine,
    "payloads arrive as they were: text, line ends, commas, empty, 100 kB": oneLine,
    "payloads that are no text arrive as bytes": oneLine,
  },
  faults: { sever: () => control("cut"), restore() {} },
});
