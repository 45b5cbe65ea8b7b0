import { expect, test } from "vitest";
import { receive, rowCounter, type Progress } from "./receive";

const bytes = (text: string) => new TextEncoder().encode(text);

test("rows of a CSV file are counted across stretches, without its header and the line ends inside of quotes", () => {
  const count = rowCounter("csv")!;
  expect(["Id,Mess", 'age\r\n1,"a\r\nb ""c""', ' d"\r\n2', ",e\r\n"].map((part) => count(bytes(part)))).toEqual([0, 0, 1, 2]);
});

test("every line of JSON lines is a row, whatever quotes it has", () => {
  const count = rowCounter("jsonl")!;
  expect(count(bytes('{"a":"\\""}\n{"b":1}\n'))).toBe(2);
  expect(rowCounter("evidence")).toBeNull();
});

test("a file is received whole, and how far it is is told", async () => {
  const told: Progress[] = [];
  const response = new Response("{}\n{}\n", { headers: { "content-type": "application/x-ndjson" } });
  const { file, progress } = await receive(response, "jsonl", (each) => told.push(each));
  expect(await file.text()).toBe("{}\n{}\n");
  expect(file.type).toBe("application/x-ndjson");
  expect(progress).toEqual({ rows: 2, bytes: 6 });
  expect(told.at(-1)).toEqual(progress);
});

test("a file that breaks off is none", async () => {
  const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(sender) {
      sender.enqueue(bytes("{}\n"));
    },
    pull(sender) {
      sender.error(new TypeError("network error"));
    },
  });
  await expect(receive(new Response(broken), "jsonl", () => undefined)).rejects.toThrow("network error");
});
