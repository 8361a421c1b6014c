/** What is counted of one row of the matrix, and the first of what was wrong. */
export interface Tally {
  cell(): void;
  call(): void;
  exception(what: string): void;
  late(what: string): void;
  wrong(what: string): void;
  /** A call whose own time was over because this process did not run: no finding, but told. */
  starved(): void;
  recovery(ms: number): void;
  readonly row: Row;
  /** Everything that was wrong, in words. */
  readonly findings: readonly string[];
}

export interface Row {
  readonly fault: string;
  cells: number;
  calls: number;
  exceptions: number;
  pastDeadline: number;
  wrong: number;
  starved: number;
  recoveryMs: number;
}

export function createTally(fault: string): Tally {
  const row: Row = { fault, cells: 0, calls: 0, exceptions: 0, pastDeadline: 0, wrong: 0, starved: 0, recoveryMs: 0 };
  const findings: string[] = [];
  return {
    row,
    findings,
    cell: () => void row.cells++,
    call: () => void row.calls++,
    exception(what) {
      row.exceptions++;
      findings.push(`exception: ${what}`);
    },
    late(what) {
      row.pastDeadline++;
      findings.push(`past deadline: ${what}`);
    },
    wrong(what) {
      row.wrong++;
      findings.push(`wrong: ${what}`);
    },
    starved: () => void row.starved++,
    recovery(ms) {
      row.recoveryMs = Math.max(row.recoveryMs, ms);
    },
  };
}

/** The rows as a table, with their sum. */
export function summaryTable(rows: readonly Row[]): string {
  const sum = createTally("all").row;
  for (const row of rows) {
    sum.cells += row.cells;
    sum.calls += row.calls;
    sum.exceptions += row.exceptions;
    sum.pastDeadline += row.pastDeadline;
    sum.wrong += row.wrong;
    sum.starved += row.starved;
    sum.recoveryMs = Math.max(sum.recoveryMs, row.recoveryMs);
  }
  return [
    "| fault | cells | calls | exceptions | past deadline | wrong | starved | recovered within |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...[...rows, sum].map(
      (row) =>
        `| ${row.fault} | ${row.cells} | ${row.calls} | ${row.exceptions} | ${row.pastDeadline} | ` +
        `${row.wrong} | ${row.starved} | ${Math.round(row.recoveryMs)} ms |`,
    ),
  ].join("\n");
}
