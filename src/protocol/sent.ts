import type { Digest } from "../envelope/fields.ts";
import { type Jws, jwsDigest, readSigned } from "../envelope/signed.ts";
import { masterProfile } from "../profiles/master.ts";
import { personalProfile } from "../profiles/personal.ts";
import type { MasterId } from "../profiles/types.ts";
import type { Part, SentCommit } from "./parts.ts";

/** A signed object of a request: its digest, and which version of what it is where the log's map has one. */
export type SentObject =
  | { readonly obj: Digest }
  | { readonly id: MasterId; readonly k: "master"; readonly n: number; readonly obj: Digest }
  | { readonly g: number; readonly id: MasterId; readonly k: "personal"; readonly n: number; readonly obj: Digest };

type Objects = { readonly account?: Jws; readonly answer?: Jws; readonly commits?: readonly SentCommit[]; readonly drop?: Jws; readonly parts?: readonly Part[]; readonly release?: Jws; readonly request?: Jws };

/** The signed objects that a request holds, in one order for whoever sends it and whoever takes it (`docs/spec/log.md` 3.6). */
export function sentIn(request: unknown): readonly SentObject[] {
  const { account, answer, commits = [], drop, parts = [], release, request: asked } = request as Objects;
  const around = [account, answer, drop, release, asked].filter((jws) => jws !== undefined);
  return [...around.map(plain), ...commits.map(({ commit }) => plain(commit)), ...parts.map(partIn)];
}

function plain(jws: Jws): SentObject {
  return { obj: jwsDigest(jws) };
}

function partIn({ kind, object }: Part): SentObject {
  if (kind === "master") {
    const { digest, payload } = readSigned(object, masterProfile);
    return { id: payload.id, k: "master", n: payload.version, obj: digest };
  }
  if (kind !== "personal") return plain(object);
  const { digest, payload } = readSigned(object, personalProfile);
  return { g: payload.g, id: payload.id, k: "personal", n: payload.n, obj: digest };
}
