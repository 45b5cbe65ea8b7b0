// A mail server that keeps what it is given: letters, by whom they are to.
import { createServer } from "node:net";

const PATIENCE_MS = 10_000;

/** Starts it on loopback; `environment` tells the binary of it. */
export async function setPostman() {
  let letters = [];
  const server = createServer((socket) => deliver(socket, (letter) => letters.push(letter)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    environment: { TRAILBOOK_SMTP_URL: `smtp://127.0.0.1:${server.address().port}`, TRAILBOOK_MAIL_FROM: "Trailbook <log@trailbook.example>" },
    /** The newest letter to somebody, as soon as it is there. */
    async letterTo(address) {
      for (let waited = 0; waited < PATIENCE_MS; waited += 50) {
        const found = letters.findLast(({ to }) => to === address);
        if (found !== undefined) return readable(found.text);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`no letter came to ${address}`);
    },
    forget: () => (letters = []),
    end: () => server.close(),
  };
}

/** As much of SMTP as a client needs to hand over a letter. */
function deliver(socket, take) {
  let [rest, to, text] = ["", "", null];
  const say = (line) => socket.write(`${line}\r\n`);
  const hear = (line) => {
    if (text !== null) {
      if (line !== ".") return void (text += `${line.replace(/^\./, "")}\n`);
      take({ to, text });
      text = null;
      return say("250 taken");
    }
    if (/^RCPT/i.test(line)) to = /<(.*?)>/.exec(line)?.[1] ?? "";
    if (/^QUIT/i.test(line)) return socket.end("221 bye\r\n");
    if (!/^DATA/i.test(line)) return say("250 yes");
    text = "";
    say("354 go on");
  };
  socket.on("error", () => socket.destroy()).on("data", (bytes) => {
    const lines = (rest + bytes).split("\r\n");
    rest = lines.pop();
    lines.forEach(hear);
  });
  say("220 postman");
}

/** A letter without the breaks and escapes of its way. */
function readable(text) {
  return text.replace(/=\n/g, "").replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
}
