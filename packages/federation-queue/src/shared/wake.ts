/** An auto-reset event with one waiter. */
export interface Wake {
  /** Ends the present wait, or else the next one. */
  wake(): void;
  /** Waits until it is woken, or this long. @returns whether it was woken. */
  wait(ms: number): Promise<boolean>;
}

export function createWake(): Wake {
  let isWoken = false;
  let end: (() => void) | undefined;
  return {
    wake() {
      isWoken = true;
      end?.();
    },
    async wait(ms) {
      if (!isWoken) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        await new Promise<void>((resolve) => {
          end = resolve;
          timer = setTimeout(resolve, ms);
        });
        clearTimeout(timer);
        end = undefined;
      }
      const was = isWoken;
      isWoken = false;
      return was;
    },
  };
}
