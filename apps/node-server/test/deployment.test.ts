import { readFileSync } from "node:fs";
import { join } from "node:path";
import { validate } from "dockerfile-utils";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { readCommandLine } from "../src/options.ts";

const read = (path: string): string => readFileSync(join(import.meta.dirname, "..", path), "utf8");

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string; readonly httpHeaders: readonly object[] };
}
interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly Variable[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly selector: object;
    readonly ports: readonly object[];
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: { readonly containers: readonly Container[] };
    };
  };
}

function manifest(file: string): Manifest {
  const documents = parseAllDocuments(read(`kubernetes/${file}`), { strict: true, uniqueKeys: true });
  expect(documents).toHaveLength(1);
  const [document] = documents;
  expect([...(document?.errors ?? []), ...(document?.warnings ?? [])]).toEqual([]);
  return document?.toJS() as Manifest;
}

describe("the Dockerfile", () => {
  const text = read("Dockerfile");

  it("is well-formed", () => {
    expect(validate(text)).toEqual([]);
  });

  it("starts the server with arguments that it understands, at the port that it exposes", () => {
    const [entry] = /(?<=^ENTRYPOINT ).+$/m.exec(text) ?? [];
    const [command, program, ...args] = JSON.parse(entry ?? "[]") as string[];
    expect([command, program]).toEqual(["node", "dist/main.js"]);
    const exposed = Number(/^EXPOSE (\d+)$/m.exec(text)?.[1]);
    expect(readCommandLine(args)).toEqual({
      kind: "serve",
      address: { port: exposed, host: "0.0.0.0", names: [] },
    });
  });
});

describe("the Kubernetes files", () => {
  const deployment = manifest("deployment.yaml");
  const secret = manifest("secret.yaml");
  const service = manifest("service.yaml");
  const [container] = deployment.spec.template.spec.containers as [Container];

  it("take every secret from a key that the Secret has", () => {
    const secrets = container.env.filter(({ valueFrom }) => valueFrom);
    expect(secrets.map(({ name }) => name)).toEqual(["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"]);
    for (const { valueFrom } of secrets) {
      expect(valueFrom?.secretKeyRef.name).toBe(secret.metadata.name);
      expect(Object.keys(secret.stringData ?? {})).toContain(valueFrom?.secretKeyRef.key);
    }
    expect(container.env).toContainEqual({ name: "CONTINUUM_CACHE_MODE", value: "upstash" });
  });

  it("ask for readiness where the server pings its cache, by a name that it answers to", () => {
    for (const { httpGet } of [container.startupProbe, container.readinessProbe]) {
      expect(httpGet).toEqual({
        path: "/healthz",
        port: "http",
        httpHeaders: [{ name: "Host", value: "localhost" }],
      });
    }
    expect(container.ports).toEqual([{ name: "http", containerPort: 3_000 }]);
    expect(service.spec.ports).toEqual([{ name: "http", port: 80, targetPort: "http" }]);
  });

  it("bring requests to the pods of the deployment, which are started with arguments that the server understands", () => {
    expect(service.spec.selector).toEqual(deployment.spec.template.metadata.labels);
    expect(deployment.spec.selector).toEqual({ matchLabels: deployment.spec.template.metadata.labels });
    expect(readCommandLine(container.args).kind).toBe("serve");
  });
});
