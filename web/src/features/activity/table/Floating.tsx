import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { useLabels } from "../../../event/labels";
import { clip } from "../../../event/words";
import { useScreen } from "../../../screen";
import { copyText } from "../../../ui/CopyButton";
import { Copy, Funnel, Only, Without } from "../../../ui/icons";
import { ago, fullTime } from "../../../ui/time";
import { useZone } from "../../../ui/useZone";
import { wordsOf } from "../../../ui/words";
import { createZone, UTC } from "../../../ui/zone";
import type { Value } from "./cells";
import type { Narrowing, Open } from "./useFloating";
import en from "./floating.en.json";

const say = wordsOf({ en });

interface Props {
  open: Open;
  now: Date;
  onQuery: (value: Value, how: Narrowing) => void;
  onClose: () => void;
  /** The pointer is here, so it must not close. */
  onStay: () => void;
}

/** What stands over the list beside a value: what can be done with it, or a time in full. */
export default function Floating({ open, now, onQuery, onClose, onStay }: Props) {
  return (
    <Box open={open} onClose={onClose} onStay={onStay}>
      {open.kind === "value" ? <ValueMenu value={open.value} onQuery={onQuery} onClose={onClose} /> : <TimeCard instant={open.instant} now={now} isEntered={open.isEntered} />}
    </Box>
  );
}

const GAP = 6;
const EDGE = 8;

/** In the browser's top layer, so that nothing cuts it; below its anchor, or above where there is no room. */
function Box({ open: { anchor, kind }, onClose, onStay, children }: { open: Open; onClose: () => void; onStay: () => void; children: ReactNode }) {
  const { root } = useScreen();
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    element.showPopover();
    const at = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = element;
    const below = at.bottom + GAP + height <= innerHeight - EDGE || at.top < height + GAP + EDGE;
    element.style.left = `${Math.max(EDGE, Math.min(at.left, innerWidth - width - EDGE))}px`;
    element.style.top = `${below ? at.bottom + GAP : at.top - GAP - height}px`;
  }, [anchor]);
  useEffect(() => {
    const scrolled = (event: globalThis.Event) => event.composedPath()[0] !== box.current && onClose();
    const left = (event: globalThis.Event) => !event.composedPath().some((each) => each === box.current || each === anchor) && onClose();
    const pressed = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      anchor.focus();
      onClose();
    };
    document.addEventListener("scroll", scrolled, true);
    document.addEventListener("pointerdown", left, true);
    document.addEventListener("keydown", pressed, true);
    return () => {
      document.removeEventListener("scroll", scrolled, true);
      document.removeEventListener("pointerdown", left, true);
      document.removeEventListener("keydown", pressed, true);
    };
  }, [anchor, onClose]);
  return createPortal(
    <div ref={box} popover="manual" className={`popover floating floating-${kind}`} onPointerEnter={onStay} onPointerLeave={() => kind === "time" && !box.current?.contains(box.current.ownerDocument.activeElement) && onClose()}>
      {children}
    </div>,
    root.querySelector("main") ?? root,
  );
}

/** Filter for, filter out, only this, copy. */
function ValueMenu({ value, onQuery, onClose }: { value: Value; onQuery: Props["onQuery"]; onClose: () => void }) {
  const labels = useLabels();
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => menu.current?.querySelector("button")?.focus({ preventScroll: true }), []);
  const field = value.field === null ? "" : clip(labels.field(value.field), 60);
  const text = clip(value.text, 80);
  const choose = (how: Narrowing) => () => (onQuery(value, how), onClose());
  const { said, copy } = useCopy(value.text);
  return (
    <>
      <div ref={menu} className="menu" role="menu" aria-label={`${field} ${text}`.trim()} onKeyDown={moveInMenu}>
        <p className="menu-head line" role="presentation">
          {field !== "" && <span>{field} </span>}
          <bdi>{text}</bdi>
        </p>
        {value.field !== null && (
          <>
            <MenuItem icon={<Only />} label={say("filter_for")} onChoose={choose("for")} />
            <MenuItem icon={<Without />} label={say("filter_out")} hint="x" onChoose={choose("out")} />
            <MenuItem icon={<Funnel />} label={say("only_this", { field })} onChoose={choose("only")} />
          </>
        )}
        <MenuItem icon={<Copy />} label={said ?? say("copy")} onChoose={copy} />
      </div>
      <span className="unseen" role="status">
        {said}
      </span>
    </>
  );
}

function MenuItem({ icon, label, hint, onChoose }: { icon: ReactNode; label: string; hint?: string; onChoose: (event: MouseEvent<HTMLElement>) => void }) {
  return (
    <button type="button" role="menuitem" className="menu-item" onClick={onChoose}>
      {icon}
      <span className="line">{label}</span>
      {hint !== undefined && <kbd className="kbd">{hint}</kbd>}
    </button>
  );
}

/** Copying a text, and how it went. */
function useCopy(text: string): { said: string | null; copy: (event: MouseEvent<HTMLElement>) => Promise<void> } {
  const [isCopied, setCopied] = useState<boolean | null>(null);
  return { said: isCopied === null ? null : say(isCopied ? "copied" : "not_copied"), copy: async ({ currentTarget }) => setCopied(await copyText(text, currentTarget)) };
}

function moveInMenu(event: KeyboardEvent<HTMLElement>): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("button")];
  const at = items.indexOf(event.target as HTMLElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items.at(next % items.length)?.focus();
}

/** An instant in every zone that matters to the reader, and how long ago it was. */
function TimeCard({ instant, now, isEntered }: { instant: string; now: Date; isEntered: boolean }) {
  const zone = useZone();
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => void (isEntered && card.current?.querySelector("button")?.focus({ preventScroll: true })), [isEntered]);
  const { said, copy } = useCopy(instant);
  const own = createZone(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const date = new Date(instant);
  const lines = [
    [say("universal"), fullTime(instant, UTC)],
    ...(zone.id === "UTC" ? [] : [[zone.id, `${fullTime(instant, zone)} ${zone.nameAt(date)}`]]),
    [say("own_zone", { zone: own.id }), `${fullTime(instant, own)} ${own.nameAt(date)}`],
    [say("relative"), ago(instant, now, zone)],
  ] as const;
  return (
    <div ref={card} role="group" aria-label={say("time")}>
      <dl className="number">
        {lines.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <button type="button" className="menu-item" onClick={copy}>
        <Copy />
        <span className="line">{said ?? say("copy_time")}</span>
      </button>
      <span className="unseen" role="status">
        {said}
      </span>
    </div>
  );
}
