import type { Target } from "../target.ts";
import { base32, base64url, der } from "./bytes.ts";
import { keyed, sealed, sealedForged, signed } from "./envelope.ts";
import { anyFile, bitwarden, csv, kdbx, kdbxHead, keepassXml, meshFile, onePux, zip } from "./importers.ts";
import { json } from "./json.ts";
import { keysDer, keysJwk } from "./keys.ts";
import { udf, words } from "./udf.ts";

/** Every target there is. */
export const targets: readonly Target[] = [json, base32, base64url, der, keysDer, keysJwk, udf, words, signed, sealed, sealedForged, keyed, anyFile, bitwarden, csv, keepassXml, kdbx, kdbxHead, zip, onePux, meshFile];
