// A file on its way: rows are counted as they come, and what has come is handed to the browser piece by piece, which keeps large
// files out of the page's memory.
import type { Format } from "./file";

export interface Progress {
  /** Null where the format has no rows to count. */
  rows: number | null;
  bytes: number;
}

/** Bytes that wait in the page before the browser gets them. */
const PIECE_BYTES = 8 << 20;

/** The whole body of `response`. Rejects when it ends before its end: what is there of it then is no file. */
export async function receive(response: Response, format: Format, onProgress: (progress: Progress) => void): Promise<{ file: Blob; progress: Progress }> {
  const count = rowCounter(format);
  const kind = response.headers.get("content-type") ?? "";
  let pieces: Blob[] = [];
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  let held = 0;
  let progress: Progress = { rows: count === null ? null : 0, bytes: 0 };
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    waiting.push(value);
    held += value.length;
    if (held >= PIECE_BYTES) {
      pieces = [...pieces, new Blob(waiting)];
      waiting = [];
      held = 0;
    }
    progress = { rows: count === null ? null : count(value), bytes: progress.bytes + value.length };
    onProgress(progress);
  }
  return { file: new Blob([...pieces, ...waiting], { type: kind }), progress };
}

const [QUOTE, NEWLINE] = [0x22, 0x0a];

/** Tells, of each stretch of a file, how many rows have come to their end with it; null where a format has none. */
export function rowCounter(format: Format): ((bytes: Uint8Array) => number) | null {
  if (format === "evidence") return null;
  // The first line of a CSV file has the names of its columns; a line end inside of quotes ends no row.
  let lines = format === "csv" ? -1 : 0;
  let isQuoted = false;
  return (bytes) => {
    for (const byte of bytes) {
      if (byte === QUOTE && format === "csv") isQuoted = !isQuoted;
      else if (byte === NEWLINE && !isQuoted) lines++;
    }
    return Math.max(0, lines);
  };
}
