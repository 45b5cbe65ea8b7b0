import { useQueryClient } from "@tanstack/react-query";
import type { NewView, View } from "../../api/views";
import { wordsOf } from "../../ui/words";
import { useViews } from "./useView";
import { revised } from "./view";
import en from "./words.en.json";

const say = wordsOf({ en });

/** Changes a part of a view; the rest stays as the server has it now, whatever this page remembers. It is read from the list: opening one is recorded. */
export function useRevise(): (id: string, change: Partial<NewView>) => Promise<View> {
  const views = useViews();
  const queries = useQueryClient();
  return async (id, change) => {
    const now = (await views.list()).find((view) => view.id === id);
    if (now === undefined) throw new Error(say("gone"));
    const next = await views.replace(id, revised(now, change));
    queries.setQueryData(["view", id], next);
    await queries.invalidateQueries({ queryKey: ["views"] });
    return next;
  };
}
