import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { validate } from "dockerfile-utils";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { readCommandLine as readLocalCommandLine } from "../../../packages/upstash-local/src/cli-options.ts";
import { readCommandLine } from "../src/options.ts";

const dockerfile = join(import.meta.dirname, "../Dockerfile");
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
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly Variable[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly securityContext: object;
  readonly resources: Readonly<Record<"requests" | "limits", object>>;
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly type?: string;
    readonly replicas?: number;
    readonly selector: object;
    readonly podSelector?: object;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly from: readonly object[]; readonly ports: readonly object[] }[];
    readonly tls?: readonly { readonly hosts: readonly string[] }[];
    readonly rules?: readonly { readonly host: string; readonly http: { readonly paths: readonly object[] } }[];
    readonly ports: readonly object[];
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: { readonly securityContext: object; readonly containers: readonly Container[] };
    };
  };
}

function parsed(file: string): unknown {
  const documents = parseAllDocuments(read(file), { strict: true, uniqueKeys: true, merge: true });
  expect(documents).toHaveLength(1);
  const [document] = documents;
  expect([...(document?.errors ?? []), ...(document?.warnings ?? [])]).toEqual([]);
  return document?.toJS();
}
const manifest = (file: string) => parsed(`kubernetes/${file}`) as Manifest;

/** An image that can't change: a tag that tells people its version, and the digest that counts. */
const pinned = /^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/;

describe("the Dockerfile", () => {
  const text = read("Dockerfile");

  it("is well-formed", () => {
    expect(validate(text)).toEqual([]);
  });

  it("uses images of a fixed digest, the same one to build and to run", () => {
    const images = [...text.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(images).toHaveLength(2);
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(pinned);
  });

  it("runs the server as a user who can change none of its files", () => {
    const [, run = ""] = text.split(/^FROM \S+$/m);
    expect(run).toMatch(/^USER 1000:1000$/m);
    expect(run).not.toMatch(/chown|^RUN/m);
  });

  it("starts the server with arguments that it understands, at the port that it exposes", () => {
    const [entry] = /(?<=^ENTRYPOINT ).+$/m.exec(text) ?? [];
    const [command, program, ...args] = JSON.parse(entry ?? "[]") as string[];
    expect([command, program]).toEqual(["node", "dist/main.js"]);
    const exposed = Number(/^EXPOSE (\d+)$/m.exec(text)?.[1]);
    expect(readCommandLine(args)).toEqual({
      kind: "serve",
      address: { port: exposed, host: "0.0.0.0", names: [], trustedProxies: 0 },
      processes: 1,
    });
  });
});

describe("the Kubernetes files", () => {
  const deployment = manifest("deployment.yaml");
  const secret = manifest("secret.yaml");
  const service = manifest("service.yaml");
  const ingress = manifest("ingress.yaml");
  const networkPolicy = manifest("network-policy.yaml");
  const pod = deployment.spec.template.spec;
  const [container] = pod.containers as [Container];

  it("take every secret from a key that the Secret has", () => {
    const secrets = container.env.filter(({ valueFrom }) => valueFrom);
    expect(secrets.map(({ name }) => name)).toEqual(["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"]);
    for (const { valueFrom } of secrets) {
      expect(valueFrom?.secretKeyRef.name).toBe(secret.metadata.name);
      expect(Object.keys(secret.stringData ?? {})).toContain(valueFrom?.secretKeyRef.key);
    }
    expect(container.env).toContainEqual({ name: "CONTINUUM_CACHE_MODE", value: "upstash" });
  });

  it("ask for readiness where the server pings its cache, and for life where it needs none", () => {
    const asked = (path: string) => ({
      httpGet: { path, port: "http", httpHeaders: [{ name: "Host", value: "localhost" }] },
    });
    expect(container.startupProbe).toMatchObject(asked("/healthz"));
    expect(container.readinessProbe).toMatchObject(asked("/healthz"));
    expect(container.livenessProbe).toMatchObject(asked("/"));
    expect(container.ports).toEqual([{ name: "http", containerPort: 3_000 }]);
    expect(service.spec.ports).toEqual([{ name: "http", port: 80, targetPort: "http" }]);
  });

  it("give the container no rights, no disk to write and bounds", () => {
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1_000,
      runAsGroup: 1_000,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(pod).toMatchObject({ automountServiceAccountToken: false });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    for (const each of ["requests", "limits"] as const)
      expect(Object.keys(container.resources[each])).toEqual(expect.arrayContaining(["memory", "ephemeral-storage"]));
    expect(container.image).not.toMatch(/:latest$|^[^:@]+$/);
  });

  it("bring requests to the pods of the deployment, through one proxy, whose entry in X-Forwarded-For counts", () => {
    const { labels } = deployment.spec.template.metadata;
    expect(service.spec.selector).toEqual(labels);
    expect(deployment.spec.selector).toEqual({ matchLabels: labels });
    expect(service.spec.type).toBe("ClusterIP");
    expect(readCommandLine(container.args)).toMatchObject({
      kind: "serve",
      address: { names: ["memory-search.example"], trustedProxies: 1 },
      processes: deployment.spec.replicas,
    });
    const [rule] = ingress.spec.rules ?? [];
    expect(rule?.host).toBe("memory-search.example");
    expect(rule?.http.paths).toMatchObject([
      { path: "/", backend: { service: { name: service.metadata.name, port: { name: "http" } } } },
    ]);
    expect(ingress.spec.tls).toMatchObject([{ hosts: ["memory-search.example"] }]);
  });

  it("let nothing reach the pods past that proxy", () => {
    const { spec } = networkPolicy;
    expect(spec.podSelector).toEqual({ matchLabels: deployment.spec.template.metadata.labels });
    expect(spec.policyTypes).toEqual(["Ingress"]);
    expect(spec.ingress).toHaveLength(1);
    expect(spec.ingress?.[0]?.from).toHaveLength(1);
    expect(spec.ingress?.[0]?.ports).toEqual([{ port: "http" }]);
  });
});

interface ComposeService {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly profiles?: readonly string[];
  readonly build?: { readonly context: string; readonly dockerfile: string };
}

describe("the Compose file", () => {
  const { services, networks } = parsed("compose.yaml") as {
    readonly services: Readonly<Record<string, ComposeService>>;
    readonly networks: Readonly<Record<string, object | null>>;
  };
  const service = (name: string) => services[name] as ComposeService;

  it("builds the image from the Dockerfile, and names the other images by digest", () => {
    for (const { image, build } of Object.values(services)) {
      if (build) expect(join(import.meta.dirname, "..", build.context, build.dockerfile)).toBe(dockerfile);
      else expect(image).toMatch(pinned);
    }
  });

  it("gives every container a root that can't be written and no rights", () => {
    for (const each of Object.values(services)) {
      expect(each).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
        mem_limit: expect.stringMatching(/^\d+m$/),
      });
    }
  });

  it("opens the demo to this machine alone, and the data to the containers alone", () => {
    expect(networks["data"]).toEqual({ internal: true });
    for (const [name, { ports = [], networks: own }] of Object.entries(services)) {
      const isApp = name.startsWith("app");
      expect(own).toEqual(isApp ? ["default", "data"] : ["data"]);
      expect(ports).toEqual(isApp ? [expect.stringMatching(/^127\.0\.0\.1:\d+:3000$/)] : []);
    }
  });

  it("starts a Redis by default, and an upstash-local only when it is asked to", () => {
    expect(Object.keys(services).filter((name) => service(name).profiles === undefined)).toEqual(["app", "redis"]);
    const { entrypoint = [], command = [] } = service("upstash-local");
    expect(entrypoint.slice(0, 1)).toEqual(["node"]);
    expect(
      existsSync(join(import.meta.dirname, "..", entrypoint[1]?.replace("/dist/cli.js", "/src/cli.ts") ?? "")),
    ).toBe(true);
    expect(readLocalCommandLine(command)).toMatchObject({
      kind: "start",
      options: {
        allowedHosts: ["upstash-local"],
        redisUrl: "redis://redis:6379",
        allowInsecure: true,
        token: service("app-rest").environment?.["UPSTASH_REDIS_REST_TOKEN"],
      },
    });
  });

  it.each([
    ["app", "redis", 6_379],
    ["app-rest", "upstash-local", 8_079],
  ])("%s finds its server by the name that %s has in the network", (app, server, port) => {
    const [url = ""] = Object.values(service(app).environment ?? {}).filter((value) => URL.canParse(value));
    expect(new URL(url)).toMatchObject({ hostname: server, port: String(port) });
    expect(service(app).networks.filter((network) => service(server).networks.includes(network))).toEqual(["data"]);
  });
});
