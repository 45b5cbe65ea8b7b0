import type { ReactNode } from "react";

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
