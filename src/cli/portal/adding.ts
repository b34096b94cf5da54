import { utf8 } from "../../bytes/text.ts";
import { errorResponse, type HttpResponse } from "../../http/answer.ts";
import type { HttpRequest } from "../../http/receive.ts";
import { MAX_ENTRY } from "../../notary/entry.ts";
import { recordLoad } from "../../notary/keeping/record.ts";
import { logPrefix } from "../../notary/log-policy.ts";
import { Buckets } from "../../portal/limits.ts";
import type { Code } from "../../refusals/codes.ts";
import type { Store } from "../../store/store.ts";
import { unable } from "./unable.ts";

/** So many entries wait for the disk at once. */
const MOST_WAITING = 1024;

/** Takes what tools for load tests add to a log; undefined for what is not its path. */
export type Adding = (request: HttpRequest) => Promise<HttpResponse> | undefined;

/**
 * Opens a log to tools for load tests (`docs/spec/log.md` 9.6), as other logs of tiles are: `POST add` below its prefix, up to 4 KiB, answered with the index once that
 * is durable. At most `perSecond` entries, whoever they are from; who is told 503 waits and sends again, as these tools do.
 */
export function beginAdding(store: Store, origin: string, perSecond: number, now: () => number): Adding {
  const path = `${logPrefix(origin)}add`;
  const taken = new Buckets(perSecond, 1000);
  let waiting = 0;
  const add = async (octets: Uint8Array): Promise<HttpResponse> => {
    if (octets.length > MAX_ENTRY) return refused(413, "service-request-too-large", `An entry has at most ${MAX_ENTRY} octets.`);
    if (waiting >= MOST_WAITING || !taken.take("", now())) return refused(503, "service-busy", `This log takes at most ${perSecond} entries a second; wait and send it again.`);
    waiting += 1;
    try {
      const { index } = await store.transact((w) => recordLoad(w, octets));
      return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: utf8(`${index}\n`) };
    } catch (error) {
      return soon(unable(error));
    } finally {
      waiting -= 1;
    }
  };
  return (request) => {
    if (request.path !== path) return undefined;
    if (request.method === "POST") return add(request.body);
    return Promise.resolve({ ...refused(405, "request-malformed", "POST an entry."), headers: { allow: "POST", "content-type": "application/json" } });
  };
}

function refused(status: number, code: Code, message: string): HttpResponse {
  const response = errorResponse(status, code, message);
  return status === 503 ? soon(response) : response;
}

function soon(response: HttpResponse): HttpResponse {
  return { ...response, headers: { ...response.headers, "retry-after": "1" } };
}
