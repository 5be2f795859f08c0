// The version of this build, and what it stands for.
import packageJson from "../package.json" with { type: "json" };

export const quorateVersion: string = packageJson.version;

/** The etcd release that clients are told unless --compat-version says otherwise. */
export const compatVersionDefault = "3.5.21";

export function versionText(): string {
  const lines = [
    `quorate ${quorateVersion}`,
    `etcd API ${compatVersionDefault.replace(/\.\d+$/, "")} (clients are told ${compatVersionDefault})`,
    `node ${process.versions.node}`,
  ];
  return `${lines.join("\n")}\n`;
}
