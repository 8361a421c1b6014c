import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A throw-away certificate authority and a server certificate for 127.0.0.1 and localhost. */
export interface Certificates {
  /** The authority's certificate, PEM: what a client must trust. */
  readonly ca: string;
  readonly caPath: string;
  readonly certPath: string;
  readonly keyPath: string;
}

let made: Promise<Certificates> | undefined;

/** The certificates of this process: made on first use by the `openssl` command, removed when the process ends. */
export function testCertificates(): Promise<Certificates> {
  made ??= make();
  return made;
}

async function make(): Promise<Certificates> {
  const folder = mkdtempSync(join(tmpdir(), "continuum-cache-tls-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string): string => join(folder, name);
  const openssl = async (...args: string[]): Promise<void> => {
    try {
      await run("openssl", args, { cwd: folder });
    } catch (cause) {
      throw new Error("Could not make test certificates: install the `openssl` command (apt-get install openssl)", {
        cause,
      });
    }
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  writeFileSync(file("server.ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n");
  await openssl(
    ...["req", "-x509", ...newKey, "-days", "2", "-subj", "/CN=continuum-cache test CA"],
    ...["-keyout", "ca.key", "-out", "ca.pem"],
  );
  await openssl("req", ...newKey, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr");
  await openssl(
    ...["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"],
    ...["-days", "2", "-extfile", "server.ext", "-out", "server.pem"],
  );
  return {
    ca: readFileSync(file("ca.pem"), "utf8"),
    caPath: file("ca.pem"),
    certPath: file("server.pem"),
    keyPath: file("server.key"),
  };
}
