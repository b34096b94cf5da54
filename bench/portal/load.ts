import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { COUNTER_HEADER, MAC_HEADER, SERVICE_PATH, SESSION_HEADER } from "../../src/protocol/wire.ts";
import { requestsOf } from "./requests.ts";
import { drive } from "./round.ts";
import type { Role } from "./worker.ts";

/** Clients of a portal: bare TLS 1.3 sockets that stay open and send octets made beforehand, so that most of the two cores is left to the portal; of its processes, if it has more ports than one, each has as many. */
export const load: Role = async (folder = "", ports = "", id = "") => {
  const lines: Line[] = [];
  const [port = 0, ...more] = ports.split(",").map(Number);
  return async ({ round, atOnce }) => {
    // A portal closes what is idle for long.
    for (let at = 0; at < atOnce; at++) if (lines[at]?.isOpen() !== true) lines[at] = await openLine([port, ...more][at % (more.length + 1)] ?? port);
    const requests = requestsOf(folder, round, id).map(({ session, counter, mac, body, good }) => {
      const head = `POST ${SERVICE_PATH} HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${SESSION_HEADER}: ${session}\r\n${COUNTER_HEADER}: ${counter}\r\n${MAC_HEADER}: ${mac}\r\n\r\n`;
      return { octets: Buffer.concat([Buffer.from(head, "latin1"), body]), good };
    });
    return () => drive(requests, atOnce, async ({ octets, good }, line) => {
      const answer = await (lines[line] as Line).send(octets);
      return good ? answer.startsWith("HTTP/1.1 200 ") : answer.includes('"signature-invalid"');
    });
  };
};

/** A connection; `send` sends one request and gives its whole answer as text. */
type Line = { readonly isOpen: () => boolean; readonly send: (octets: Uint8Array) => Promise<string> };

async function openLine(port: number): Promise<Line> {
  const socket = connect({ host: "127.0.0.1", port, minVersion: "TLSv1.3", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  socket.setNoDelay(true);
  let waiting: ((answer: string) => void) | undefined;
  let text = "";
  const answered = (answer: string): void => {
    text = "";
    waiting?.(answer);
  };
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (isWhole(text)) answered(text);
  });
  socket.on("error", () => {});
  // An error, for whoever waits: no answer is a wrong one.
  socket.on("close", () => answered(""));
  return {
    isOpen: () => !socket.destroyed && socket.writable,
    send: (octets) => new Promise((done) => {
      waiting = done;
      send(socket, octets);
    }),
  };
}

function send(socket: TLSSocket, octets: Uint8Array): void {
  if (socket.destroyed) socket.emit("close");
  else socket.write(octets);
}

function isWhole(text: string): boolean {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, head + 2));
  return text.length >= head + 4 + Number(length?.[1] ?? 0);
}
