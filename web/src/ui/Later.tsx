import { Suspense, type ReactNode } from "react";

/** A page in the middle of the screen whose script is fetched only when it is needed. */
export function Later({ children }: { children: ReactNode }) {
  return <Suspense fallback={<main className="card" aria-busy="true" />}>{children}</Suspense>;
}
