// Server-Sent Events from a fetch body. EventSource cannot send an Authorization header, so the stream is read here.

export interface Message {
  id: string | null;
  event: string;
  data: string;
}

/** Takes a stream's text in any cuts and gives its messages; the text/event-stream rules of the HTML standard. */
export class MessageReader {
  #rest = "";
  #data: string[] = [];
  #event = "";
  #id: string | null = null;

  push(text: string): Message[] {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): Message[] {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return [];
  }

  #dispatch(): Message[] {
    const messages =
      this.#data.length > 0 ? [{ id: this.#id, event: this.#event || "message", data: this.#data.join("\n") }] : [];
    this.#data = [];
    this.#event = "";
    return messages;
  }
}

/** The stream's messages whose data is a JSON object with an `id`, which is how events come; others are the server's own remarks. */
export async function* events<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<{ id: string | null; value: T }> {
  const messages = new MessageReader();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const message of messages.push(decoder.decode(value, { stream: true }))) {
        const parsed: unknown = JSON.parse(message.data);
        if (typeof parsed === "object" && parsed !== null && "id" in parsed) yield { id: message.id, value: parsed as T };
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
