#include "app/audit_source.hpp"

#include "app/audit_file.hpp"
#include "app/output.hpp"
#include "app/run_to_end.hpp"
#include "app/store_paths.hpp"
#include "crypto/key_ring.hpp"
#include "meta/sqlite.hpp"

#include <boost/json.hpp>

#include <cstdlib>

namespace satchel::app {
namespace {

namespace json = boost::json;

class StoreSource final : public AuditSource {
public:
    static Result<std::unique_ptr<AuditSource>> open(const StorePaths& paths) {
        TRY(const crypto::KeyRing keys, read_keys(paths));
        TRY(auto database,
            meta::open_sqlite(
                {.file = paths.sqlite, .access = meta::Access::read_only, .keys = &keys}));
        return std::unique_ptr<AuditSource>(new StoreSource(std::move(database)));
    }

    Result<AuditStart> start() override { return run_to_end(loop_, audit_start(*database_)); }
    Result<AuditHead> head() override {
        return run_to_end(loop_, sign_audit_head(*database_, Clock().now()));
    }
    Result<std::vector<AuditLink>> page(std::uint64_t after) override {
        return run_to_end(loop_, audit_page(*database_, after));
    }
    Result<AuditReceipt> receipt(AttachmentId attachment) override {
        return run_to_end(loop_, sign_audit_receipt(*database_, attachment, Clock().now()));
    }
    Result<AuditVerdict> verify(const AuditAnchors& anchors) override {
        return run_to_end(loop_, verify_audit(*database_, anchors));
    }

private:
    explicit StoreSource(std::unique_ptr<meta::Database> database)
        : database_(std::move(database)) {}

    Loop loop_{1};
    std::unique_ptr<meta::Database> database_;
};

class ServerSource final : public AuditSource {
public:
    explicit ServerSource(AdminAccess access) : client_(std::move(access)) {}

    Result<AuditStart> start() override { return get("/audit/start", audit_start_from); }
    Result<AuditHead> head() override { return get("/audit/head", audit_head_from); }
    Result<std::vector<AuditLink>> page(std::uint64_t after) override {
        return get("/audit/entries/" + std::to_string(after), links_from);
    }
    Result<AuditReceipt> receipt(AttachmentId attachment) override {
        return get("/audit/receipts/" + attachment.str(), audit_receipt_from);
    }
    // Trusts nothing but the answers themselves: they are verified as an export is.
    Result<AuditVerdict> verify(const AuditAnchors& anchors) override {
        TRY(const AuditHead signed_head, head());
        TRY(const AuditStart first, start());
        ExportCheck check(first, anchors);
        while (!check.is_over() && check.at() < signed_head.position.seq) {
            TRY(const auto links, page(check.at()));
            if (links.empty()) break;
            for (const AuditLink& link : links) {
                if (link.seq <= signed_head.position.seq) check.take(link);
            }
        }
        return check.finish(signed_head);
    }

private:
    static std::optional<std::vector<AuditLink>> links_from(const json::object& answer) {
        const auto* const entries = answer.if_contains("entries");
        if (entries == nullptr || !entries->is_array()) return std::nullopt;
        std::vector<AuditLink> links;
        for (const json::value& entry : entries->get_array()) {
            if (!entry.is_object()) return std::nullopt;
            auto link = audit_link_from(entry.get_object());
            if (!link) return std::nullopt;
            links.push_back(*std::move(link));
        }
        return links;
    }

    template <class T>
    Result<T> get(const std::string& path, std::optional<T> (*read)(const json::object&)) {
        TRY(const json::object answer, client_.call("GET", path));
        auto value = read(answer);
        if (!value) {
            return refuse("the server's answer is no audit; use the satchel that it runs",
                          Errc::unavailable);
        }
        return *std::move(value);
    }

    AdminClient client_;
};

}  // namespace

Result<std::unique_ptr<AuditSource>> open_audit_source(const ServerChoice& choice) {
    const bool is_named = !choice.data.empty() || !choice.config.empty();
    if (!is_named && std::getenv("SATCHEL_ADMIN_URL") != nullptr) {
        TRY(AdminAccess access, find_server(choice));
        return std::make_unique<ServerSource>(std::move(access));
    }
    TRY(const StorePaths paths, find_store(choice));
    return StoreSource::open(paths);
}

}  // namespace satchel::app
