// TLS context of a listener: TLS 1.2 or newer, forward secrecy, no compression.
#pragma once

#include "base/result.hpp"
#include "http/server.hpp"

#include <openssl/ssl.h>

#include <memory>

namespace satchel::http {

struct FreeTlsContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeTlsContext>;

// The error's `message` names the file that could not be used and why.
Result<TlsContext> make_tls_context(const TlsFiles& files);

}  // namespace satchel::http
