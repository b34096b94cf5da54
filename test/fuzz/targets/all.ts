import type { Target } from "../target.ts";
import { agentLine } from "./agent.ts";
import { base32, base64url, der } from "./bytes.ts";
import { entries, snapshots } from "./catalogs.ts";
import { keyed, sealed, sealedForged, signed } from "./envelope.ts";
import { anyFile, bitwarden, csv, kdbx, kdbxHead, keepassXml, meshFile, onePux, zip } from "./importers.ts";
import { json } from "./json.ts";
import { keysDer, keysJwk } from "./keys.ts";
import { meshRules, meshSigned } from "./meshes.ts";
import { logEntry, logProof, note } from "./notary.ts";
import { portal } from "./portal.ts";
import { events, http, request, response } from "./protocol.ts";
import { sshSaid, sshServer } from "./ssh.ts";
import { sshAgent, sshOwn } from "./ssh-client.ts";
import { archive, codes, keyring, lines, settings, sites } from "./texts.ts";
import { udf, words } from "./udf.ts";

/** Every target there is. */
export const targets: readonly Target[] = [
  [json, base32, base64url, der, keysDer, keysJwk, udf, words],
  [signed, sealed, sealedForged, keyed, meshRules, meshSigned, entries, snapshots],
  [request, response, events, portal, http, archive, keyring, settings, codes, sites, lines, agentLine],
  [note, logProof, logEntry],
  [sshServer, sshSaid, sshAgent, sshOwn],
  [anyFile, bitwarden, csv, keepassXml, kdbx, kdbxHead, zip, onePux, meshFile],
].flat();
