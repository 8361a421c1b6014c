import { expect, it } from "vitest";
import { commandTable, idleTable, measureCommands } from "../../src/federation/commands/measure-commands.ts";

it("bills less than half of what BullMQ does for a message, in batches of any size", async () => {
  const { rows, idle } = await measureCommands({ messages: 50, idleMs: 100 });
  for (const batch of [1, 10, 50]) {
    const [bullMq, ...ours] = rows.filter((row) => row.batch === batch).map((row) => row.billedPerMessage);
    expect(ours).toHaveLength(2);
    for (const billed of ours) expect(billed).toBeLessThan((bullMq ?? 0) / 2);
  }
  expect(commandTable(rows)).toContain("| 50 | continuum-cache, REST |");
  expect(idleTable(idle)).toContain("| BullMQ |");
});
