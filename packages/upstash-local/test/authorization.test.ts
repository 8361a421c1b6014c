import { expect, it } from "vitest";
import { onBothEngines } from "./engines.ts";
import { post, send } from "./raw-http.ts";

const unauthorized = [
  401,
  {
    error:
      "WRONGPASS invalid or missing auth token. " +
      "See https://docs.upstash.com/redis/troubleshooting/http_unauthorized for details.",
  },
];
const token = "stand+ard/=";
const readOnlyToken = "read-only-token";

onBothEngines(
  "authorization",
  (running) => {
    const ask = async (path: string, headers: Record<string, string> = {}) => {
      const answer = await send(running().server.url, path, { token: undefined, headers });
      return [answer.status, answer.json];
    };
    const reads = async (command: unknown[]) => {
      const answer = await post(running().server.url, "/", command, { token: readOnlyToken });
      return [answer.status, answer.json];
    };

    it("takes the token from the header or from the query", async () => {
      expect(await ask("/ping", { authorization: `Bearer ${token}` })).toEqual([200, { result: "PONG" }]);
      expect(await ask("/ping", { authorization: `bearer ${token}` })).toEqual([200, { result: "PONG" }]);
      expect(await ask(`/ping?_token=${encodeURIComponent(token)}`)).toEqual([200, { result: "PONG" }]);
      expect(await ask(`/ping?_token=${token}`)).toEqual([200, { result: "PONG" }]);
    });

    it("refuses a missing, wrong, shortened or lengthened token with 401", async () => {
      for (const wrong of ["", "wrong", token.slice(0, -1), `${token}x`]) {
        expect(await ask("/ping", { authorization: `Bearer ${wrong}` })).toEqual(unauthorized);
        expect(await ask(`/ping?_token=${wrong}`)).toEqual(unauthorized);
      }
      expect(await ask("/ping")).toEqual(unauthorized);
      expect(await ask("/ping", { authorization: `Basic ${token}` })).toEqual(unauthorized);
      expect(await ask("/subscribe/channel")).toEqual(unauthorized);
      expect(await ask("/pipeline")).toEqual(unauthorized);
    });

    it("a header wins over the query", async () => {
      expect(await ask(`/ping?_token=${token}`, { authorization: "Bearer wrong" })).toEqual(unauthorized);
      expect(await ask("/ping?_token=wrong", { authorization: `Bearer ${token}` })).toEqual([200, { result: "PONG" }]);
    });

    it("nothing runs for a wrong token", async () => {
      const { url } = running().server;
      await post(url, "/", ["SET", "k", "v"], { token: "wrong" });
      expect((await send(url, "/exists/k", { token })).json).toEqual({ result: 0 });
    });

    it("a read-only token reads", async () => {
      const { url } = running().server;
      await post(
        url,
        "/pipeline",
        [
          ["SET", "k", "v"],
          ["HSET", "h", "f", "v"],
          ["RPUSH", "l", "x"],
        ],
        { token },
      );
      expect(await reads(["GET", "k"])).toEqual([200, { result: "v" }]);
      expect(await reads(["mget", "k", "none"])).toEqual([200, { result: ["v", null] }]);
      expect(await reads(["HGETALL", "h"])).toEqual([200, { result: ["f", "v"] }]);
      expect(await reads(["LRANGE", "l", 0, -1])).toEqual([200, { result: ["x"] }]);
      expect(await reads(["PING"])).toEqual([200, { result: "PONG" }]);
    });

    it.each([
      ["SET", "k", "v"],
      ["del", "k"],
      ["GETDEL", "k"],
      ["EXPIRE", "k", 1],
      ["FLUSHDB"],
      ["SCAN", 0],
      ["KEYS", "*"],
      ["EVAL", "return 1", 0],
      ["evalsha", "f".repeat(40), 0],
      ["EVAL_RO", "return 1", 0],
      ["SCRIPT", "FLUSH"],
      ["PUBLISH", "channel", "message"],
      ["XADD", "stream", "*", "f", "v"],
    ])("a read-only token is refused %s", async (name, ...args) => {
      const error = `NOPERM this user has no permissions to run the '${name.toLowerCase()}' command or its subcommand`;
      expect(await reads([name, ...args])).toEqual([400, { error }]);
      const { url } = running().server;
      const pipeline = await post(url, "/pipeline", [["PING"], [name, ...args]], { token: readOnlyToken });
      expect([pipeline.status, pipeline.json]).toEqual([200, [{ result: "PONG" }, { error }]]);
      const transaction = await post(url, "/multi-exec", [["PING"], [name, ...args]], { token: readOnlyToken });
      expect([transaction.status, transaction.json]).toEqual([400, { error }]);
    });

    it("a read-only token does not listen", async () => {
      const answer = await send(running().server.url, "/psubscribe/*", { token: readOnlyToken });
      expect([answer.status, answer.json]).toEqual([
        400,
        { error: "NOPERM this user has no permissions to run the 'psubscribe' command or its subcommand" },
      ]);
    });

    it("ACL RESTTOKEN answers the token of the default users, and refuses wrong credentials", async () => {
      const ask = async (user: string, password: string) =>
        (await post(running().server.url, "/", ["ACL", "RESTTOKEN", user, password], { token })).json;
      expect(await ask("default", token)).toEqual({ result: token });
      expect(await ask("default_ro", readOnlyToken)).toEqual({ result: readOnlyToken });
      const error = 'ERR Wrong password or user "upstash" does not exist';
      expect(await ask("upstash", token)).toEqual({ error });
      expect(await ask("default", "wrong")).toEqual({ error: 'ERR Wrong password or user "default" does not exist' });
      expect(await ask("default", readOnlyToken)).toEqual({
        error: 'ERR Wrong password or user "default" does not exist',
      });
    });
  },
  { token, readOnlyToken },
);
