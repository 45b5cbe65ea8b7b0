import { useEffect, useState } from "react";

/** Whether something has been so for `ms`. */
export function useDelayed(isSo: boolean, ms: number): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!isSo) return setLate(false);
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [isSo, ms]);
  return isSo && isLate;
}
