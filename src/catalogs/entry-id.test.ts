import assert from "node:assert/strict";
import { test } from "node:test";

import { newEntryId } from "./entry-id.ts";

test("an entry's identifier is 128 bits in base64url, and none begins as an option does", () => {
  for (let drawn = 0; drawn < 2000; drawn++) assert.match(newEntryId(), /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
});
