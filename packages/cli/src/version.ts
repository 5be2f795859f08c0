// The version of this build.
import packageJson from "../package.json" with { type: "json" };

export const quorateVersion: string = packageJson.version;
