// Things that several people may change: each is read with a version, and written back only as long as that is still the newest.
import { wordsOf } from "../ui/words";
import en from "./words.en.json";

const say = wordsOf({ en });

/** Something that was read, with the version to name when it is written back. */
export interface Versioned<T> {
  value: T;
  version: string;
}

/** What an answer has, with its version. */
export async function versioned<T>(response: Response): Promise<Versioned<T>> {
  const version = response.headers.get("ETag");
  if (version === null) throw new Error(say("no_version"));
  return { value: (await response.json()) as T, version };
}
