import { wordsOf } from "../../ui/words";
import en from "./words.en.json";

/** What the alerts say. */
export const say = wordsOf({ en });
