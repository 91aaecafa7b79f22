// What may be opened: scheme, port, credentials and, where the host is an address, the address.
//
// The URL is taken apart once, by the parser of the library that opens it, and handed over in
// parts: no second parser can read it differently.
#pragma once

#include "fetch/address_rules.hpp"
#include "fetch/curl.hpp"
#include "fetch/fetch.hpp"

#include <string>
#include <string_view>

namespace satchel::fetch {

class CheckedUrl {
public:
    CURLU* handle() const { return handle_.get(); }
    // In normal form: numeric hosts in dotted decimal, dot segments resolved, no fragment.
    const std::string& text() const { return text_; }

private:
    friend class UrlRules;
    CheckedUrl(UrlHandle handle, std::string text)
        : handle_(std::move(handle)), text_(std::move(text)) {}

    UrlHandle handle_;
    std::string text_;
};

// Immutable; used by every thread.
class UrlRules {
public:
    // An empty rule: what the policy says.
    explicit UrlRules(Policy policy, AddressRule address_rule = {});

    // Errc::invalid_argument, saying in `detail` what is wrong without quoting the URL.
    Result<CheckedUrl> check(std::string_view url) const;
    // The same for a redirect's target, which may be relative to `base`.
    Result<CheckedUrl> check_redirect(const CheckedUrl& base, std::string_view location) const;

    bool allows(const Address& address) const { return address_rule_(address); }
    const Policy& policy() const { return policy_; }

private:
    Result<CheckedUrl> judge(UrlHandle handle) const;
    Result<> judge_host(std::string host) const;
    bool allows_port(std::string_view port, std::string_view scheme) const;

    const Policy policy_;
    const AddressRule address_rule_;
};

}  // namespace satchel::fetch
