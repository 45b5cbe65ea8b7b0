// The frame of every page outside of a log: the ways in, and why there is none.
import type { ReactNode } from "react";
import { Mark } from "../../ui/icons";
import { useTitle } from "../../ui/useTitle";

/** A page with one thing to do, in the middle of the screen. */
export function Card({ title, children }: { title: string; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="card">
      <section>
        <div className="brand">
          <Mark /> Trailbook
        </div>
        <h1>{title}</h1>
        {children}
      </section>
    </main>
  );
}
