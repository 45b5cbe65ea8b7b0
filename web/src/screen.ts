// What every part of the screen stands on: whose log it shows, by what right, and where it is drawn.
import { createContext, useContext, type ReactNode } from "react";
import type { Access, Client } from "./api/client";
import type { Policy } from "./api/contract";

export interface Screen {
  client: Client;
  access: Access;
  policy: Policy;
  /** `console` is a page of its own with navigation; `embedded` is the activity alone, inside another product's page. */
  mode: "console" | "embedded";
  /** The element that everything is drawn in; its document or shadow root has nothing else of ours. */
  root: HTMLElement;
  /** The key that checkpoints must be signed with, as whoever embeds the screen gives it; null when nobody did. */
  checkpointKey: string | null;
  /** Goes to another organization, or to one's own by null; null where the access is to one alone. */
  organizations: { isElsewhere: boolean; choose: (organization: string | null, project?: string | null) => void } | null;
  /** What stands above every part, where the page is ours. */
  bar: ReactNode;
  leave: () => Promise<void>;
}

export const ScreenContext = createContext<Screen | null>(null);

export function useScreen(): Screen {
  const screen = useContext(ScreenContext);
  if (screen === null) throw new Error("a part of the screen is drawn outside of it");
  return screen;
}
