// Groups whose service Quorate does not serve yet: `npm test` leaves them out of its run against
// Quorate, loudly; `npm run conformance` asks them all the same. Goes when the last one is served.
export const notServed: Readonly<Record<string, string>> = {
  downgrade: "Maintenance/Downgrade is not built yet",
};
