// A UTC time as text and back: 2026-11-29 02:20:30 is "20261129T022030Z". Pure arithmetic of the
// proleptic Gregorian calendar: years count from March here, so that leap days come last
// (H. Hinnant, "chrono-compatible low-level date algorithms").

const secondsPerDay = 86_400;
/** From 0000-03-01 to 1970-01-01. */
const daysToEpoch = 719_468;
const daysPer400Years = 146_097;
/** 9999-12-31T00:00:00Z: years have four digits. */
const secondsMax = 253_402_214_400;

const pattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Seconds since 1970; before that and after 9999 the nearest there is. */
export function utcText(seconds: number): string {
  const whole = Math.min(Math.max(Math.floor(seconds), 0), secondsMax);
  const days = Math.floor(whole / secondsPerDay) + daysToEpoch;
  const era = Math.floor(days / daysPer400Years);
  const day = days - era * daysPer400Years;
  const leapless =
    day - Math.floor(day / 1460) + Math.floor(day / 36_524) - Math.floor(day / 146_096);
  const yearOfEra = Math.floor(leapless / 365);
  const dayOfYear =
    day - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = yearOfEra + 400 * era + (month <= 2 ? 1 : 0);
  const rest = whole % secondsPerDay;
  const clock = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  const date = `${String(year).padStart(4, "0")}${two(month)}${two(dayOfMonth)}`;
  return `${date}T${clock.map(two).join("")}Z`;
}

/** Seconds since 1970; null: no such text. */
export function utcSeconds(text: string): number | null {
  const found = pattern.exec(text);
  if (found === null) return null;
  const [year, month, day, hour, minute, second] = found.slice(1).map(Number);
  const marchYear = year! - (month! <= 2 ? 1 : 0);
  const fromMarch = (month! + 9) % 12;
  const dayOfYear = Math.floor((153 * fromMarch + 2) / 5) + day! - 1;
  const leapDays =
    Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  const days = 365 * marchYear + leapDays + dayOfYear - daysToEpoch;
  return ((days * 24 + hour!) * 60 + minute!) * 60 + second!;
}
