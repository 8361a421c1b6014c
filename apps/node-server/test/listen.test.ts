import { once } from "node:events";
import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { listen } from "../src/listen.ts";

/** fetch would not let us say another host's name. */
async function statusFor(port: number, host: string): Promise<number | undefined> {
  const sent = request({ port, host: "127.0.0.1", path: "/", headers: { host } });
  sent.end();
  const [response] = await once(sent, "response");
  response.resume();
  return response.statusCode;
}

describe("listening", () => {
  it("answers who asks for this machine, and no other site whose name was pointed at it", async () => {
    const server = await listen(() => new Response("here"), { port: 0 });
    expect(await statusFor(server.port, `127.0.0.1:${server.port}`)).toBe(200);
    expect(await statusFor(server.port, `localhost:${server.port}`)).toBe(200);
    expect(await statusFor(server.port, "evil.example")).toBe(421);
    await server.close();
  });

  it("takes a free port when its own is taken", async () => {
    const first = await listen(() => new Response("first"), { port: 0 });
    const second = await listen(() => new Response("second"), { port: first.port });
    expect(second.port).not.toBe(first.port);
    expect(await (await fetch(second.url)).text()).toBe("second");
    await Promise.all([first.close(), second.close()]);
  });

  it("answers by the names that it was given, at all addresses", async () => {
    const server = await listen(() => new Response("here"), { port: 0, host: "0.0.0.0", names: ["App.example"] });
    expect(await statusFor(server.port, "app.example")).toBe(200);
    expect(await statusFor(server.port, "localhost")).toBe(200);
    expect(await statusFor(server.port, "other.example")).toBe(421);
    const again = listen(() => new Response("no"), { port: server.port, host: "0.0.0.0" });
    await expect(again).rejects.toThrow("EADDRINUSE");
    await server.close();
  });

  it("lets a request that is under way finish when it closes, and takes no other", async () => {
    let answer: (response: Response) => void = () => {};
    let arrived: () => void = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await listen(
      () => {
        arrived();
        return new Promise<Response>((resolve) => {
          answer = resolve;
        });
      },
      { port: 0 },
    );
    const asked = fetch(server.url).then((response) => response.text());
    await arrival;
    const closed = server.close();
    await expect(fetch(server.url)).rejects.toThrow();
    answer(new Response("late"));
    expect(await asked).toBe("late");
    await closed;
  });
});
