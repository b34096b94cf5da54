import { keyringConformance } from "./conformance.ts";
import { openMemoryKeyring } from "./memory.ts";

keyringConformance("memory", async () => ({ keyring: openMemoryKeyring() }));
