import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, test } from "vitest";

const entry = fileURLToPath(new URL("../src/index.ts", import.meta.url));
const source = "@continuum-cache/source";

async function bundle(platform: "browser" | "node", conditions: string[]): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    platform,
    conditions,
  });
  return outputFiles[0]?.text ?? "";
}

test.each([
  ["a Worker", [source, "workerd", "worker", "browser"]],
  ["Vercel's edge", [source, "edge-light"]],
  ["a browser", [source, "browser"]],
  ["a Worker whose bundler also knows Node", [source, "workerd", "worker", "browser", "node"]],
])("bundled for %s, nothing of Node is imported", async (_, conditions) => {
  const text = await bundle("browser", conditions);
  expect(text).toContain("/subscribe");
  expect(text).not.toMatch(/["']node:/);
  expect(text).not.toMatch(/(from|require\(|import\()\s*["'](https?|crypto|buffer|tls|net)["']/);
});

test("what is published chooses as the sources do", async () => {
  const { imports } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  const { [source]: fromSource, ...published } = imports["#default-http"];
  const asPublished = (path: string) => path.replace("./src/", "./dist/").replace(/\.ts$/, ".js");
  expect(Object.entries(published)).toEqual(
    Object.entries<string>(fromSource).map(([condition, path]) => [condition, asPublished(path)]),
  );
});

test("bundled for Node, requests leave through the sockets of Node", async () => {
  const text = await bundle("node", [source]);
  for (const name of ["node:net", "node:tls", "node:https"]) expect(text).toContain(`"${name}"`);
});

test("an idle transport does not keep the process alive", async () => {
  const program = `
    import { createServer } from "node:http";
    import { restTransport } from "@continuum-cache/transport-rest";
    const server = createServer((request, response) => { request.resume(); response.end('{"result":1}'); });
    server.listen(0, "127.0.0.1", async () => {
      const rest = restTransport({ url: "http://127.0.0.1:" + server.address().port, token: "secret" });
      console.log(await rest.send([["INCR", "a"]]));
      // Only the server's own handles; the client's idle connection is still open.
      server.unref();
      console.log(process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")));
    });
    server.on("connection", (socket) => socket.unref());`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "--conditions", source, "--input-type=module", "--eval", program],
    { cwd: fileURLToPath(new URL("..", import.meta.url)), timeout: 150_000 },
  );
  expect(stdout).toBe("[ 1 ]\n[]\n");
});
