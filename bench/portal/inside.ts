import { COUNTER_HEADER, MAC_HEADER, SERVICE_PATH, SESSION_HEADER } from "../../src/protocol/wire.ts";
import { openLocal } from "./local.ts";
import { requestsOf } from "./requests.ts";
import { drive } from "./round.ts";
import type { Role } from "./worker.ts";

const REFUSED = Buffer.from('"signature-invalid"');

/** A whole portal in this process, with its database, but without HTTP. */
export const inside: Role = async (folder = "", directory = "", id = "") => {
  const { portal } = await openLocal(directory);
  return async ({ round, atOnce }) => {
    const requests = requestsOf(folder, round, id);
    return () =>
      drive(requests, atOnce, async ({ session, counter, mac, body, good }) => {
        const headers = { [SESSION_HEADER]: session, [COUNTER_HEADER]: String(counter), [MAC_HEADER]: mac };
        const answer = await portal.handle({ method: "POST", path: SERVICE_PATH, query: "", headers, body, remote: "127.0.0.1" });
        return good ? answer.status === 200 : Buffer.from(answer.body).includes(REFUSED);
      });
  };
};
