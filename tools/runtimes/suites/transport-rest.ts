import { describeSubscription, describeTransport } from "../../../packages/conformance/src/index.ts";
import { restTransport } from "../../../packages/transport-rest/src/index.ts";
import { control } from "../inside/site.ts";
import type { Suite } from "../inside/suite.ts";

const oneLine = "a server-sent event is one line of text";

export const suite: Suite = (runner, site) => {
  const open = () => restTransport({ url: site.restUrl, token: site.restToken });
  describeTransport("rest", open, {
    ...runner,
    skip: { "bytes-anywhere": "the REST API carries bytes only as the body of a command that travels alone" },
    faults: { stall: () => control(site, "pause"), resume: () => control(site, "resume") },
  });
  describeSubscription("rest", open, {
    ...runner,
    skip: {
      "channel names may hold spaces, commas, slashes, quotes, unicode and line ends": oneLine,
      "payloads arrive as they were: text, line ends, commas, empty, 100 kB": oneLine,
      "payloads that are no text arrive as bytes": oneLine,
    },
    faults: { sever: () => control(site, "cut"), restore() {} },
  });
};
