import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { requestFacts } from "../src/request-facts.ts";

const peer = "10.0.0.1";

function asked(headers: Record<string, string>, isEncrypted = false): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: peer });
  Object.defineProperty(socket, "encrypted", { value: isEncrypted });
  const message = new IncomingMessage(socket);
  Object.assign(message.headers, headers);
  return message;
}

describe("the address of the visitor", () => {
  it.each([
    ["is the connection's address without proxies, whatever a visitor writes", 0, "9.9.9.9", peer],
    ["is what the proxy has written", 1, "203.0.113.7", "203.0.113.7"],
    ["is not what a visitor wrote before it came to the proxy", 1, "9.9.9.9, 203.0.113.7", "203.0.113.7"],
    ["is what the outer of two proxies has written", 2, "9.9.9.9, 203.0.113.7, 10.0.0.9", "203.0.113.7"],
    ["is the connection's address when the request came past a proxy", 2, "9.9.9.9", peer],
    ["is the connection's address when no proxy wrote anything", 1, "", peer],
    ["is the connection's address when only commas came", 1, " , ,", peer],
  ])("%s", (_, trustedProxies, forwarded, client) => {
    expect(requestFacts(asked({ "x-forwarded-for": forwarded }), trustedProxies)).toEqual({ client, secure: false });
  });
});

describe("the use of TLS", () => {
  it.each([
    ["is what the connection says without proxies", 0, "https", false],
    ["is what the proxy says", 1, "https", true],
    ["is not what a visitor wrote before it came to the proxy", 1, "https, http", false],
    ["is what the outer of two proxies says", 2, "https, http", true],
    ["is what the only entry says, which both of two proxies passed on", 2, "https", true],
    ["is no when the proxy says nothing", 1, "", false],
  ])("%s", (_, trustedProxies, proto, secure) => {
    expect(requestFacts(asked({ "x-forwarded-proto": proto }), trustedProxies).secure).toBe(secure);
  });

  it("is that of the connection when TLS ends in this process", () => {
    expect(requestFacts(asked({}, true), 0).secure).toBe(true);
  });
});
