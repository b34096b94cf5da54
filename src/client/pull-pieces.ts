import type { Authority, Chain } from "../catalogs/chain.ts";
import { commit as commitType } from "../catalogs/commits.ts";
import type { Digest } from "../envelope/fields.ts";
import type { Decapsulator } from "../envelope/sealed.ts";
import { readSigned } from "../envelope/signed.ts";
import type { Head } from "../profiles/personal.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { CatalogRow } from "./known.ts";
import type { PortalLink, Requester } from "./portal-link.ts";
import { checkEnd, checkHead, commitsAfter, type Pulled, readOn } from "./pull-catalog.ts";

/** About so many octets of a chain are held at once: whoever was away for years reads it piece by piece, each durable before the next is asked for. */
export const PIECE_OCTETS = 4 * 1024 * 1024;

const FORKED = "It cheats: do not rely on it, and compare `mesh device list` and your passwords with the other device. What this device has is kept.";

/**
 * Fetches and judges what a catalog has new, up to the head that the portal named, in pieces (decisions 6.1, 6.2).
 *
 * `named` are the heads that this device knows of from others. Where the first piece does not come up to them, the chain is followed to the
 * last of them before any piece is given out, and read once more then: so no part of another history than theirs is ever written.
 */
export async function* pullPieces(link: PortalLink, requester: Requester, catalog: string, known: CatalogRow | undefined, head: { readonly index: number; readonly digest: Digest } | undefined, authority: Authority, key: Decapsulator, named: readonly Head[]): AsyncGenerator<Pulled> {
  checkHead(known?.chain, head);
  if (head === undefined) return;
  const last = Math.min(head.index, Math.max(0, ...named.map((one) => one.index)));
  let followed: ReadonlyMap<number, Digest> | undefined;
  for (let row = known; (row?.chain.index ?? 0) < head.index; ) {
    const piece = await readPiece(link, requester, catalog, row, head.index, authority, key);
    if (piece.row.chain.index === head.index) checkEnd(piece.row.chain, head);
    followed ??= await follow(link, requester, catalog, piece.row.chain, last, named);
    for (const { chain } of piece.placed) demand((followed.get(chain.index) ?? chain.digest) === chain.digest, "portal-forked-catalog", "The portal shows two histories of a catalog, one after the other.", FORKED);
    yield piece;
    row = piece.row;
  }
}

async function readPiece(link: PortalLink, requester: Requester, catalog: string, known: CatalogRow | undefined, until: number, authority: Authority, key: Decapsulator): Promise<Pulled> {
  const placed: Pulled["placed"][number][] = [];
  let [row, octets] = [known, 0];
  for (;;) {
    const read = await readOn(link, requester, catalog, row, until, authority, key);
    placed.push(...read.placed);
    row = read.row;
    octets += read.placed.reduce((sum, { commit, body }) => sum + commit.jws.payload.length + commit.jws.signature.length + (body?.length ?? 0), 0);
    if (row.chain.index >= until || octets >= PIECE_OCTETS) return { placed, row };
  }
}

/** The digests of the commits after a piece up to an index, each by what the next one names before it; the heads named must be among them. */
async function follow(link: PortalLink, requester: Requester, catalog: string, from: Chain, until: number, named: readonly Head[]): Promise<ReadonlyMap<number, Digest>> {
  const digests = new Map<number, Digest>();
  for (let [index, digest] = [from.index, from.digest]; index < until; ) {
    for (const { commit } of await commitsAfter(link, requester, catalog, index)) {
      const signed = readSigned(commit, commitType);
      demand(signed.payload.index === index + 1 && signed.payload.previous === digest, "portal-forked-catalog", "The portal shows commits of a catalog that do not follow one another.", FORKED);
      [index, digest] = [index + 1, signed.digest];
      digests.set(index, digest);
    }
  }
  for (const head of named) demand((digests.get(head.index) ?? head.digest) === head.digest, "portal-forked-catalog", "The portal shows this device another history of a catalog than your other device.", FORKED);
  return digests;
}
