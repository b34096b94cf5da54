import { openKeyringConformance } from "./conformance.ts";
import { openMemoryKeyring } from "./memory.ts";

openKeyringConformance("memory", async () => ({ keyring: openMemoryKeyring() }));
