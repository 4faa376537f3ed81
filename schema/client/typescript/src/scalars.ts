/** The scalars of the schema: texts that are kept apart by their types, so that none is taken for another. */

declare const brand: unique symbol;

/** A text of one kind. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

/** An exact decimal number, such as "91234.123456789012345"; made by `decimal`, shown by `format`. */
export type Decimal = Branded<"Decimal">;

/** An instant in UTC, "2026-11-20T12:00:00Z"; made by `dateTime`. */
export type DateTime = Branded<"DateTime">;

/** A day of the calendar, "2026-11-20"; made by `calendarDate`. */
export type CalendarDate = Branded<"Date">;

/** An opaque position in a list or a stream: give back what the gateway gave. */
export type Cursor = Branded<"Cursor">;

const DATE_TIME = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const DATE = /^\d{4}-\d\d-\d\d$/;

/** @throws {TypeError} where the text has no zone, or is no time. */
export function dateTime(value: string | Date): DateTime {
  const text = typeof value === "string" || Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  const [, day = ""] = DATE_TIME.exec(text) ?? [];
  if (!isDay(day)) {
    throw new TypeError(`not an instant with its zone, such as 2026-11-20T12:00:00Z: ${text}`);
  }
  return text as DateTime;
}

/** @throws {TypeError} where the text is no day. */
export function calendarDate(text: string): CalendarDate {
  if (!isDay(text)) throw new TypeError(`not a day such as 2026-11-20: ${text}`);
  return text as CalendarDate;
}

/** Whether the calendar has it: JavaScript takes the 30th of February for the 2nd of March. */
export function isDay(text: string): boolean {
  if (!DATE.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
