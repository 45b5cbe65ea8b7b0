import { useId, type ReactNode } from "react";
import { Mark } from "../../ui/icons";
import { useTitle } from "../../ui/useTitle";

/** A page with one thing to do, in the middle of the screen. */
export function Card({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  useTitle(title);
  return (
    <main className="card">
      <section aria-labelledby={id}>
        <div className="brand">
          <Mark /> Trailbook
        </div>
        <h1 id={id}>{title}</h1>
        {children}
      </section>
    </main>
  );
}
