import { expect, test } from "vitest";
import { events, MessageReader } from "./sse";

const STREAM = ': hello\n\nid: 7\ndata: {"id":"a"}\n\nevent: note\r\ndata: one\r\ndata:two\r\n\r\nid: 8\rdata: {"id":"ü"}\r\r';
const WANT = [
  { id: "7", event: "message", data: '{"id":"a"}' },
  { id: "7", event: "note", data: "one\ntwo" },
  { id: "8", event: "message", data: '{"id":"ü"}' },
];

test("messages are the same however the stream is cut", () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const reader = new MessageReader();
    const found = [];
    for (let at = 0; at < STREAM.length; at += size) found.push(...reader.push(STREAM.slice(at, at + size)));
    // What a lone carriage return at the very end means is known only with the next character.
    found.push(...reader.push(":"));
    expect(found, `pieces of ${size}`).toEqual(WANT);
  }
});

test("a message without its empty line is not a message yet", () => {
  expect(new MessageReader().push("data: {}\n")).toEqual([]);
});

test("only events come out of a body, also when a character is cut in two", async () => {
  const bytes = new TextEncoder().encode('data: {"id":"ü"}\n\ndata: {"lag":1}\n\nid: 9\ndata: {"id":"b"}\n\n');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  const found = [];
  for await (const each of events<{ id: string }>(body)) found.push([each.id, each.value.id]);
  expect(found).toEqual([[null, "ü"], ["9", "b"]]);
});
