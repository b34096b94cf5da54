/** Master, Personal, Device, Application and Portal Profiles, and what makes each Verified, Correct and Valid (draft §5). */
export { type Account, account } from "./account.ts";
export { type ApplicationProfile, applicationProfile } from "./application.ts";
export { type ConnectionAnswer, connectionAnswer, type ConnectionRequest, connectionRequest, type ConnectionWords, connectionWords, type Witness, witnessOf } from "./connection.ts";
export { type Countersignature, countersignature } from "./countersignature.ts";
export { type BaseKey, type DeviceProfile, deviceProfile } from "./device.ts";
export { type History, type KnownVersion, latest } from "./history.ts";
export { type AdministrationKey, type MasterProfile, masterProfile } from "./master.ts";
export { emptyMesh, isActive, masterOf, type Mesh, missingSuspensions, personalOf, suspendedIn, withMaster, withPersonal, withSuspension } from "./mesh.ts";
export { type ApplicationEntry, type DeviceEntry, type Head, type PersonalProfile, personalProfile, type Role } from "./personal.ts";
export { type PortalProfile, portalProfile } from "./portal.ts";
export { type Roster, rosterOf } from "./roster.ts";
export type { Correct, Evidence, Valid } from "./stages.ts";
export { type Suspended, suspendedAt, type Suspension, suspension } from "./suspension.ts";
export type { ApplicationId, DeviceId, KeyId, MasterId, PortalId } from "./types.ts";
export { correctAccount, correctAnswer, correctApplication, correctDevice, correctMaster, correctPersonal, correctPinNotice, correctPortal, valid, verifyByAdministration, verifyByDevice, verifyDevice, verifyMaster, verifyPersonal, verifySuspension } from "./validity.ts";
export { compareVersions, isAfter, isSame, showVersion, type Version } from "./version.ts";
