// Forms that are sent by script: fields with their labels, hints and what was refused, joined for screen readers.
import { createContext, useContext, useEffect, useId, useRef, useState, type FormEvent, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from "react";
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
  /** Whether there is nothing to send. */
  isIdle?: boolean;
  /** Further buttons, beside the one that sends. */
  others?: ReactNode;
  children: ReactNode;
}

/** A form that is sent by script, and says what was refused at its fields. */
export function Form({ onSend, button, sending, isIdle = false, others, children }: FormProps) {
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
      <div className="form-end">
        <button className="button primary" disabled={isSending || isIdle}>
          {isSending ? sending : button}
        </button>
        {others}
      </div>
    </form>
  );
}

interface Labelled {
  label: string;
  name: string;
  hint?: ReactNode;
}

/** What an element that takes something needs to be joined to its label and words. */
interface Joined {
  id: string;
  name: string;
  "aria-invalid": boolean;
  "aria-describedby": string | undefined;
}

/** What was refused of a field when its form was sent last. */
export function useFault(name: string): string | undefined {
  return useContext(RefusalContext).faults.get(name);
}

/** A labelled input with what is wrong with it, else with a hint. */
export function Field({ label, hint, ...input }: Labelled & InputHTMLAttributes<HTMLInputElement>) {
  return <FieldPlace {...{ label, hint, name: input.name }}>{(joined) => <input className="input" spellCheck={false} {...input} {...joined} />}</FieldPlace>;
}

/** As [Field], of several lines. */
export function Area({ label, hint, ...area }: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return <FieldPlace {...{ label, hint, name: area.name }}>{(joined) => <textarea className="input area" spellCheck={false} {...area} {...joined} />}</FieldPlace>;
}

/** As [Field], one of a few; `options` are values with their words. */
export function Choice({ label, hint, options, ...select }: Labelled & { options: readonly (readonly [string, string])[] } & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <FieldPlace {...{ label, hint, name: select.name }}>
      {(joined) => (
        <select className="input" {...select} {...joined}>
          {options.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      )}
    </FieldPlace>
  );
}

/** A box to tick, with its words beside it. */
export function Tickbox({ label, ...input }: { label: ReactNode; name: string } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className="tickbox">
      <input type="checkbox" {...input} />
      <span>{label}</span>
    </label>
  );
}

/** Anything that takes something, with its label and what is wrong with it, else a hint. */
export function FieldPlace({ label, name, hint, children }: Labelled & { children: (joined: Joined) => ReactNode }) {
  const id = useId();
  const fault = useFault(name);
  const words = fault ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, name, "aria-invalid": fault !== undefined, "aria-describedby": words === undefined ? undefined : `${id}-words` })}
      {words !== undefined && (
        <span id={`${id}-words`} className={fault === undefined ? undefined : "field-fault"} role={fault === undefined ? undefined : "alert"}>
          {words}
        </span>
      )}
    </div>
  );
}

const PASSWORDS = new Set(["password", "current", "new"]);

function text(name: string, typed: FormDataEntryValue | null): string | undefined {
  const raw = typeof typed === "string" ? typed : "";
  return (PASSWORDS.has(name) ? raw : raw.trim()) || undefined;
}
