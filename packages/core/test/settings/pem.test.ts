import { isConfigError } from "@continuum-cache/core";
import { assertPem } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

describe("assertPem", () => {
  it("takes texts, bytes and lists of them", () => {
    for (const good of [pem, new TextEncoder().encode(pem), [pem, new TextEncoder().encode(`\n${pem}`)], []]) {
      expect(() => assertPem("tls.ca", good)).not.toThrow();
    }
  });

  it.each([
    ["/etc/ssl/ca.pem", /a path\? read the file/],
    ["", /0 characters/],
    [5, /got 5/],
    [[pem, null], /got null/],
  ])("rejects %j without repeating it", (bad, message) => {
    try {
      assertPem("tls.key", bad);
      expect.unreachable();
    } catch (error) {
      expect(isConfigError(error) && error.setting).toBe("tls.key");
      expect(String(error)).toMatch(message);
      expect(String(error)).not.toContain("/etc");
    }
  });
});
