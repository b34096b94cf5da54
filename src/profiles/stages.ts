import type { Verified } from "../envelope/signed.ts";

declare const correct: unique symbol;

/** A verified object whose signing key is a legitimate one for it (draft §5 "Correct", §5.4); made by `validity.ts` alone. */
export type Correct<P> = Verified<P> & { readonly [correct]: true };

/** How it is known that nothing newer superseded a profile, and when that was said, in milliseconds (decision 4.8): its portal said so, or proved it by its log. */
export type Evidence = { readonly kind: "portal-said"; readonly portal: string; readonly at: number } | { readonly kind: "log-proof"; readonly portal: string; readonly log: string; readonly at: number };

/** A profile that is Verified, Correct and Current, with the evidence for the last (draft §5). */
export type Valid<P> = { readonly profile: Correct<P>; readonly evidence: Evidence };
