import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogKeeper } from "../../src/notary/keeping/log-keeper.ts";
import { logPrefix } from "../../src/notary/log-policy.ts";
import { logPage } from "../../src/portal/log-pages.ts";
import { standingOf } from "../../src/portal/logged.ts";
import { makePortalData, openPortalData } from "../../src/cli/portal/data.ts";
import { standBack } from "../../src/cli/stand-back.ts";
import { type Client, makeClient, type Transport } from "../../src/client/client.ts";
import type { Keyring } from "../../src/keyring/keyring.ts";
import { createKeyringFile, openKeyringFile } from "../../src/keyring/file.ts";
import { defaultPolicy } from "../../src/portal/limits.ts";
import { Portal } from "../../src/portal/portal.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { stretchOnce } from "./stretched-once.ts";

stretchOnce();

/** What is thrown where a process would be gone. */
export class Killed extends Error {}

/**
 * How many steps a process still lives. A step is what lasts: a transaction at home, a change of a keyring, a request; each
 * counts twice, before it is done and after, when it is done and nobody has heard of it.
 */
export class Fuse {
  #left: number;
  #burnt = false;

  constructor(steps = Number.POSITIVE_INFINITY) {
    this.#left = steps;
  }

  get burnt(): boolean {
    return this.#burnt;
  }

  async step<T>(work: () => Promise<T>): Promise<T> {
    this.#tick();
    const done = await work();
    this.#tick();
    return done;
  }

  #tick(): void {
    if (this.#burnt || this.#left-- <= 0) {
      this.#burnt = true;
      throw new Killed("killed");
    }
  }
}

/** One life of some devices and a portal, over files that outlive it. */
export type Life = {
  /** A device; its process lives as long as the fuse. */
  device(name: string, fuse?: Fuse): Promise<{ readonly client: Client; readonly master: Keyring }>;
  readonly url: string;
  readonly pin: string;
  /** Octets of the requests' and answers' bodies so far. */
  readonly requests: () => number;
  close(): Promise<void>;
};

/** The files of a world, from which any number of others can be copied. */
export type Files = { readonly folder: string; copy(): Files; remove(): void; open(now?: () => number): Promise<Life> };

/** Makes the files of a portal for example.com, with no device yet. */
export async function newFiles(): Promise<Files> {
  const folder = mkdtempSync(join(tmpdir(), "mesh-mortal-"));
  await makePortalData(join(folder, "portal"), { accounts: "open", domain: "example.com", host: "127.0.0.1", port: 1 });
  return filesIn(folder);
}

function filesIn(folder: string): Files {
  return {
    folder,
    copy: () => {
      const other = mkdtempSync(join(tmpdir(), "mesh-mortal-"));
      cpSync(folder, other, { recursive: true });
      return filesIn(other);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
    open: (now = Date.now) => begin(folder, now),
  };
}

async function begin(folder: string, now: () => number): Promise<Life> {
  const closers: (() => unknown)[] = [];
  const data = await openPortalData(join(folder, "portal"));
  const portalStore = await openSqliteStore(data.database);
  closers.push(() => portalStore.close());
  const faults: unknown[] = [];
  const portal = new Portal({ store: portalStore, identity: data.identity, policy: { ...defaultPolicy, creation: "open" }, now, log: (_, fault) => faults.push(...(fault === undefined ? [] : [fault])) });
  const { log } = data;
  if (log === undefined) throw new Error("this portal has no log");
  const keeper = await LogKeeper.open({ store: portalStore, origin: log.origin, signers: [log.note, log.subtree], now, standingOf });
  const url = "https://127.0.0.1:1";
  let requests = 0;
  const spki = await import("../../src/certificates/spki.ts").then(({ spkiOfCertificate }) => spkiOfCertificate(data.tls.certificatePem));
  const transport = (fuse: Fuse): Transport => ({
    post: async (path, headers, body) => {
      const answer = await fuse.step(async () => portal.handle({ method: "POST", path, query: "", headers, body, remote: "192.0.2.1" }));
      requests += 1;
      if (faults.length > 0) throw faults[0];
      return { ...answer, peerSpki: spki };
    },
    get: async (path) => {
      const page = await fuse.step(async () => {
        await keeper.close();
        return logPage(portalStore, keeper, path.slice(logPrefix(log.origin).length));
      });
      return { status: page === undefined ? 404 : 200, headers: {}, body: page?.octets ?? new Uint8Array(0), peerSpki: spki };
    },
    stream: () => Promise.reject(new Error("a portal without sockets streams nothing")),
    close: () => undefined,
  });
  return {
    url,
    pin: data.identity.profile.payload.id,
    requests: () => requests,
    device: async (name, fuse = new Fuse()) => {
      const path = join(folder, name);
      const store = await openSqliteStore(`${path}.db`);
      closers.push(() => store.close());
      const keyring = await keyringAt(`${path}.json`);
      const master = await keyringAt(`${path}-master.json`);
      closers.push(() => keyring.close(), () => master.close());
      const client = makeClient({ store: mortalStore(store, fuse), keyring: mortalKeyring(keyring, fuse), now, connect: () => transport(fuse), standBack, masterKeyring: async () => ((await master.list()).length > 0 ? master : undefined) });
      return { client, master: mortalKeyring(master, fuse) };
    },
    close: async () => {
      for (const close of closers.reverse()) await close();
    },
  };
}

function keyringAt(path: string): Promise<Keyring> {
  return existsSync(path) ? openKeyringFile(path, undefined) : createKeyringFile(path, undefined);
}

function mortalStore(store: Store, fuse: Fuse): Store {
  return { read: (work) => store.read(work), transact: (work) => fuse.step(() => store.transact(work)), close: () => store.close() };
}

function mortalKeyring(keyring: Keyring, fuse: Fuse): Keyring {
  return {
    list: () => keyring.list(),
    sign: (id, message) => keyring.sign(id, message),
    signAdded: (id, added, message) => keyring.signAdded(id, added, message),
    decapsulate: (id, ciphertext) => keyring.decapsulate(id, ciphertext),
    derive: (label, length) => keyring.derive(label, length),
    add: (id, purpose, secret) => fuse.step(() => keyring.add(id, purpose, secret)),
    addAll: (secrets) => fuse.step(() => keyring.addAll(secrets)),
    remove: (id) => fuse.step(() => keyring.remove(id)),
    close: () => keyring.close(),
  };
}

/** Has a device killed after each of its steps, in a copy of the world for each, and looks at what is left; returns how often it was hit. */
export async function killedAtEveryStep(before: Files, who: string, work: (life: Life, fuse: Fuse) => Promise<unknown>, after: (life: Life, steps: number) => Promise<void>, every = 1): Promise<number> {
  for (let steps = 0; ; steps += every) {
    const files = before.copy();
    const [fuse, life] = [new Fuse(steps), await files.open()];
    await work(life, fuse).catch((error: unknown) => {
      if (!(error instanceof Killed) && !fuse.burnt) throw error;
    });
    await life.close();
    const next = await files.open();
    await after(next, steps).catch((error: unknown) => {
      throw new Error(`${who} killed after ${steps} steps`, { cause: error });
    });
    await next.close();
    files.remove();
    if (!fuse.burnt) return steps / every;
  }
}
