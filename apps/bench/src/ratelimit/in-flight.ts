/** Does something so many times, with so many of them under way at once. */
export async function inFlight(times: number, atOnce: number, work: (nth: number) => Promise<unknown>): Promise<void> {
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < times) await work(begun++);
  };
  await Promise.all(Array.from({ length: Math.min(times, atOnce) }, lane));
}
