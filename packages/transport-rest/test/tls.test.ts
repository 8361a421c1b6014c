import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { closing } from "@continuum-cache/conformance/servers";
import { restTransport } from "@continuum-cache/transport-rest";
import { afterEach, expect, test } from "vitest";
import { type Answering, listenRaw, withLength } from "./raw-server.ts";

const opened = closing(afterEach);

/** A self-signed certificate for this machine's name and address. */
async function selfSigned() {
  const folder = await mkdtemp(join(tmpdir(), "continuum-cache-rest-tls-"));
  opened({ close: () => rm(folder, { recursive: true, force: true }) });
  const [certPath, keyPath] = [join(folder, "server.pem"), join(folder, "server.key")];
  await promisify(execFile)("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
    ...["-keyout", keyPath, "-out", certPath],
  ]);
  return { cert: await readFile(certPath), key: await readFile(keyPath), caPath: certPath };
}

async function startTlsServer() {
  const { cert, key, caPath } = await selfSigned();
  const names: unknown[] = [];
  const protocols: unknown[] = [];
  const reused: boolean[] = [];
  const tls = createServer({ cert, key, ALPNProtocols: ["http/1.1"] });
  const answer: Answering = ({ socket, requests }) => {
    const secure = socket as TLSSocket & { servername?: unknown };
    if (requests === 1) {
      names.push(secure.servername);
      protocols.push(secure.alpnProtocol);
      reused.push(secure.isSessionReused());
    }
    // Every second request ends its connection.
    const fields = requests === 2 ? "connection: close\r\n" : "";
    socket.write(withLength({ result: requests }, fields), () => requests === 2 && socket.end());
  };
  // Every address of this machine leads to it, of which the certificate names one.
  const server = opened(await listenRaw(tls, "secureConnection", answer, "0.0.0.0"));
  return { server, names, protocols, reused, caPath };
}

/**
 * Runs calls in a process that trusts the authority, as users set it: before Node starts.
 * @param busyMs - For so long the process is busy when a request has been written, so that the reply is here first.
 * @param command - One that may not run twice takes no connection that has been idle for long.
 */
async function callsTo(
  url: string,
  caPath: string | undefined,
  count: number,
  { busyMs = 0, command = "EXISTS" } = {},
): Promise<unknown> {
  const program = `
    import { Socket } from "node:net";
    import { restTransport } from "@continuum-cache/transport-rest";
    const { write } = Socket.prototype;
    Socket.prototype.write = function (...args) {
      const result = write.apply(this, args);
      for (const endMs = Date.now() + ${busyMs}; Date.now() < endMs; );
      return result;
    };
    const rest = restTransport({ url: ${JSON.stringify(url)}, token: "secret", timeout: "60s" });
    const replies = [];
    try {
      for (let call = 0; call < ${count}; call++) {
        replies.push((await rest.send([["${command}", "a"]]))[0]);
        // The server's session comes after its reply.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      console.log(JSON.stringify(replies));
    } catch (error) {
      console.log(JSON.stringify({ kind: error.kind, delivery: error.delivery, message: error.message }));
    }
    await rest.close();`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "--conditions", "@continuum-cache/source", "--input-type=module", "--eval", program],
    {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      timeout: 300_000,
      env: { ...process.env, ...(caPath && { NODE_EXTRA_CA_CERTS: caPath }) },
    },
  );
  return JSON.parse(stdout);
}

test("over TLS it sends the server name, checks the certificate and resumes sessions", async () => {
  const { server, names, protocols, reused, caPath } = await startTlsServer();
  expect(await callsTo(`https://localhost:${server.port}`, caPath, 4)).toEqual([1, 2, 1, 2]);
  expect(names).toEqual(["localhost", "localhost"]);
  expect(protocols).toEqual(["http/1.1", "http/1.1"]);
  expect(reused).toEqual([false, true]);
  // An address is no name, and is checked as an address.
  expect(await callsTo(`https://127.0.0.1:${server.port}`, caPath, 1)).toEqual([1]);
  expect(names.at(-1)).toBe(false);
});

test("a server whose certificate is not trusted, or is another's, gets nothing", async () => {
  const { server, caPath } = await startTlsServer();
  const none = { kind: "unreachable", delivery: "none" };
  const rest = opened(restTransport({ url: `https://localhost:${server.port}`, token: "secret" }));
  await expect(rest.send([["INCR", "a"]])).rejects.toMatchObject(none);
  expect(await callsTo(`https://localhost:${server.port}`, undefined, 1)).toMatchObject(none);
  expect(await callsTo(`https://127.0.0.2:${server.port}`, caPath, 1)).toMatchObject(none);
  expect(server.heads).toEqual([]);
});

test("a server that speaks no TLS gets nothing", async () => {
  const { server } = await startTlsServer();
  const plain = opened(restTransport({ url: `http://127.0.0.1:${server.port}`, token: "secret" }));
  await expect(plain.send([["INCR", "a"]])).rejects.toMatchObject({ kind: "unreachable" });
  expect(server.heads).toEqual([]);
});

test("a request may have run when its connection is reset before the socket has told that it left", async () => {
  const { cert, key, caPath } = await selfSigned();
  let count = 0;
  const answer: Answering = ({ socket }) =>
    ++count === 1 ? socket.write(withLength({ result: 1 })) : socket.destroy();
  const server = opened(await listenRaw(createServer({ cert, key }), "secureConnection", answer));
  expect(await callsTo(`https://localhost:${server.port}`, caPath, 2, { busyMs: 300, command: "INCR" })).toMatchObject({
    kind: "unreachable",
    delivery: "unknown",
  });
  expect(server.heads).toHaveLength(2);
});

test("a connection serves again when the reply is here before the socket has told that the request left", async () => {
  const { cert, key, caPath } = await selfSigned();
  const answer: Answering = ({ socket, requests }) => socket.write(withLength({ result: requests }));
  const server = opened(await listenRaw(createServer({ cert, key }), "secureConnection", answer));
  expect(await callsTo(`https://localhost:${server.port}`, caPath, 3, { busyMs: 300 })).toEqual([1, 2, 3]);
});
