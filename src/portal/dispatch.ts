import type { Context, Plan } from "./context.ts";
import { decideCreateAccount, decideDeleteAccount, decideValidateAccount } from "./decide/accounts.ts";
import { decideDropBlobs, decideGetBlob, decideListBlobs, decidePutBlob } from "./decide/blobs.ts";
import { decideCatalogAppend, decideCatalogRead } from "./decide/catalogs.ts";
import { decideConnectComplete, decideConnectPending, decideConnectStart, decideConnectStatus } from "./decide/connections.ts";
import { decideFollow } from "./decide/follow.ts";
import { decideHello } from "./decide/hello.ts";
import { decideGetProfiles } from "./decide/get-profiles.ts";
import { decideLogOpenings } from "./decide/openings.ts";
import { decideGet, decidePublish } from "./decide/profiles.ts";
import { decideCatalogTrail, decideReleaseCommits } from "./decide/releases.ts";
import { decideStatus } from "./decide/status.ts";
import { decideWatch } from "./decide/watch.ts";
import { decideOpenSession } from "./sessions.ts";

type Decide = (context: Context, request: never) => Promise<Plan<unknown>>;

/** The decision of each command, by its name on the wire; a test holds it against the list of commands. */
export const decisions: Readonly<Record<string, Decide>> = {
  Hello: decideHello,
  OpenSession: decideOpenSession,
  ValidateAccount: decideValidateAccount,
  CreateAccount: decideCreateAccount,
  DeleteAccount: decideDeleteAccount,
  Publish: decidePublish,
  Get: decideGet,
  GetProfiles: decideGetProfiles,
  Status: decideStatus,
  ConnectStart: decideConnectStart,
  ConnectStatus: decideConnectStatus,
  ConnectPending: decideConnectPending,
  ConnectComplete: decideConnectComplete,
  CatalogAppend: decideCatalogAppend,
  CatalogRead: decideCatalogRead,
  CatalogTrail: decideCatalogTrail,
  ReleaseCommits: decideReleaseCommits,
  PutBlob: decidePutBlob,
  GetBlob: decideGetBlob,
  ListBlobs: decideListBlobs,
  DropBlobs: decideDropBlobs,
  LogOpenings: decideLogOpenings,
  Follow: decideFollow,
  Watch: decideWatch,
};
