import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { hello } from "./hello.ts";
import { refusalHints } from "./refusal-hints.ts";
import { decodeResponse, encodeRefusal, RefusedByPortal } from "./wire.ts";

suite("what to do about what a portal refuses", () => {
  test("it is ours, by the code; what a portal writes is quoted as its word and nothing else", () => {
    const refused = (code: string) => {
      try {
        decodeResponse(hello, encodeRefusal(code as never, "no room"));
      } catch (error) {
        if (error instanceof RefusedByPortal) return [error.code, error.message, error.hint];
      }
      return undefined;
    };
    assert.deepEqual(refused("service-rate-limited"), ["service-rate-limited", "The portal says: no room", refusalHints["service-rate-limited"]]);
    assert.deepEqual(refused("profile-wrong-role"), ["profile-wrong-role", "The portal says: no room", undefined]);
    for (const unknown of ["portal-older-profile", "made-up"]) assert.deepEqual(refused(unknown), ["answer-malformed", "The portal says: no room", "It says so in a way that this Mesh does not know: update Mesh here, or ask the portal's operator to."]);
  });
});
