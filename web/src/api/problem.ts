// A call that failed, as one kind of error: the server's problem document, or no answer at all.
import { wordsOf } from "../ui/words";
import type { ProblemBody } from "./contract";
import en from "./words.en.json";

const say = wordsOf({ en });

export class Problem extends Error {
  /** `status` is 0 when there was no answer. */
  constructor(
    readonly status: number,
    readonly body: ProblemBody,
  ) {
    super(body.detail ?? body.title ?? answered(status));
    this.name = "Problem";
  }

  static unreachable(): Problem {
    return new Problem(0, { title: say("unreachable") });
  }

  static async of(response: Response): Promise<Problem> {
    const text = await response.text().catch(() => "");
    try {
      const body: unknown = JSON.parse(text);
      if (typeof body === "object" && body !== null) return new Problem(response.status, body as ProblemBody);
    } catch {
      // Not a problem document: a proxy in between answered. Its words are not for this screen.
    }
    return new Problem(response.status, { title: answered(response.status) });
  }

  /** Whether repeating the same call may succeed. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** A status is a name, not a quantity. */
function answered(status: number): string {
  return say("answered", { status: String(status) });
}

/** What is wrong with the members of the body that was sent, by their name. */
export function memberFaults(problem: Problem): Map<string, string> {
  const faults = new Map<string, string>();
  for (const { pointer, detail } of problem.body.errors ?? []) {
    const name = pointer.replace(/^\//, "");
    if (!faults.has(name)) faults.set(name, detail);
  }
  return faults;
}

/** A fault in the text of a query: what is wrong, and at which character, counted from 1. */
export interface QueryFault {
  column: number;
  detail: string;
}

/** The fault in the query text that `problem` reports, or null when it is about something else. */
export function queryFault({ status, body: { column, detail } }: Problem): QueryFault | null {
  return status === 400 && typeof column === "number" ? { column, detail: detail ?? "" } : null;
}
