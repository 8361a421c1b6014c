import type { Frame } from "../history/frame.ts";

/** What was heard while the history is being read. */
export interface LiveQueue {
  push(frame: Required<Frame>): void;
  /** Hands the frames over, in order, until one does not fit. @returns whether nothing is left that was ever pushed. */
  drain(take: (frame: Required<Frame>) => boolean): boolean;
  clear(): void;
}

/** The most that waits. What is let go is in the history, which is read again then. */
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
