// The sentences of the query's part of the screen.
import { wordsOf } from "../../ui/words";
import en from "./words.en.json";

export const say = wordsOf({ en });
