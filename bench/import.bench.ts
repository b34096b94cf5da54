import { join } from "node:path";
import { readPasswords } from "../src/applications/passwords/formats/read.ts";
import { standBack } from "../src/cli/stand-back.ts";
import { editEntries, readEntries } from "../src/client/catalog.ts";
import { makeClient } from "../src/client/client.ts";
import { sync } from "../src/client/sync.ts";
import { type Connection, openConnection } from "../src/http/call.ts";
import { openKeyringFile } from "../src/keyring/file.ts";
import { openSqliteStore } from "../src/store/sqlite.ts";
import { expectStatus, openPlace, type Place } from "../test/support/processes.ts";
import { atMost, type Bench, type Measurement, processorTime, reported } from "./bench.ts";

const SIZES = [
  { entries: 10_000, seconds: 5 },
  { entries: 100_000, seconds: 60 },
];
const OCTETS_AN_ENTRY = 1000;

type Connect = Parameters<typeof makeClient>[0]["connect"];

/**
 * What an import costs: reading the file, planning, the journal at home, and sending it all to a real portal.
 *
 * Client work is the processor time of this process, which has the client and nothing else; the portal is a process of its own.
 */
export const bench: Bench = {
  name: "import",
  about: "a Bitwarden export brought in and sent to a portal, from the open home to the last acknowledged commit",
  run: async () => {
    const measured: Measurement[] = [];
    for (const { entries, seconds } of SIZES) {
      const place = openPlace();
      try {
        const portal = await place.portal();
        expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--device-name", "desktop", "--portal", portal.url, "--no-passphrase"]), 0);
        measured.push(...(await imported(place, entries, seconds)));
      } finally {
        await place.close();
      }
    }
    return measured;
  },
};

async function imported(place: Place, entries: number, bar: number): Promise<readonly Measurement[]> {
  const octets = new TextEncoder().encode(exportOf(entries));
  const home = place.home("desktop");
  const [store, keyring] = [await openSqliteStore(join(home, "home.db")), await openKeyringFile(join(home, "keyring.json"), undefined)];
  const connections: Connection[] = [];
  let blobs = 0;
  const connect: Connect = (url, trust) => {
    const connection = openConnection(url, { trust });
    connections.push(connection);
    const post: Connection["post"] = (path, headers, body) => {
      if (Buffer.from(body.subarray(0, 256)).includes("PutBlob")) blobs += body.length;
      return connection.post(path, headers, body);
    };
    return { ...connection, post };
  };
  const client = makeClient({ store, keyring, now: Date.now, connect, standBack });
  try {
    const steps: Record<string, number> = {};
    const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      const result: T[] = [];
      steps[name] = (await processorTime(async () => result.push(await work()))) / 1000;
      return result[0] as T;
    };
    const started = performance.now();
    const file = await timed("read", () => readPasswords({ octets, partial: false, password: async () => new Uint8Array(0) }));
    await timed("plan and keep", () => editEntries(client, "passwords", (before) => file.plan(before).changes));
    const sentBefore = connections.reduce((sum, one) => sum + one.counters.sent, 0);
    await timed("send", () => sync(client));
    const wall = (performance.now() - started) / 1000;
    const sent = connections.reduce((sum, one) => sum + one.counters.sent, 0) - sentBefore;
    const there = (await readEntries(client, "passwords")).length;
    if (there !== entries + 100) throw new Error(`${there} entries and folders, not ${entries + 100}`);
    const total = Object.values(steps).reduce((sum, one) => sum + one, 0);
    const parts = Object.entries(steps).map(([name, one]) => `${name} ${one.toFixed(2)} s`).join(", ");
    return [
      atMost(bar, { name: `import of ${entries} entries, client work`, value: total, unit: "s", against: `${parts}; with waiting ${wall.toFixed(1)} s` }),
      atMost(OCTETS_AN_ENTRY, { name: `sent an entry, of ${entries}`, value: (sent - blobs) / entries, unit: "B", against: `in the file: ${Math.round(octets.length / entries)} B` }),
      // Not the import's: the state written down for devices that join, which any sync after so many changes writes.
      reported({ name: `snapshot an entry, of ${entries}`, value: blobs / entries, unit: "B", against: "sent once more, for devices that join" }),
    ];
  } finally {
    for (const connection of connections) connection.close();
    keyring.close();
    await store.close();
  }
}

/** What Bitwarden would export for somebody with so many logins in 100 folders: indented, every member there. */
function exportOf(entries: number): string {
  const folders = Array.from({ length: 100 }, (_, index) => ({ id: uuid(1, index), name: `Folder ${index % 10}/Part ${index}` }));
  const items = Array.from({ length: entries }, (_, index) => ({
    passwordHistory: index % 10 === 0 ? [{ lastUsedDate: "2024-05-06T07:08:09.000Z", password: `old-${index}-Tr0ub4dor` }] : null,
    revisionDate: "2025-06-07T08:09:10.000Z",
    creationDate: "2023-04-05T06:07:08.000Z",
    deletedDate: null,
    id: uuid(2, index),
    organizationId: null,
    folderId: folders[index % 100]?.id,
    type: 1,
    reprompt: 0,
    // As in life, one name in three is there more than once.
    name: `site-${index % 3 === 0 ? Math.floor(index / 30) : index}.example`,
    notes: index % 5 === 0 ? `Customer number ${index * 7919}\nask for Alice, extension ${index % 100}` : null,
    favorite: index % 50 === 0,
    ...(index % 8 === 0 ? { fields: [{ name: "PIN", value: String(index * 31), type: 1, linkedId: null }] } : {}),
    login: {
      uris: [{ match: null, uri: `https://login.site-${index}.example/account/sign-in?next=%2Fhome` }],
      username: `alice.example+${index}@mail.example.com`,
      password: `p-${index}-${(index * 2654435761) % 4294967296}-Xy!`,
      totp: index % 6 === 0 ? `otpauth://totp/site-${index}:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=site` : null,
      fido2Credentials: [],
    },
    collectionIds: null,
  }));
  return JSON.stringify({ encrypted: false, folders, items }, undefined, 2);
}

function uuid(kind: number, index: number): string {
  const digits = (index * 2654435761).toString(16).padStart(16, "0").slice(-16);
  return `${kind}0000000-0000-4000-${digits.slice(0, 4)}-${digits.slice(4)}`;
}
