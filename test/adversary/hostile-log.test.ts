import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { concatBytes } from "../../src/bytes/equal.ts";
import { fromUtf8, utf8 } from "../../src/bytes/text.ts";
import { judgeProof, knownHead, proveCurrent } from "../../src/client/log-proofs.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { sync } from "../../src/client/sync.ts";
import { logKeyTexts } from "../../src/cli/portal/log-keys.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { writeCheckpoint } from "../../src/notary/checkpoint.ts";
import { signNote } from "../../src/notary/cosignature.ts";
import { logPrefix, policyOf } from "../../src/notary/log-policy.ts";
import { Monitor } from "../../src/notary/monitoring/monitor.ts";
import { writeNote } from "../../src/notary/note.ts";
import { readTlogProof, writeTlogProof } from "../../src/notary/tlog-proof.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { agreed, beliefs, whoIs } from "./household.ts";
import { fillers, logged, type LoggedHousehold, type Pages, signers } from "./log-doubles.ts";

/** What a refusal of something hostile costs at most: processor time in milliseconds, and pages that are asked for. */
const MOST_MS = 1500;
const MOST_PAGES = 200;

/** Codes by which what a log shows may be refused: of what it is, and never of a mistake of ours. */
const REFUSALS = /^(portal-(false-data|forked-log|older-log|missing-entry|wrong-entry|wrong-map|broken-receipt)|log-(tile-malformed|proof-malformed|proof-false|proof-stale|wrong-origin)|note-(malformed|unsigned)|store-not-found)$/;

type Octets = readonly [why: string, octets: Uint8Array];

/** Everything that octets of any kind can be made into. */
function spoiled(octets: Uint8Array): readonly Octets[] {
  const bit = (at: number): Uint8Array => octets.with(at, (octets[at] ?? 0) ^ 1);
  return [
    ["nothing", new Uint8Array(0)],
    ["all but the last octet", octets.subarray(0, -1)],
    ["half", octets.subarray(0, octets.length >> 1)],
    ["an octet more", concatBytes(octets, Uint8Array.of(0))],
    ["a line end more", concatBytes(octets, utf8("\n"))],
    ["twice", concatBytes(octets, octets)],
    ["zeros", new Uint8Array(octets.length)],
    ["ones", new Uint8Array(octets.length).fill(0xff)],
    ["two MiB", new Uint8Array(2 << 20).fill(0x41)],
    ["two MiB of line ends", new Uint8Array(2 << 20).fill(0x0a)],
    ...[0, 0.25, 0.5, 0.75, 1].map((at): Octets => [`a bit at ${at}`, bit(Math.floor(at * (octets.length - 1)))]),
  ];
}

/** And besides what lines can be made into: missing, doubled, out of place, in another spelling, with numbers that lie. */
function misspelled(octets: Uint8Array): readonly Octets[] {
  const lines = fromUtf8(octets).split("\n");
  const cases: Octets[] = [["carriage returns", utf8(lines.join("\r\n"))], ["no last line end", utf8(lines.slice(0, -1).join("\n"))]];
  // Many hashes are spelled alike.
  const some = [...lines.keys()].filter((at) => at < 6 || at > lines.length - 6);
  for (const at of some) {
    const line = lines[at] ?? "";
    const other = (why: string, ...instead: readonly string[]): void => {
      if (instead.join("\n") !== line) cases.push([`line ${at + 1} ${why}`, utf8(lines.toSpliced(at, 1, ...instead).join("\n"))]);
    };
    other("missing");
    // The same signature again says nothing new, and harms nobody (C2SP signed-note).
    if (!line.startsWith("\u2014 ")) other("twice", line, line);
    other("a thousand times", ...Array<string>(1000).fill(line));
    other("with a space", `${line} `);
    for (const number of ["18446744073709551615", "9007199254740992", "9007199254740991", "-1", "", "1e3", "0x10"]) if (/\d+$/.test(line)) other(`with ${number}`, line.replace(/\d+$/, number));
    if (/\d+$/.test(line)) other("with a leading zero", line.replace(/(\d+)$/, "0$1"));
    if (/[\w+/]{20,}=*$/.test(line)) {
      other("without padding", line.replace(/=+$/, ""));
      other("with padding", `${line}=`);
      other("in the other alphabet", line.replaceAll("+", "-").replaceAll("/", "_"));
      other("with spare bits", line.replace(/([\w+/])(=+)$/, (_, last: string, padding: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}${padding}`));
    }
  }
  return cases;
}

const text = (octets: Uint8Array): readonly Octets[] => [...spoiled(octets), ...misspelled(octets)];

/** Demands that something hostile is refused by its code, in little time and after few questions. */
async function refused(what: string, work: () => Promise<unknown>, pages: () => number): Promise<void> {
  const [began, asked] = [process.cpuUsage(), pages()];
  const error = await work().then(() => undefined, (thrown: unknown) => thrown);
  const { system, user } = process.cpuUsage(began);
  assert.ok(error instanceof MeshError, `${what}: ${error === undefined ? "taken" : String((error as Error).stack)}`);
  assert.match(error.code, REFUSALS, what);
  assert.ok((user + system) / 1000 < MOST_MS, `${what} took ${(user + system) / 1000} ms`);
  assert.ok(pages() - asked <= MOST_PAGES, `${what}: ${pages() - asked} pages`);
}

/** Checkpoints that the log itself signed, and of which none is true. */
async function lyingCheckpoints(size: number): Promise<readonly Octets[]> {
  const { note, origin, subtree } = signers;
  const signed = async (of: Parameters<typeof writeCheckpoint>[0]): Promise<Uint8Array> => {
    const words = writeCheckpoint(of);
    return writeNote({ signatures: await Promise.all([note, subtree].map((one) => signNote(one, words, Math.floor(Date.parse("2026-06-01T12:00:00Z") / 1000)))), text: words });
  };
  const root = randomBytes(32);
  const sizes = [1, 255, 256, 257, size - 1, size, size + 1, 2 * size, 2 ** 32, 2 ** 53 - 1];
  return [
    ...(await Promise.all(sizes.map(async (one): Promise<Octets> => [`${one} entries`, await signed({ extensions: [], origin, root, size: one })]))),
    ["another log", await signed({ extensions: [], origin: "example.com/mesh/2", root, size })],
    ["sixteen lines more", await signed({ extensions: Array.from({ length: 16 }, (_, at) => `line ${at}`), origin, root, size })],
  ];
}

suite("what a hostile log may show: refused by its code in little time, and the next honest look goes on (log 2.4, 3.1, 6.3)", () => {
  let home: LoggedHousehold;
  let [asked, spoil]: [number, (path: string, page: Uint8Array) => Uint8Array] = [0, (_, page) => page];
  const prefix = logPrefix(signers.origin);
  const pages = (): number => asked;

  before(async () => {
    home = await logged();
    await home.portal.store.transact(async (w) => {
      for (const filler of fillers(600)) await w.append(filler);
    });
    const served: Pages = async (path) => {
      asked += 1;
      const page = await home.honest(path);
      return page === undefined ? undefined : spoil(path.slice(prefix.length), page);
    };
    home.portal.pages.get = served;
    await sync(home.desktop.client);
  });

  const honestly = (): void => {
    spoil = (_, page) => page;
  };

  /** Has one page be another, for as long as something looks. */
  async function hostile(path: RegExp, octets: Uint8Array, work: () => Promise<unknown>): Promise<unknown> {
    spoil = (asking, page) => (path.test(asking) ? octets : page);
    return work().finally(honestly);
  }

  const page = async (path: string): Promise<Uint8Array> => (await home.honest(`${prefix}${path}`)) ?? assert.fail(path);

  test("to a monitor: checkpoint, entries and tiles", async () => {
    const policy = policyOf(logKeyTexts(signers));
    const kept = openMemoryStore();
    const get = async (path: string): Promise<Uint8Array> => (await home.portal.pages.get?.(`${prefix}${path}`)) ?? Promise.reject(new MeshError("store-not-found", path));
    const look = async (store = kept) => (await Monitor.open(store, policy)).follow(get, home.portal.clock.now / 1000);
    const { size } = await look();
    const checkpoint = await page("checkpoint");
    for (const [why, octets] of [...text(checkpoint), ...(await lyingCheckpoints(size))]) {
      await refused(`a checkpoint: ${why}`, () => hostile(/^checkpoint$/, octets, look), pages);
      await refused(`a first checkpoint: ${why}`, () => hostile(/^checkpoint$/, octets, () => look(openMemoryStore())), pages);
    }
    const bundle = await page("tile/entries/000");
    const [first = 0, second = 0] = bundle;
    const lengths: readonly Octets[] = [[0xff, 0xff], [0, 0], [first, second + 1], [first, second - 1]].map(([high = 0, low = 0]) => [`a length of ${high * 256 + low}`, bundle.with(0, high).with(1, low)]);
    const length = first * 256 + second + 2;
    const counts: readonly Octets[] = [["an entry too few", bundle.subarray(length)], ["an entry too many", concatBytes(bundle, bundle.subarray(0, length))]];
    for (const [why, octets] of [...spoiled(bundle), ...lengths, ...counts]) await refused(`entries: ${why}`, () => hostile(/^tile\/entries\/000$/, octets, () => look(openMemoryStore())), pages);

    // Tiles are asked for by whoever goes on from an earlier head.
    await home.portal.store.transact(async (w) => void (await w.append(fillers(1)[0] ?? assert.fail())));
    const tile = await page("tile/0/000");
    const widths: readonly Octets[] = [["255 hashes", tile.subarray(0, -32)], ["257 hashes", concatBytes(tile, tile.subarray(0, 32))], ["half a hash", tile.subarray(0, -16)]];
    for (const [why, octets] of [...spoiled(tile), ...widths]) await refused(`a tile: ${why}`, () => hostile(/^tile\/0\//, octets, look), pages);
    assert.ok((await look()).size > size, "and what is honest is followed from where it was");
  });

  test("to a device that syncs: proofs of what is current and of consistency, and the hashes beside what it was promised", async () => {
    const { desktop, portal } = home;
    const { master } = await whoIs(desktop);
    await disableDevice(desktop.client, "tablet", agreed);
    const before = (await knownHead(desktop.client))?.size ?? 0;
    await portal.store.transact(async (w) => void (await w.append(fillers(1)[0] ?? assert.fail())));
    const believed = await beliefs(desktop);
    const current = await page(`current/personal/${master}`);
    const proof = readTlogProof(current);
    const lies = (await lyingCheckpoints(proof.index + 1)).map(([why, checkpoint]): Octets => [`signed: ${why}`, writeTlogProof({ ...proof, checkpoint })]);
    const look = () => sync(desktop.client);
    for (const [why, octets] of [...text(current), ...lies]) await refused(`a proof: ${why}`, () => hostile(/^current\/personal\//, octets, look), pages);
    for (const [kind, about] of [["consistency", "consistency"], ["inclusion", "what was promised"]] as const) {
      for (const [why, octets] of text((await home.honest([...(await askedFor(kind))][0] ?? assert.fail(kind))) ?? assert.fail())) await refused(`${about}: ${why}`, () => hostile(new RegExp(`^${kind}/`), octets, look), pages);
    }
    assert.deepEqual(await beliefs(desktop), believed);
    honestly();
    await sync(desktop.client);
    assert.ok(((await knownHead(desktop.client))?.size ?? 0) > before);

    /** The paths of a kind that a sync asks for. */
    async function askedFor(kind: string): Promise<ReadonlySet<string>> {
      const paths = new Set<string>();
      // Refused there, so that the head stays where it is.
      spoil = (path, octets) => {
        if (path.startsWith(`${kind}/`)) paths.add(`${prefix}${path}`);
        return path.startsWith(`${kind}/`) ? new Uint8Array(0) : octets;
      };
      await assert.rejects(look());
      honestly();
      return paths;
    }
  });

  test("to whoever checks a proof that somebody handed over", async () => {
    const { desktop } = home;
    const { master } = await whoIs(desktop);
    const { proof } = await proveCurrent(desktop.client, { id: master, kind: "personal" });
    const { index, ...rest } = readTlogProof(proof);
    const lies = (await lyingCheckpoints(index + 1)).map(([why, checkpoint]): Octets => [`signed: ${why}`, writeTlogProof({ ...rest, checkpoint, index })]);
    const places = [0, index - 1, index + 1, 2 ** 53 - 1].map((at): Octets => [`at ${at}`, writeTlogProof({ ...rest, index: at })]);
    for (const [why, octets] of [...text(proof), ...lies, ...places]) await refused(`a proof: ${why}`, () => judgeProof(desktop.client, octets), pages);
    await judgeProof(desktop.client, proof);
  });
});
