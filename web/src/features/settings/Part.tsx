import type { ReactNode } from "react";
import { say } from "./words";

/** A part of the settings: its name, what it is about, and what can be added to it. */
export function Part({ title, about, action, children }: { title: string; about: ReactNode; action?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <header className="part-head">
        <div>
          <h2>{title}</h2>
          <p className="muted">{about}</p>
        </div>
        {action}
      </header>
      {children}
    </section>
  );
}

interface Read<T> {
  data: T | undefined;
  error: Error | null;
  isFetching: boolean;
  refetch: () => unknown;
}

/** Something that has to be read first: what it is, or why it is not there. */
export function Ready<T>({ of, children }: { of: Read<T>; children: (value: T) => ReactNode }) {
  if (of.data !== undefined) return children(of.data);
  if (of.error === null) return <p className="muted" role="status">{say("loading")}</p>;
  return (
    <p className="notice" role="alert">
      {of.error.message}
      <button type="button" className="link-button" disabled={of.isFetching} onClick={() => of.refetch()}>
        {say("again")}
      </button>
    </p>
  );
}
