import { createConnection, createServer, type Socket } from "node:net";

/** What becomes of a request that the relay sees go by. */
export type Hit = { /** Whether it reaches the portal; if so, its answer is the last that nobody hears. */ readonly deliver: boolean; /** Called between request and answer. */ readonly strike: () => unknown };

/** A relay on the loopback device that sees TLS records go by and understands none of them. */
export type Relay = {
  readonly port: number;
  /** Hits the n-th request from now on (1 is the next). */
  arm(n: number, hit: Hit): void;
  /** How many requests were hit. */
  readonly hits: () => number;
  /** How many requests went by since the last `arm`. */
  readonly seen: () => number;
  close(): Promise<void>;
};

const APPLICATION_DATA = 23;
/** A client's Finished is shorter than any request: 48 octets of MAC and what frames them. */
const SHORTEST_REQUEST = 120;

/** Opens a relay to a port of this machine. */
export async function openRelay(to: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let [seen, hits] = [0, 0];
  let armed: { readonly n: number; readonly hit: Hit } | undefined;
  const server = createServer((client) => {
    const portal = createConnection(to, "127.0.0.1");
    for (const socket of [client, portal]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => undefined);
    }
    client.on("close", () => portal.destroy());
    portal.on("close", () => client.destroy());
    let deaf = false;
    const records = recordsOf();
    client.on("data", (octets: Buffer) => {
      const begun = records(octets).filter(({ type, length }) => type === APPLICATION_DATA && length >= SHORTEST_REQUEST).length;
      // A large request is several records, which come as one burst: one request.
      if (begun > 0) seen += 1;
      if (begun === 0 || armed === undefined || seen !== armed.n) return void portal.write(octets);
      const { hit } = armed;
      armed = undefined;
      hits += 1;
      deaf = true;
      if (!hit.deliver) return void hit.strike();
      portal.write(octets);
      portal.once("data", () => hit.strike());
    });
    portal.on("data", (octets: Buffer) => void (deaf || client.write(octets)));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    arm: (n, hit) => {
      armed = { n, hit };
      seen = 0;
    },
    hits: () => hits,
    seen: () => seen,
    close: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => done());
      }),
  };
}

/** Reads the heads of TLS records out of a stream, however it is cut. */
function recordsOf(): (octets: Buffer) => readonly { readonly type: number; readonly length: number }[] {
  let rest = Buffer.alloc(0);
  let skip = 0;
  return (octets) => {
    const heads: { type: number; length: number }[] = [];
    rest = Buffer.concat([rest, octets]);
    for (;;) {
      const passed = Math.min(skip, rest.length);
      skip -= passed;
      rest = rest.subarray(passed);
      if (skip > 0 || rest.length < 5) return heads;
      const head = { type: rest.readUInt8(0), length: rest.readUInt16BE(3) };
      heads.push(head);
      skip = 5 + head.length;
    }
  };
}
