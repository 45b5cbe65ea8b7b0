import { useEffect, useId, useRef, useState, type ReactNode } from "react";

/** What stays free between a box and the edge of the screen. */
const MARGIN = 8;

interface Props {
  /** What the button shows. */
  label: ReactNode;
  /** What the button is called, where its label is no words. */
  name?: string;
  className?: string;
  /** Aligns the box with the button's end instead of its start. */
  atEnd?: boolean;
  boxClassName?: string;
  children: (close: () => void) => ReactNode;
}

/** A button with a box that opens below it and closes on Escape, on a click elsewhere and when the focus leaves. */
export function Popover({ label, name, className = "button", atEnd = false, boxClassName = "", children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!isOpen) return;
    const leave = (event: globalThis.Event) => {
      // Inside of a shadow root, events seem to come from its host: the path has where they came from.
      if (place.current !== null && !event.composedPath().includes(place.current)) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", leave);
    document.addEventListener("focusin", leave);
    document.addEventListener("keydown", escape, true);
    return () => {
      document.removeEventListener("pointerdown", leave);
      document.removeEventListener("focusin", leave);
      document.removeEventListener("keydown", escape, true);
    };
  }, [isOpen]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div className="popover-place" ref={place}>
      <button ref={button} type="button" className={className} aria-label={name} title={name} aria-expanded={isOpen} aria-controls={isOpen ? id : undefined} onClick={() => setOpen(!isOpen)}>
        {label}
      </button>
      {isOpen && (
        <div id={id} ref={keepInSight} className={`popover ${atEnd ? "end" : ""} ${boxClassName}`}>
          {children(close)}
        </div>
      )}
    </div>
  );
}

/** Moves a box that would reach beyond an edge of the screen back into it. */
function keepInSight(box: HTMLElement | null): void {
  if (box === null) return;
  const { left, right } = box.getBoundingClientRect();
  const beyond = right + MARGIN - document.documentElement.clientWidth;
  const by = beyond > 0 ? -Math.min(beyond, left - MARGIN) : Math.max(0, MARGIN - left);
  if (by !== 0) box.style.setProperty("translate", `${by}px`);
}
