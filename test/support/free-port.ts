import { createServer } from "node:net";

/** Below those that the system gives to whoever asks for any, or connects (32768 on Linux): it stays free until it is wanted, and while who listens there is started anew. */
const [LOWEST, HIGHEST] = [20_000, 32_000];

/** A port of the loopback device that is free now, and that nobody is given by chance. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer().once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
}
