#include "model/audit_json.hpp"

#include "base/bytes.hpp"
#include "base/rfc3339.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <string_view>

namespace satchel {
namespace {

namespace json = boost::json;

constexpr std::uint64_t version = 1;

// Reads members; once one is missing or wrong, the whole is.
class Reader {
public:
    explicit Reader(const json::object& object) : object_(object) {}

    bool is_good() const { return is_good_; }

    std::string text(std::string_view name) {
        const auto* const value = find(name);
        const auto* const text = value == nullptr ? nullptr : value->if_string();
        if (text == nullptr) return wrong<std::string>();
        return {text->data(), text->size()};
    }
    std::uint64_t number(std::string_view name) {
        const auto* const value = find(name);
        boost::system::error_code error;
        const auto number = value == nullptr ? 0 : value->to_number<std::uint64_t>(error);
        if (value == nullptr || value->is_double() || error) return wrong<std::uint64_t>();
        return number;
    }
    Time time(std::string_view name) {
        const std::string written = text(name);
        const auto time = parse_rfc3339(written);
        if (!time || to_rfc3339(*time) != written) return wrong<Time>();
        return *time;
    }
    template <std::size_t size>
    void bytes(std::string_view name, std::array<std::byte, size>& out) {
        const std::string written = text(name);
        const auto bytes = from_hex(written);
        if (!bytes || bytes->size() != size || to_hex(*bytes) != written) {
            is_good_ = false;
            return;
        }
        std::ranges::copy(*bytes, out.begin());
    }
    template <class IdType>
    IdType id(std::string_view name) {
        const std::string written = text(name);
        const auto id = IdType::parse(written);
        if (!id || id->str() != written) return wrong<IdType>();
        return *id;
    }
    // An object in it; a missing one reads as empty.
    const json::object& object(std::string_view name) {
        static const json::object none;
        const auto* const value = find(name);
        const auto* const object = value == nullptr ? nullptr : value->if_object();
        if (object == nullptr) is_good_ = false;
        return object == nullptr ? none : *object;
    }
    AuditPosition position() {
        AuditPosition position;
        position.seq = number("seq");
        bytes("hash", position.hash);
        return position;
    }
    void expect_kind(std::string_view kind) {
        if (text("audit") != kind || number("version") != version) is_good_ = false;
    }

private:
    const json::value* find(std::string_view name) const {
        return object_.if_contains({name.data(), name.size()});
    }
    template <class T>
    T wrong() {
        is_good_ = false;
        return T{};
    }

    const json::object& object_;
    bool is_good_ = true;
};

json::object to_json(const AuditPosition& position) {
    return {{"seq", position.seq}, {"hash", to_hex(position.hash)}};
}

}  // namespace

json::object to_json(const AuditStart& start) {
    json::object out{{"audit", "start"},
                     {"version", version},
                     {"key", to_hex(start.key)},
                     {"seq", start.position.seq},
                     {"hash", to_hex(start.position.hash)}};
    if (start.origin) {
        out["begun_at"] = to_rfc3339(start.origin->begun_at);
        out["inherited"] = start.origin->inherited;
    }
    return out;
}

json::object to_json(const AuditLink& link) {
    return {{"seq", link.seq},
            {"at", to_rfc3339(link.entry.at)},
            {"partner_id", link.entry.partner.str()},
            {"attachment_id", link.entry.attachment.str()},
            {"cause", link.entry.cause},
            {"actor", link.entry.actor},
            {"hash", to_hex(link.hash)}};
}

json::object to_json(const AuditHead& head) {
    return {{"audit", "head"},
            {"version", version},
            {"key", to_hex(head.key)},
            {"seq", head.position.seq},
            {"hash", to_hex(head.position.hash)},
            {"issued_at", to_rfc3339(head.issued_at)},
            {"signature", to_hex(head.signature)}};
}

json::object to_json(const AuditReceipt& receipt) {
    return {{"audit", "receipt"},
            {"version", version},
            {"key", to_hex(receipt.key)},
            {"entry", to_json(receipt.link)},
            {"previous", to_hex(receipt.previous)},
            {"head", to_json(receipt.head)},
            {"issued_at", to_rfc3339(receipt.issued_at)},
            {"signature", to_hex(receipt.signature)}};
}

std::optional<AuditStart> audit_start_from(const json::object& json) {
    Reader reader(json);
    AuditStart start;
    reader.expect_kind("start");
    reader.bytes("key", start.key);
    start.position = reader.position();
    if (start.position.seq == 0) {
        start.origin = AuditOrigin{reader.time("begun_at"), reader.number("inherited")};
    }
    if (!reader.is_good()) return std::nullopt;
    return start;
}

std::optional<AuditLink> audit_link_from(const json::object& json) {
    Reader reader(json);
    AuditLink link;
    const AuditPosition position = reader.position();
    link.seq = position.seq;
    link.hash = position.hash;
    link.entry.at = reader.time("at");
    link.entry.partner = reader.id<PartnerId>("partner_id");
    link.entry.attachment = reader.id<AttachmentId>("attachment_id");
    link.entry.cause = reader.text("cause");
    link.entry.actor = reader.text("actor");
    if (!reader.is_good()) return std::nullopt;
    return link;
}

std::optional<AuditHead> audit_head_from(const json::object& json) {
    Reader reader(json);
    AuditHead head;
    reader.expect_kind("head");
    reader.bytes("key", head.key);
    head.position = reader.position();
    head.issued_at = reader.time("issued_at");
    reader.bytes("signature", head.signature);
    if (!reader.is_good()) return std::nullopt;
    return head;
}

std::optional<AuditReceipt> audit_receipt_from(const json::object& json) {
    Reader reader(json);
    AuditReceipt receipt;
    reader.expect_kind("receipt");
    reader.bytes("key", receipt.key);
    const auto link = audit_link_from(reader.object("entry"));
    reader.bytes("previous", receipt.previous);
    Reader head(reader.object("head"));
    receipt.head = head.position();
    receipt.issued_at = reader.time("issued_at");
    reader.bytes("signature", receipt.signature);
    if (!link || !reader.is_good() || !head.is_good()) return std::nullopt;
    receipt.link = *link;
    return receipt;
}

}  // namespace satchel
