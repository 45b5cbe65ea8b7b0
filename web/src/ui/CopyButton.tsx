import { useEffect, useState, type MouseEvent } from "react";
import { Copy, Tick } from "./icons";
import { wordsOf } from "./words";
import en from "./words.en.json";

const say = wordsOf({ en });

/** Copies a text, which is asked for only then. With `words` it is a link-like button, otherwise a sign. */
export function CopyButton({ text, label, words }: { text: () => string; label: string; words?: string }) {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [isDone]);

  const copy = async (event: MouseEvent<HTMLElement>) => setDone(await copyText(text(), event.currentTarget));
  return (
    <button type="button" className={words === undefined ? "icon-button" : "link-button"} title={label} aria-label={isDone ? say("copied") : label} onClick={copy}>
      {words === undefined ? isDone ? <Tick /> : <Copy /> : isDone ? say("copied") : words}
    </button>
  );
}

/**
 * Whether it worked. Pages without TLS have no clipboard; there a selection is copied, which stands beside what was pressed:
 * elsewhere it cannot be selected as long as a dialog is open.
 */
export async function copyText(text: string, pressed: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    pressed.after(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    // The selection has taken the focus.
    pressed.focus();
    return copied;
  }
}
