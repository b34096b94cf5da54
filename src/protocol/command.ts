import type { Shape } from "../envelope/shape.ts";
import type { Code } from "../refusals/codes.ts";

/**
 * Who may ask: `anyone`; a `requester`, that is a device whose connection request is known here, for its own request
 * only; a `member`, an active device of the account; an `administrator`, a member with that role (draft §6, the asterisks).
 */
export type Asker = "anyone" | "requester" | "member" | "administrator";

/** One command of the portal protocol: its two shapes, who may ask, whether it changes state, and how it may be refused. */
export type Command<Q, A> = {
  readonly name: string;
  readonly request: Shape<Q>;
  readonly response: Shape<A>;
  readonly asker: Asker;
  readonly writes: boolean;
  readonly refusals: readonly Code[];
  /** Which of the two carries raw octets behind it. */
  readonly carries?: "request" | "response";
};

/** What a request that carries raw octets has besides its members. */
export type Carried = { readonly octets: Uint8Array };

/** What a command's request and response hold. */
export type RequestOf<C> = C extends Command<infer Q, unknown> ? Q : never;
export type ResponseOf<C> = C extends Command<never, infer A> ? A : C extends Command<infer _Q, infer A> ? A : never;
