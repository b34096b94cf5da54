import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { makeClient, type Self } from "../client/client.ts";
import { randomBytes } from "../crypto/random.ts";
import { createKeyringFile } from "../keyring/file.ts";
import type { DeviceId, MasterId, PortalId } from "../profiles/types.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import { udfOf } from "../udf/udf.ts";
import { homeFiles } from "./home.ts";
import { main } from "./main.ts";
import { standBack } from "./stand-back.ts";

/** What a command left behind. */
export type Ran = { readonly status: number; readonly out: string; readonly err: string };

/** A home for tests: of a device that is a member of a mesh, whose portal cannot be reached. */
export type TestHome = {
  readonly path: string;
  /** Runs a command on it in this process; `terminal` puts its output on one, `input` goes to a file whose name replaces FILE. */
  run(line: readonly string[], how?: { readonly terminal?: boolean; readonly input?: string; readonly environment?: Readonly<Record<string, string>> }): Promise<Ran>;
  remove(): void;
};

/** Makes a home that has no passphrase unless one is given; its device knows an empty catalog of passwords. */
export async function makeTestHome(passphrase?: string): Promise<TestHome> {
  const path = mkdtempSync(join(tmpdir(), "mesh-home-"));
  const files = homeFiles(path);
  const keyring = await createKeyringFile(files.keyring, passphrase === undefined ? undefined : new TextEncoder().encode(passphrase));
  const store = await openSqliteStore(files.store);
  const client = makeClient({ store, keyring, now: Date.now, connect: () => { throw new Error("no portal"); }, standBack });
  const id = (): never => udfOf("application/pkix-keyinfo", randomBytes(32)) as never;
  // Port 9 of this machine: nothing listens there, and the refusal comes at once.
  const portal = { id: id() as PortalId, url: "https://127.0.0.1:9" };
  const self: Self = { address: "alice@example.com", administrationEncryptionKey: "", administrationKey: "", authenticationKey: "", device: id() as DeviceId, encryptionKey: "", master: id() as MasterId, name: "desktop", portal, state: "connected" };
  await client.rows.transact(async (rows) => {
    await rows.put("self", "self", "", self);
    await rows.put("types", "passwords", "", { id: id() as string });
  });
  await store.close();
  keyring.close();
  writeFileSync(files.format, "2\n");
  const inputFile = join(path, "input");
  return {
    path,
    remove: () => rmSync(path, { recursive: true, force: true }),
    run: async (line, how = {}) => {
      if (how.input !== undefined) writeFileSync(inputFile, how.input);
      const said = { 1: "", 2: "" };
      const status = await main(
        line.map((word) => word.replace("FILE", inputFile)),
        { environment: { MESH_HOME: path, COLUMNS: "80", MESH_NO_AGENT: "1", ...how.environment }, now: Date.now, columns: () => undefined, isTerminal: (stream) => stream === 1 && how.terminal === true, write: (to, text) => void (said[to] += text) },
      );
      return { status, out: said[1], err: said[2] };
    },
  };
}
