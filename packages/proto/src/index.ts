// etcd's public messages and services, and our own. No logic.
export * from "./messages.ts";
export { etcdServices, gatewayServices, servedServices } from "./services.ts";
