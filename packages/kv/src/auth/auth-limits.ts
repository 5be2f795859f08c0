// How large the auth table may become; part of apply, so the same on every member for good. etcd has no
// bounds here.

export const usersMax = 10_000;
export const rolesMax = 1000;
export const permissionsPerRoleMax = 1000;
/** Of users and roles together, as they stand in a snapshot. */
export const authBytesMax = 33_554_432;
/** Of a user's or a role's name in UTF-8. */
export const nameBytesMax = 1024;
/** bcrypt's are 60 chars. */
export const passwordHashCharsMax = 128;
