import type { Digest } from "../../envelope/fields.ts";
import type { Signed } from "../../envelope/signed.ts";
import { showUdf, type Udf } from "../../udf/udf.ts";
import type { Read } from "./kinds.ts";

/** Objects by their digest. */
export type ByDigest = ReadonlyMap<string, Read>;

type Reference = { readonly digest: Digest; readonly what: string };

/** What an object names by digest, and every object so named in turn, that is not among the objects at hand: without it nothing can be judged. */
export function lacking(object: Read, known: ByDigest): readonly string[] {
  const missing = new Map<string, string>();
  const seen = new Set<string>([object.signed.digest]);
  const queue = [object];
  for (const one of queue) {
    for (const { digest, what } of referencesOf(one)) {
      const next = known.get(digest);
      if (next === undefined) missing.set(digest, what);
      else if (!seen.has(digest)) queue.push(next);
      seen.add(digest);
    }
  }
  return [...new Set(missing.values())];
}

function referencesOf({ kind, signed }: Read): readonly Reference[] {
  const before = (previous: Digest | undefined, what: string): readonly Reference[] => (previous === undefined ? [] : [{ digest: previous, what }]);
  switch (kind) {
    case "Master Profile":
      return before(signed.payload.previous, `version ${signed.payload.version - 1} of the Master Profile`);
    case "Personal Profile": {
      const { devices, g, master, n, previous, suspensions } = signed.payload;
      return [
        { digest: master, what: `version ${g} of the Master Profile` },
        ...before(previous, `the Personal Profile before (${g}, ${n})`),
        ...devices.map((one) => ({ digest: one.digest, what: `the Device Profile of ${showUdf(one.id as Udf)}` })),
        ...suspensions.map((digest) => ({ digest, what: "a suspension that the Personal Profile names" })),
      ];
    }
    case "Application Profile":
    case "account":
      return before(signed.payload.previous, `version ${signed.payload.version - 1} of this ${kind}`);
    case "connection answer":
      return [{ digest: signed.payload.masterDigest, what: `version ${signed.payload.g} of the Master Profile` }];
    case "commit":
      return before(signed.payload.previous, `commit ${signed.payload.index - 1} of this catalog`);
    default:
      return [];
  }
}

/** The objects that lead to one by their `previous`, the first first and itself last. */
export function chainTo<P extends { readonly previous?: Digest | undefined }>(kind: Read["kind"], signed: Signed<P>, known: ByDigest): readonly Signed<P>[] {
  const chain = [signed];
  for (let before = known.get(signed.payload.previous ?? ""); before?.kind === kind; ) {
    const one = before.signed as Signed<unknown> as Signed<P>;
    chain.unshift(one);
    before = known.get(one.payload.previous ?? "");
  }
  return chain;
}
