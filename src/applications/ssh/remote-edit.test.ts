import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import fc from "fast-check";

import { canMount, openSmallDisk } from "../../../test/support/small-disk.ts";
import { concatBytes, utf8Of } from "../../../test/support/octets.ts";
import { cksum, checkWritten, editCommand, readRemote, type RemoteFile, writeRequest } from "./remote-edit.ts";
