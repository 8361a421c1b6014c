/** One client under measurement, with the values that it reads and writes already known. */
export interface Contender {
  readonly name: string;
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
  close(): Promise<unknown>;
}
