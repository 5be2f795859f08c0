// For tests and benches of other packages; not part of what grpc offers.
export { H2Client } from "./testing/h2-client.ts";
