import type { ReactNode } from "react";
import { wordsOf } from "./words";
import en from "./part.en.json";

const say = wordsOf({ en });

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
