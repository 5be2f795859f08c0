// Why a TLS handshake failed, for the log: what OpenSSL says, and in words what operators meet.

export function handshakeText(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_HTTP_REQUEST":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return "it does not speak TLS";
    case "ECONNRESET":
      return "it hung up during the TLS handshake";
    case "CERT_HAS_EXPIRED":
      return "its certificate has expired";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return `its certificate is not signed by a trusted authority: ${error.code}`;
    default:
      return error.message.replace(/^[0-9A-F]+:error:[0-9A-F]+:/, "").trim();
  }
}
