// Bytes, base64 and SHA-256 as the proof needs them.

type Bytes = Uint8Array<ArrayBuffer>;

export function textBytes(text: string): Bytes {
  return new Uint8Array(new TextEncoder().encode(text));
}

export function concat(...pieces: Uint8Array[]): Bytes {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Standard base64 with padding; text that is not base64 throws. */
export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

export function sha256Of(...pieces: Uint8Array[]): Promise<Bytes> {
  return sha256(concat(...pieces));
}
