// A reporter for node:test that writes one JSON object at the end: the counts, and the names of
// what failed or was skipped. The readable output comes from Node's own reporters beside it.
// It takes the default export that the style forbids elsewhere: node:test looks for nothing else.
import type { TestEvent } from "node:test/reporters";

export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly string[];
  /** With the reason, where the test gave one. */
  readonly skips: readonly string[];
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: string[] = [];
  const skips: string[] = [];
  for await (const event of source) {
    if (event.type === "test:fail" && !isParent(event.data)) {
      failures.push(`${event.data.name}${place(event.data)}`);
    } else if (event.type === "test:pass" && event.data.skip !== undefined) {
      const reason = typeof event.data.skip === "string" ? `: ${event.data.skip}` : "";
      skips.push(`${event.data.name}${reason}`);
    } else if (event.type === "test:summary" && event.data.file === undefined) {
      const { passed, cancelled, skipped, todo, tests } = event.data.counts;
      const failed = tests - passed - skipped - todo;
      const counts = { passed, failed: Math.max(failed, cancelled), skipped: skipped + todo };
      yield JSON.stringify({ ...counts, failures, skips } satisfies TestReport);
    }
  }
}

type Failed = Extract<TestEvent, { type: "test:fail" }>["data"];

// A test or suite that failed only because something in it did: the inner one is the news.
function isParent({ details }: Failed): boolean {
  const error = details.error as { readonly failureType?: string } | undefined;
  return error?.failureType === "subtestsFailed";
}

function place({ file, line }: Failed): string {
  return file === undefined ? "" : ` (${file}${line === undefined ? "" : `:${line}`})`;
}
