import type { Frame } from "../history/frame.ts";

/** Live messages that arrive while the history is being read. */
export interface LiveQueue {
  push(frame: Required<Frame>): void;
  /** Hands over frames in order, until one is not taken. @returns whether every frame that was ever pushed is taken. */
  drain(take: (frame: Required<Frame>) => boolean): boolean;
  clear(): void;
}

/** How much may wait. Frames beyond that are dropped: they are in the history, which is then read again. */
const maxFrames = 1_000;
const maxCharacters = 4 << 20;

export function createLiveQueue(): LiveQueue {
  let frames: Required<Frame>[] = [];
  let characters = 0;
  let isWhole = true;

  const clear = (): void => {
    frames = [];
    characters = 0;
  };
  return {
    push(frame) {
      frames.push(frame);
      characters += frame.text.length;
      if (frames.length <= maxFrames && characters <= maxCharacters) return;
      clear();
      isWhole = false;
    },
    drain(take) {
      const wasWhole = isWhole;
      isWhole = true;
      let taken = 0;
      for (const frame of frames) {
        if (!take(frame)) break;
        characters -= frame.text.length;
        taken++;
      }
      frames.splice(0, taken);
      return wasWhole && frames.length === 0;
    },
    clear,
  };
}
