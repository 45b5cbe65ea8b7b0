import { createContext, useContext, useEffect, useId, useRef, useState, type FormEvent, type InputHTMLAttributes, type ReactNode } from "react";
import { refusal, type Refusal } from "./attempt";

/** What was typed into a field, without spaces around it; undefined when that is nothing. Passwords are taken as they are. */
export type Typed = (name: string) => string | undefined;

const NOTHING: Refusal = { reason: null, faults: new Map() };
const RefusalContext = createContext<Refusal>(NOTHING);

interface FormProps {
  /** Rejects with what is to be said. */
  onSend: (typed: Typed) => Promise<void>;
  button: string;
  /** What the button says while it is being sent. */
  sending: string;
  children: ReactNode;
}

/** A form that is sent by script, and says what was refused at its fields. */
export function Form({ onSend, button, sending, children }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [isSending, setSending] = useState(false);
  const [refused, setRefused] = useState(NOTHING);
  useEffect(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), [refused]);

  async function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const typed = new FormData(event.currentTarget);
    setSending(true);
    setRefused(NOTHING);
    try {
      await onSend((name) => text(name, typed.get(name)));
    } catch (failure) {
      setRefused(refusal(failure, new Set(typed.keys())));
    }
    setSending(false);
  }

  return (
    <form ref={form} className="fields" onSubmit={send}>
      <RefusalContext value={refused}>{children}</RefusalContext>
      {refused.reason !== null && (
        <p className="notice" role="alert">
          {refused.reason}
        </p>
      )}
      <button className="button primary" disabled={isSending}>
        {isSending ? sending : button}
      </button>
    </form>
  );
}

/** A labelled input with what is wrong with it, else with a hint. */
export function Field({ label, hint, ...input }: { label: string; hint?: string; name: string } & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  const fault = useContext(RefusalContext).faults.get(input.name);
  const words = fault ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} className="input" spellCheck={false} aria-invalid={fault !== undefined} aria-describedby={words === undefined ? undefined : `${id}-words`} {...input} />
      {words !== undefined && (
        <span id={`${id}-words`} className={fault === undefined ? undefined : "field-fault"} role={fault === undefined ? undefined : "alert"}>
          {words}
        </span>
      )}
    </div>
  );
}

function text(name: string, typed: FormDataEntryValue | null): string | undefined {
  const raw = typeof typed === "string" ? typed : "";
  return (name === "password" ? raw : raw.trim()) || undefined;
}
