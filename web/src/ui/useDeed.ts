import { useMutation } from "@tanstack/react-query";

/** One deed at a time, of which `reason` says why the last one failed. */
export function useDeed() {
  const { mutateAsync, isPending, error, reset } = useMutation({ mutationFn: (deed: () => Promise<unknown>) => deed() });
  return { run: mutateAsync, isPending, reason: error === null ? null : error.message, reset };
}
