#include "http/tls.hpp"

#include <openssl/err.h>

#include <array>

namespace satchel::http {
namespace {

std::unexpected<Error> tls_failure(const std::string& what) {
    std::array<char, 256> reason{};
    ERR_error_string_n(ERR_peek_last_error(), reason.data(), reason.size());
    ERR_clear_error();
    Error error;
    error.code = Errc::invalid_argument;
    error.message = what + " (" + reason.data() + ")";
    return std::unexpected(std::move(error));
}

}  // namespace

Result<TlsContext> make_tls_context(const TlsFiles& files) {
    TlsContext context(SSL_CTX_new(TLS_server_method()));
    if (!context) return tls_failure("cannot set up TLS");
    SSL_CTX* const ctx = context.get();
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    // Idle connections hold no buffers; a retried write may come from another place.
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);  // Tickets resume sessions.
    if (SSL_CTX_use_certificate_chain_file(ctx, files.certificate.c_str()) != 1) {
        return tls_failure("cannot use the certificate in " + files.certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return tls_failure("cannot use the private key in " + files.key);
    }
    if (SSL_CTX_check_private_key(ctx) != 1) {
        return tls_failure("the key in " + files.key + " does not belong to the certificate in " +
                           files.certificate);
    }
    return context;
}

}  // namespace satchel::http
