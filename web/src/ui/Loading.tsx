import { wordsOf } from "./words";
import en from "./words.en.json";

const say = wordsOf({ en });

/** What stands in place of a page that is not there yet. */
export function Loading() {
  return (
    <main className="page muted" role="status">
      {say("loading")}
    </main>
  );
}
