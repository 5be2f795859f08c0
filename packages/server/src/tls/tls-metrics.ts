// What /metrics says about TLS.
import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";
import type { TlsSide } from "./tls-side.ts";

export function addTlsMetrics(registry: Registry, sides: readonly TlsSide[]): void {
  if (sides.length === 0) return;
  const registers = [registry];
  new Gauge({
    name: "quorate_tls_certificate_expiry_seconds",
    help: "Seconds until the TLS certificate that is shown ends; negative when it has.",
    labelNames: ["use"],
    registers,
    collect() {
      for (const { credentials } of sides) {
        const { expiresMs, options } = credentials;
        if (expiresMs !== null) this.set({ use: options.use }, (expiresMs - Date.now()) / 1000);
      }
    },
  });
  new Counter({
    name: "quorate_tls_refused_connections_total",
    help: "Connections refused because of TLS: certificates, names, time, number.",
    labelNames: ["use"],
    registers,
    collect() {
      this.reset();
      for (const { credentials, refusals } of sides) {
        this.inc({ use: credentials.options.use }, refusals.count);
      }
    },
  });
}
