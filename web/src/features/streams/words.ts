import { wordsOf } from "../../ui/words";
import en from "./words.en.json";

/** What the streams say. */
export const say = wordsOf({ en });
