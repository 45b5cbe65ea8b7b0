/** Hands a file to the browser's downloads. */
export function download(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  takeFile(url, name);
  // The browser reads the blob after the click; a minute is ample for it to take hold of it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Lets the browser fetch a file by its link into its downloads; the page stays, also when there is no file. */
export function takeFile(url: string, name = ""): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

/** A file name of these words, without what file systems refuse. */
export function fileName(words: string[], extension: string): string {
  const safe = words.map((word) => word.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60));
  return `${safe.join("-")}.${extension}`;
}
