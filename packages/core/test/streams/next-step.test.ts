import { describe, expect, it } from "vitest";
import { NameMap } from "../../src/kit.ts";
import type { LiveStream } from "../../src/streams/open-stream.ts";
import { nextStep } from "../../src/streams/reconnecting-stream.ts";
import { idOf, type Topic, type TopicId } from "../../src/streams/topic.ts";
import { createWantedTopics } from "../../src/streams/wanted-topics.ts";

const topic = (name: string): Topic => ({ kind: "channel", name });
const never = (): boolean => false;

/** A live stream that hears some channels. */
function streamOf(names: readonly string[], canShrink = true): LiveStream {
  const topics = new NameMap<Topic, TopicId>();
  for (const name of names) topics.set(idOf(topic(name)), topic(name));
  return {
    via: { name: "scripted", send: async () => [], close: async () => {} },
    topics,
    degraded: false,
    provenMs: new Map(),
    ...(canShrink && { remove: async () => {} }),
    attend() {},
    close() {},
  };
}

/** The step after these channels are wanted, with a live stream that hears others. */
function stepFor(names: readonly string[], stream?: LiveStream, isEstablished = (_: Topic): boolean => false) {
  const wanted = createWantedTopics();
  wanted.compare(stream?.topics, []);
  for (const name of names) wanted.add(topic(name));
  return nextStep(wanted, stream, isEstablished);
}

describe("the next step of a reconnecting stream", () => {
  it("opens the first stream for all topics", () => {
    expect(stepFor(["a", "b"])).toEqual({ do: "open", topics: [topic("a"), topic("b")] });
  });

  it("reopens for the topics that were heard before", () => {
    expect(stepFor(["a", "b"], undefined, ({ name }) => name === "b")).toEqual({ do: "reopen", topics: [topic("b")] });
  });

  it("grows before it shrinks", () => {
    const stream = streamOf(["a", "old"]);
    expect(stepFor(["a", "b"], stream)).toEqual({ do: "grow", stream, topics: [topic("b")] });
    expect(stepFor(["a"], stream)).toEqual({ do: "shrink", stream, topics: [topic("old")] });
  });

  it("shrinks where a stream can, and rests where it can't", () => {
    const wanted = createWantedTopics();
    for (const name of ["a", "old"]) wanted.add(topic(name));
    for (const canShrink of [true, false]) {
      const stream = streamOf(["a", "old"], canShrink);
      wanted.compare(stream.topics, []);
      wanted.add(topic("old"));
      wanted.delete(topic("old"));
      const step = nextStep(wanted, stream, never);
      expect(step).toEqual(canShrink ? { do: "shrink", stream, topics: [topic("old")] } : { do: "rest" });
    }
  });

  it("closes the stream when nothing is wanted", () => {
    expect(stepFor([], streamOf(["a"]))).toEqual({ do: "close" });
  });
});
