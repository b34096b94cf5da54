import assert from "node:assert/strict";
import { type Account, makeAccount, nextUpdate } from "../../bench/portal/people.ts";
import { fromBase64url } from "../../src/bytes/base64url.ts";
import { parseJson } from "../../src/bytes/json.ts";
import { signedBytes } from "../../src/envelope/signed.ts";
import type { PublicEntry } from "../../src/notary/entry.ts";
import type { PortalProfile } from "../../src/profiles/portal.ts";
import { answerMac, requestMac } from "../../src/protocol/session.ts";
import { COUNTER_HEADER, MAC_HEADER, RECEIPT_HEADER, SERVICE_PATH, SESSION_HEADER } from "../../src/protocol/wire.ts";
import type { Connection } from "../../src/http/call.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import type { Promised } from "./log-judge.ts";
import { insisting } from "./portals.ts";

/** A device that publishes one version of its mesh's Personal Profile after the other, and keeps every receipt. */
export class Publisher {
  /** What was acknowledged, in order. */
  readonly promised: Promised[] = [];
  readonly #account: Account;
  readonly #way: Connection;
  readonly #portal: string;

  private constructor(account: Account, way: Connection, portal: string) {
    this.#account = account;
    this.#way = way;
    this.#portal = portal;
  }

  /** Makes an account at a portal that may be reached. */
  static async make(way: Connection, profile: PortalProfile, name: string): Promise<Publisher> {
    const handle = ({ body, headers }: { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>> }) => way.post(SERVICE_PATH, { "content-type": "application/json", ...headers }, body);
    return new Publisher(await makeAccount({ handle }, profile, `${name}@example.com`), way, profile.id);
  }

  get id(): string {
    return this.#account.last.payload.id;
  }

  /** The newest version that was made. */
  get newest(): number {
    return this.#account.last.payload.n;
  }

  /** Publishes the next version: asks again, under the same counter, until the portal has said that it took it; `again` are the statuses that are no answer. */
  async publish(again: readonly number[] = [503]): Promise<void> {
    const body = await nextUpdate(this.#account);
    const { session, last } = this.#account;
    const counter = this.promised.length + 1;
    const about = { portal: this.#portal, method: "POST", path: SERVICE_PATH, query: "", counter, body };
    const headers = { "content-type": "application/json", [SESSION_HEADER]: session.id, [COUNTER_HEADER]: String(counter), [MAC_HEADER]: requestMac(session, about) };
    const answer = await insisting(async () => {
      const one = await this.#way.post(SERVICE_PATH, headers, body);
      if (again.includes(one.status)) throw new MeshError("service-busy", "The portal is busy.");
      return one;
    });
    assert.equal(answer.status, 200, JSON.stringify(parseJson(answer.body, { maxBytes: 1 << 20 })));
    assert.equal(answer.headers[MAC_HEADER], answerMac(session, { portal: this.#portal, counter, status: 200, body: answer.body }));
    const receipt = answer.headers[RECEIPT_HEADER] ?? assert.fail("an update was taken without a receipt");
    const { g, id, n, previous } = last.payload;
    const entry: PublicEntry = { g, id, k: "personal", len: signedBytes(last).length, n, obj: last.digest, ...(previous === undefined ? {} : { prev: previous }), v: 1 };
    this.promised.push({ entry, receipt: fromBase64url(receipt) });
  }
}
