// `quorate inspect`: what stands in a data directory, read and checked without changing a byte. Ends
// with 0 when all is well, else with the code a member would end with over what was found.
import { inspectCheckpoint, inspectDirectory, inspectRows, inspectWal } from "@quorate/storage";
import type { Finding, InspectedDirectory } from "@quorate/storage";
import { NodeDisk } from "@quorate/server";
import { batchLine, rowLine, SegmentLister } from "./lines.ts";
import { checkpointReport, type Report, rowsReport, walReport } from "./reports.ts";

export type InspectSubject = "wal" | "rows" | "checkpoint";

export interface InspectOptions {
  /** Where the log is; undefined: in the data directory. */
  readonly walDir: string | undefined;
  readonly json: boolean;
  /** Every batch or row too. */
  readonly all: boolean;
}

export function inspect(subject: InspectSubject, directory: string, options: InspectOptions): void {
  const inspected = inspectDirectory(new NodeDisk(), directory, options.walDir ?? directory);
  if (!inspected.ok) {
    process.stderr.write(`quorate: ${inspected.reason}\n`);
    process.exitCode = inspected.exitCode;
    return;
  }
  const report = reportOf(subject, inspected, options);
  const findings = [...inspected.findings, ...report.findings];
  process.stdout.write(options.json ? jsonOf(report, findings) : textOf(report, findings));
  process.exitCode = findings.find(({ exitCode }) => exitCode !== null)?.exitCode ?? 0;
}

function reportOf(
  subject: InspectSubject,
  inspected: InspectedDirectory,
  { all, json }: InspectOptions,
): Report {
  const show = all && !json;
  const lister = new SegmentLister();
  switch (subject) {
    case "wal":
      return walReport(
        inspected,
        inspectWal(inspected, (batch) => {
          if (show) lister.print(batch.segment, batchLine(batch));
        }),
      );
    case "rows":
      return rowsReport(
        inspected,
        inspectRows(inspected, (row, name) => {
          if (show) lister.print(name, rowLine(row));
        }),
      );
    case "checkpoint":
      return checkpointReport(inspected, inspectCheckpoint(inspected));
  }
}

function textOf(report: Report, findings: readonly Finding[]): string {
  const lines = findings.map(({ what }) => `! ${what}`);
  return `${[...report.text, ...lines, ...report.advice].join("\n")}\n`;
}

function jsonOf(report: Report, findings: readonly Finding[]): string {
  return `${JSON.stringify({ ...report.json, findings }, null, 2)}\n`;
}
