/** What became of a suite. */
export interface SuiteReport {
  readonly passed: number;
  readonly failed: readonly { readonly title: string; readonly error: string }[];
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
}

/** The functions that a suite registers its tests with. */
export interface BareRunner {
  describe(title: string, body: () => void): void;
  readonly it: {
    (title: string, run: () => Promise<void>): void;
    skip(title: string, run: () => Promise<void>): void;
  };
  afterAll(run: () => Promise<void>): void;
}

interface Scope {
  readonly title: string;
  readonly steps: (Scope | { readonly title: string; readonly run: () => Promise<void> })[];
  readonly endings: (() => Promise<void>)[];
}

const testTimeoutMs = 30_000;

/** A test runner on web standards alone, for runtimes in which the usual ones do not run: one test after the other. */
export async function runBare(register: (runner: BareRunner) => void | Promise<void>): Promise<SuiteReport> {
  const skipped: { title: string; reason: string }[] = [];
  const failed: { title: string; error: string }[] = [];
  let passed = 0;

  const root = emptyScope("");
  let open = root;
  const it: BareRunner["it"] = Object.assign(
    (title: string, run: () => Promise<void>) => {
      open.steps.push({ title, run });
    },
    {
      skip(title: string) {
        const [, name = title, reason = ""] = /^(.*) \(skipped: (.*)\)$/s.exec(title) ?? [];
        skipped.push({ title: name, reason });
      },
    },
  );
  await register({
    describe(title, body) {
      const outer = open;
      open = emptyScope(title);
      outer.steps.push(open);
      body();
      open = outer;
    },
    it,
    afterAll(run) {
      open.endings.push(run);
    },
  });

  const attempt = async (title: string, run: () => Promise<void>): Promise<boolean> => {
    try {
      await inTime(run);
      return true;
    } catch (error) {
      failed.push({ title, error: textOf(error) });
      return false;
    }
  };
  const runScope = async ({ steps, endings }: Scope, path: readonly string[]): Promise<void> => {
    for (const step of steps) {
      const inner = [...path, step.title];
      if ("steps" in step) await runScope(step, inner);
      else if (await attempt(inner.join(" > "), step.run)) passed++;
    }
    for (const ending of endings) await attempt([...path, "afterAll"].join(" > "), ending);
  };
  await runScope(root, []);
  return { passed, failed, skipped };
}

const emptyScope = (title: string): Scope => ({ title, steps: [], endings: [] });

async function inTime(run: () => Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${testTimeoutMs} ms`)), testTimeoutMs);
  });
  try {
    await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}`.slice(0, 2_000) : String(error);
