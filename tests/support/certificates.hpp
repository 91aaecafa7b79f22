// A certificate authority of a test's own, and servers' certificates from it.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace satchel::test {

class Authority {
public:
    enum class Life : bool { valid, expired };

    struct FreeContext {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };
    using Context = std::unique_ptr<SSL_CTX, FreeContext>;

    Authority() : key_(EVP_EC_gen("P-256")), certificate_(make(key_.get(), Life::valid)) {
        extend(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
        sign(certificate_.get());
    }

    // For a server whose names are `names`, such as "DNS:origin.test,IP:127.0.0.1".
    Context server(const std::string& names, Life life = Life::valid) const {
        const Key key(EVP_EC_gen("P-256"));
        const Certificate certificate = make(key.get(), life);
        extend(certificate.get(), NID_subject_alt_name, names.c_str());
        sign(certificate.get());
        Context context(SSL_CTX_new(TLS_server_method()));
        require(SSL_CTX_use_certificate(context.get(), certificate.get()) == 1);
        require(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
        return context;
    }

    void write(const std::string& path) const {
        const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "w"),
                                                             &BIO_free);
        require(file && PEM_write_bio_X509(file.get(), certificate_.get()) == 1);
    }

private:
    struct FreeKey {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    };
    struct FreeCertificate {
        void operator()(X509* certificate) const { X509_free(certificate); }
    };
    using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
    using Certificate = std::unique_ptr<X509, FreeCertificate>;

    static void require(bool done) {
        if (!done) throw std::runtime_error("cannot make a certificate");
    }

    static Certificate make(EVP_PKEY* key, Life life) {
        constexpr long day = 86'400;
        Certificate certificate(X509_new());
        X509_set_version(certificate.get(), X509_VERSION_3);
        static long serial = 0;
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -2 * day);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), life == Life::valid ? day : -day);
        X509_set_pubkey(certificate.get(), key);
        X509_NAME* const name = X509_get_subject_name(certificate.get());
        const std::string common = "certificate " + std::to_string(serial);
        require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                           reinterpret_cast<const unsigned char*>(common.c_str()),
                                           -1, -1, 0) == 1);
        return certificate;
    }

    static void extend(X509* certificate, int kind, const char* value) {
        X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
        require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
        X509_EXTENSION_free(extension);
    }

    void sign(X509* certificate) const {
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate_.get()));
        require(X509_sign(certificate, key_.get(), EVP_sha256()) > 0);
    }

    Key key_;
    Certificate certificate_;
};

}  // namespace satchel::test
